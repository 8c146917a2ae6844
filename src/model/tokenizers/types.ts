/** What the tokenizers made from other files' metadata have in common. */

export interface Piece {
  readonly content: string;
  readonly id: number;
  /** Found in the text before anything is split or merged. */
  readonly added: boolean;
  /** Left out of a decoded text. */
  readonly special: boolean;
}

/** tokenizer.json; the library that takes it checks the rest. */
export type TokenizerJson = Readonly<Record<string, unknown>>;

export interface BuiltTokenizer {
  /** normalizer, pre_tokenizer, model and decoder of tokenizer.json. */
  readonly json: TokenizerJson;
  /** A text begins with the BOS token where the file does not say. */
  readonly addBos: boolean;
}
