/** What can go wrong between here and the hub. */

export type HubFault =
  /** What was typed is no id and no address of a model. */
  | "address"
  /** On a host that this page asks nothing of. */
  | "elsewhere"
  | "not-found"
  /** Private, or access is refused. */
  | "refused"
  /** The hub wants its licence accepted first. */
  | "gated"
  /** Asked too often, or busy in another tab. */
  | "busy"
  | "server"
  | "offline"
  /** The connection broke, or the server lets no page read it. */
  | "network"
  /** The bytes are not those that were promised. */
  | "damaged"
  | "storage"
  /** The variant cannot be used, or its files are not all here. */
  | "unusable";

/** One sentence with the model, the file and the remedy. */
export class HubError extends Error {
  override readonly name = "HubError";
  readonly reason: HubFault;
  /** Seconds that the server asks to wait, where it does. */
  readonly retryAfter: number | null;
  constructor(reason: HubFault, message: string, options: ErrorOptions & { readonly retryAfter?: number | null } = {}) {
    super(message, options);
    this.reason = reason;
    this.retryAfter = options.retryAfter ?? null;
  }
}

/** Worth another try after a while. */
export function isPassing(error: unknown): error is HubError {
  return error instanceof HubError && ["busy", "server", "network"].includes(error.reason);
}

export const reasonOf = (error: unknown): string =>
  withoutQuery(error instanceof Error ? error.message : String(error));

/** An address's name, password and query may let others in, so that no text for people holds them. */
export const withoutQuery = (text: string): string =>
  text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#@]*@)?([^\s?#"']*)(?:[?#][^\s"')]*)?/gi, "$1$2");
