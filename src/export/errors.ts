/** An adapter cannot be written, or an adapter folder cannot be used; the message is one sentence with field and remedy. */
export class AdapterError extends Error {
  override readonly name = "AdapterError";
}
