/**
 * How byte-level BPE splits a text before merging, by the names that llama.cpp gives in `tokenizer.ggml.pre`. The patterns
 * are those of the models' own tokenizer.json files.
 */

export interface Splitting {
  /** Applied one after another; what each finds becomes a part of its own. */
  readonly patterns: readonly string[];
  /** GPT-2's pattern comes last. */
  readonly gpt2: boolean;
  /** Steps of tokenizer.json that see bytes as letters. */
  readonly afterBytes: readonly Readonly<Record<string, unknown>>[];
  /** A part that is a token as a whole is not merged from its letters. */
  readonly ignoreMerges: boolean;
  readonly addBos: boolean;
  readonly normalizer: { readonly type: "NFC" } | null;
}

export const splitStep = (pattern: string): Readonly<Record<string, unknown>> => ({
  type: "Split",
  pattern: { Regex: pattern },
  behavior: "Isolated",
  invert: false,
});

const plain: Splitting = {
  patterns: [],
  gpt2: true,
  afterBytes: [],
  ignoreMerges: false,
  addBos: false,
  normalizer: null,
};
const composed = { type: "NFC" } as const;
const by = (...patterns: readonly string[]): Splitting => ({ ...plain, patterns, gpt2: false });
/** Every digit a part of its own. */
const digit = "\\p{N}";
const singleDigits: Splitting = { ...plain, patterns: [digit] };

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const symbolsAndSpace = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/** The pattern of OpenAI's cl100k, up to how many digits stay together. */
const cl100k = (digits: string): string => `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}|${symbolsAndSpace}`;
/** The pattern of OpenAI's o200k: a word begins at a capital letter. */
const o200k = (digits: string, ending: string): string =>
  [
    `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+${ending}`,
    `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*${ending}`,
    `${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
  ].join("|");
const chineseJapaneseKorean = "[一-龥ࠀ-一가-퟿]+";

const llama3: Splitting = { ...by(cl100k("\\p{N}{1,3}")), ignoreMerges: true, addBos: true };
const qwen2: Splitting = { ...by(cl100k(digit)), normalizer: composed };
const tekken: Splitting = { ...by(o200k(digit, "")), ignoreMerges: true, addBos: true };
const gpt4o = by(o200k("\\p{N}{1,3}", `${contractions}?`));
const deepseekCoder = by("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", chineseJapaneseKorean, digit);
/** Most letters that have two cases, as DeepSeek lists them: code points in hexadecimal. */
const casedLetters = `
    41-5a 61-7a b5 c0-d6 d8-f6 f8-1ba 1bc-1bf 1c4-293 295-2af 370-373 376 377 37b-37d 37f 386 388-38a 38c
    38e-3a1 3a3-3f5 3f7-481 48a-52f 531-556 10a0-10c5 13a0-13f5 13f8-13fd 1c90-1cba 1cbd-1cbf 1d00-1d2b
    1d6b-1d77 1d79-1d9a 1e00-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4
    1fb6-1fbc 1fbe 1fc2-1fc4 1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec 1ff2-1ff4 1ff6-1ffc 2102 2107 210a-2113
    2115 2119-211d 2124 2126 2128 212a-212d 212f-2134 2139 213c-213f 2145-2149 214e 2183 2184 2c00-2c7b
    2c7e-2ce4 2ceb-2cee 2cf2 2cf3 a640-a66d a680-a69b a722-a76f a771-a787 a78b-a78e ab70-abbf fb00-fb06
    fb13-fb17 ff21-ff3a ff41-ff5a 10400-1044f 104b0-104d3 104d8-104fb 10c80-10cb2 10cc0-10cf2 118a0-118df
    1e900-1e943
  `
  .trim()
  .split(/\s+/)
  .map((range) => range.replace(/[\da-f]+/g, "\\u{$&}"))
  .join("");
const deepseekLlm = by(
  "[\\r\\n]",
  `\\s?[${casedLetters}]+`,
  "\\s?[!-/:-~\\uff01-\\uff0f\\uff1a-\\uff5e\\u2018-\\u201f\\u3000-\\u3002]+",
  "\\s+$",
  chineseJapaneseKorean,
  digit,
);
const falcon: Splitting = {
  ...plain,
  patterns: ["[\\p{P}$+<=>^`|~]+"],
  afterBytes: [splitStep("\\p{N}+"), splitStep("[0-9][0-9][0-9]")],
};

const names: readonly (readonly [Splitting, readonly string[]])[] = [
  [plain, ["gpt-2", "phi-2"]],
  [{ ...plain, normalizer: composed }, ["gpt-neox", "olmo", "mpt"]],
  [singleDigits, ["smollm", "starcoder", "refact", "codeshell"]],
  [{ ...singleDigits, normalizer: composed }, ["command-r"]],
  [llama3, ["llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"]],
  [{ ...llama3, ignoreMerges: false, addBos: false }, ["dbrx", "smaug-bpe"]],
  [qwen2, ["qwen2", "deepseek-r1-qwen"]],
  [gpt4o, ["gpt-4o"]],
  [tekken, ["tekken"]],
  [deepseekCoder, ["deepseek-coder"]],
  [deepseekLlm, ["deepseek-llm"]],
  [falcon, ["falcon"]],
];

export const preTokenizers: ReadonlyMap<string, Splitting> = new Map(
  names.flatMap(([splitting, known]) => known.map((name) => [name, splitting] as const)),
);
