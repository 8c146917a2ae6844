/** What the page says to the service worker. */
export type OfflineMessage =
  /** The user wants the new version now. */
  | "activate"
  /** The embedded model is open, so its files are worth keeping. */
  | "keep-model";
