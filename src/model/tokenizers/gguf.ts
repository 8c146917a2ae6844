/** The tokenizer in a GGUF file's metadata, as the files tokenizer.json and tokenizer_config.json would have it. */
import { TokenizerError } from "../errors";
import type { Metadata } from "../weights/gguf/metadata";
import { bytePairs } from "./gguf-bpe";
import { sentencePieces } from "./gguf-spm";
import type { Piece, TokenizerJson } from "./types";

export interface GgufTokenizer {
  readonly tokenizer: TokenizerJson;
  /** tokenizer_config.json */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tokens: number;
  readonly bosTokenId: number | null;
  /** Every token that ends a turn or a text. */
  readonly eosTokenIds: readonly number[];
}

/** llama.cpp's token types. */
const tokenTypes = { unknown: 2, control: 3, userDefined: 4 } as const;

/**
 * Phi-3's special tokens take the white space behind them along, but for these; the metadata do not say so, and llama.cpp knows
 * it by the model's name.
 */
const withoutSpace = new Set(["<unk>", "<s>", "<|endoftext|>"]);

/** Throws `TokenizerError` for a kind of tokenizer that is not built, `WeightsError` for metadata that are missing or wrong. */
export async function ggufTokenizer(metadata: Metadata): Promise<GgufTokenizer> {
  const { file } = metadata;
  const model = await metadata.text("tokenizer.ggml.model");
  if (model !== "llama" && model !== "gpt2") {
    const found = model === null ? "missing" : `"${model.slice(0, 40)}"`;
    throw new TokenizerError(
      `${file}: tokenizer.ggml.model is ${found}; supported are llama (SentencePiece) and gpt2 (byte-level BPE), pick another model.`,
    );
  }
  const spm = model === "llama";
  const texts = await metadata.texts("tokenizer.ggml.tokens");
  if (!texts || texts.length === 0) throw metadata.error("tokenizer.ggml.tokens", "the list of tokens");
  const types = await parallel(metadata, "tokenizer.ggml.token_type", texts.length);
  const id = (name: string, fallback: number | null): number | null => {
    const key = `tokenizer.ggml.${name}_token_id`;
    // 2^32 − 1 stands for none in files of older converters.
    if (!metadata.has(key) || metadata.int(key, 0, 2 ** 32 - 1) === 2 ** 32 - 1) return fallback;
    return metadata.int(key, 0, texts.length - 1);
  };
  const inRange = (value: number): number | null => (value < texts.length ? value : null);
  const bos = id("bos", spm ? inRange(1) : null);
  const eos = id("eos", spm ? inRange(2) : null);
  const unknown = id("unknown", spm ? 0 : null);
  const padding = id("padding", null);
  if (eos === null || texts[eos] === "") {
    throw metadata.error("tokenizer.ggml.eos_token_id", "the token that ends a text, which is not empty");
  }
  const ends = [eos, id("eot", null), id("eom", null)].filter((end) => end !== null);
  const special = new Set([bos, ...ends].filter((token) => token !== null));
  const pieces = texts.map((content, index): Piece => {
    const type = types?.[index] ?? 1;
    const isSpecial = type === tokenTypes.control || type === tokenTypes.unknown || special.has(index);
    // An empty text would be found everywhere.
    const added = content !== "" && (isSpecial || type === tokenTypes.userDefined);
    return { content, id: index, added, special: isSpecial };
  });
  const text = (token: number | null): string | null => (token === null ? null : (texts[token] ?? null));
  const build = spm ? sentencePieces : bytePairs;
  const made = await build(metadata, pieces, text(unknown));
  const phi3 = spm && (await metadata.text("general.architecture")) === "phi3";
  const takesSpace = (content: string) => phi3 && !withoutSpace.has(content);
  const bosText = text(bos);
  const addBos = metadata.flag("tokenizer.ggml.add_bos_token", made.addBos) && bosText !== null;
  const eosText = text(eos) ?? "";
  const addEos = metadata.flag("tokenizer.ggml.add_eos_token", false);
  const named = { bos_token: bosText, eos_token: eosText, unk_token: text(unknown), pad_token: text(padding) };
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: pieces.filter(({ added }) => added).map((piece) => addedToken(piece, takesSpace(piece.content))),
      ...made.json,
      post_processor: template(addBos ? bosText : null, addEos ? eosText : null),
    },
    config: {
      ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== null)),
      clean_up_tokenization_spaces: false,
      chat_template: await metadata.text("tokenizer.chat_template"),
    },
    tokens: texts.length,
    bosTokenId: bos,
    eosTokenIds: [...new Set(ends)],
  };
}

/** A list with one number for each token; null where the key is absent. */
async function parallel(metadata: Metadata, key: string, tokens: number): Promise<readonly number[] | null> {
  const values = await metadata.numbers(key);
  if (values && values.length !== tokens) throw metadata.error(key, `a list of ${tokens} values, one for each token`);
  return values;
}

const addedToken = ({ id, content, special }: Piece, rstrip: boolean) => ({
  id,
  content,
  special,
  single_word: false,
  lstrip: false,
  rstrip,
  normalized: false,
});

function template(bos: string | null, eos: string | null): unknown {
  const token = (id: string | null) => (id === null ? [] : [{ SpecialToken: { id, type_id: 0 } }]);
  const single = [...token(bos), { Sequence: { id: "A", type_id: 0 } }, ...token(eos)];
  return {
    type: "TemplateProcessing",
    single,
    pair: [...single, { Sequence: { id: "B", type_id: 0 } }],
    special_tokens: {},
  };
}
