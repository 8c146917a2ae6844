/** What the page says to the service worker; one of them may be of another version than the other. */
export type OfflineMessage =
  /** The user wants the new version now. */
  | "activate"
  /** The embedded model is open, so its files are worth keeping. */
  | { readonly kind: "keep-model" /** The address of the page's own script. */; readonly script: string };
