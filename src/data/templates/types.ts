/** What a built-in chat template is. One file per template in this folder; `index.ts` collects them. */
export interface ChatTemplate {
  /** The file's name without `.ts`. */
  readonly id: string;
  /** "ChatML (Qwen, SmolLM, Yi)". */
  readonly label: string;
  /** Texts that must be single tokens, or the model meets its turns' borders as a run of ordinary characters. */
  readonly markers: readonly string[];
  /**
   * As Hugging Face tokenizers render it; `eos_token` is the tokenizer's. It writes no BOS: that comes in front where the
   * tokenizer begins its texts with one. What has no place in the format (tools, mostly) is refused, never left out.
   */
  readonly jinja: string;
}
