/** A model folder, its config or its tokenizer cannot be used; the message is one sentence with file, field and remedy. */
export class ModelError extends Error {
  override readonly name = "ModelError";
}

/** A weight file is broken, hostile or lacks a tensor. */
export class WeightsError extends Error {
  override readonly name = "WeightsError";
}

/** The tokenizer or the chat template refuses. */
export class TokenizerError extends Error {
  override readonly name = "TokenizerError";
}
