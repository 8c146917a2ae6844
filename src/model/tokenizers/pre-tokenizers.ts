/**
 * How byte-level BPE splits a text before merging, by the names that llama.cpp gives in `tokenizer.ggml.pre`. The patterns
 * are those of the models' own tokenizer.json files.
 */

export interface Splitting {
  /** Applied one after another; what each finds becomes a part of its own. */
  readonly patterns: readonly string[];
  /** GPT-2's pattern comes last. */
  readonly gpt2: boolean;
  /** A part that is a token as a whole is not merged from its letters. */
  readonly ignoreMerges: boolean;
  readonly addBos: boolean;
  readonly normalizer: { readonly type: "NFC" } | null;
}

const plain: Splitting = { patterns: [], gpt2: true, ignoreMerges: false, addBos: false, normalizer: null };
/** Every digit a part of its own. */
const singleDigits: Splitting = { ...plain, patterns: ["\\p{N}"] };

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
/** The pattern of OpenAI's cl100k, up to how many digits stay together. */
const cl100k = (digits: string): string =>
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const llama3: Splitting = {
  ...plain,
  patterns: [cl100k("\\p{N}{1,3}")],
  gpt2: false,
  ignoreMerges: true,
  addBos: true,
};
const qwen2: Splitting = { ...plain, patterns: [cl100k("\\p{N}")], gpt2: false, normalizer: { type: "NFC" } };
const deepseekCoder: Splitting = {
  ...plain,
  patterns: ["[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+", "\\p{N}"],
  gpt2: false,
};

export const preTokenizers: ReadonlyMap<string, Splitting> = new Map([
  ["gpt-2", plain],
  ["smollm", singleDigits],
  ["starcoder", singleDigits],
  ["refact", singleDigits],
  ["codeshell", singleDigits],
  ["llama-bpe", llama3],
  ["llama3", llama3],
  ["llama-v3", llama3],
  ["qwen2", qwen2],
  ["deepseek-r1-qwen", qwen2],
  ["deepseek-coder", deepseekCoder],
]);
