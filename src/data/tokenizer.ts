/** What the data pipeline needs of a tokenizer. `model/tokenizer.ts` provides it from tokenizer.json. */

export type Role = "system" | "user" | "assistant" | "tool" | "developer";

export interface Message {
  readonly role: Role;
  readonly content: string;
  /** OpenAI's per-message weight: 0 keeps an assistant message out of the loss. */
  readonly weight?: 0 | 1;
}

export interface Tokenizer {
  readonly vocabSize: number;
  /** Ends a turn or a document; every trained turn ends with it. */
  readonly eosTokenId: number;
  readonly eosToken: string;
  readonly bosTokenId: number | null;
  readonly hasChatTemplate: boolean;
  /** `addSpecialTokens` adds what the tokenizer's post-processor adds (BOS for Llama). */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): number[];
  decode(ids: ArrayLike<number>, options?: { readonly skipSpecialTokens?: boolean }): string;
  /** The chat template's text, special tokens included. Throws `TokenizerError` where there is no template or it refuses the messages. */
  renderChat(messages: readonly Message[], options?: { readonly addGenerationPrompt?: boolean }): string;
}
