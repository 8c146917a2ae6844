/** What the data pipeline needs of a tokenizer. `model/tokenizer.ts` provides it from tokenizer.json. */

export type Role = "system" | "user" | "assistant" | "tool" | "developer";

export interface Message {
  readonly role: Role;
  /** "" where an assistant message holds tool calls only. */
  readonly content: string;
  /** What a reasoning model thought before this answer; templates of such models place it. */
  readonly reasoning_content?: string;
  /** OpenAI's tool calls, as the row has them (arguments parsed where they are JSON text). */
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
  readonly name?: string;
  /** Alpaca's "input", with which `content` ends after a blank line; for templates that have a section of its own for it. */
  readonly input?: string;
  /** OpenAI's per-message weight: 0 keeps an assistant message out of the loss. */
  readonly weight?: 0 | 1;
}

export interface RenderOptions {
  readonly addGenerationPrompt?: boolean;
  /** JSON schemas of the tools that the conversation may call; null: none. */
  readonly tools?: readonly unknown[] | null;
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
  renderChat(messages: readonly Message[], options?: RenderOptions): string;
  /** The same tokenizer with another chat template (Jinja). Throws `TokenizerError` where it cannot be parsed. */
  withTemplate(template: string): Tokenizer;
}
