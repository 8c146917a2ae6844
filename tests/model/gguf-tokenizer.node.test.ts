/** Tokenizers from GGUF metadata: sentencepiece's ids on an own vocabulary, llama.cpp's on the vocabularies in ../shared/data. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { describe, expect, it } from "vitest";
import type { Tokenizer } from "../../src/data/tokenizer";
import { filesFolder } from "../../src/model/folder";
import { loadTokenizer } from "../../src/model/tokenizer";
import { ggufTokenizer } from "../../src/model/tokenizers/gguf";
import { libraryJson } from "../../src/model/tokenizers/library-steps";
import { preTokenizers } from "../../src/model/tokenizers/pre-tokenizers";
import { readHeader } from "../../src/model/weights/gguf/header";
import { type GgufValue, ggufFile, llamaMetadata, withKey } from "../support/gguf";

const golden = new URL("../golden/gguf/", import.meta.url);
interface Reference {
  /** By the vocabulary's file. */
  readonly pieces: Readonly<Record<string, readonly { readonly text: string; readonly ids: readonly number[] }[]>>;
  /** By `tokenizer.ggml.pre`. */
  readonly splits: Readonly<
    Record<string, { readonly texts: readonly string[]; readonly pieces: readonly (readonly string[])[] }>
  >;
}
const reference: Reference = JSON.parse(readFileSync(new URL("reference.json", golden), "utf8"));

async function tokenizerOf(file: URL | Uint8Array<ArrayBuffer>): Promise<Tokenizer> {
  const bytes = file instanceof URL ? new Uint8Array(readFileSync(file)) : file;
  const { metadata } = await readHeader(new Blob([bytes]), "model.gguf");
  const { tokenizer, config } = await ggufTokenizer(metadata);
  const json = (value: unknown) => new Blob([JSON.stringify(value)]);
  return loadTokenizer(
    filesFolder("gguf", [
      { path: "config.json", blob: json({}) },
      { path: "tokenizer.json", blob: json(tokenizer) },
      { path: "tokenizer_config.json", blob: json(config) },
    ]),
  );
}

/** What a text is split into by a name of `tokenizer.ggml.pre`. */
async function splitterOf(pre: string): Promise<(text: string) => readonly string[]> {
  const bytes = ggufFile({ metadata: withKey("tokenizer.ggml.pre", ["text", pre]) });
  const { tokenizer, config } = await ggufTokenizer((await readHeader(new Blob([bytes]), "model.gguf")).metadata);
  const split = new HuggingFaceTokenizer(libraryJson(tokenizer), config).pre_tokenizer;
  if (!split) throw new Error(`no splitting for ${pre}`);
  return split;
}

describe("SentencePiece", () => {
  it.each(["spm", "spm-gemma"])("gives sentencepiece's ids and text: %s", async (file) => {
    const tokenizer = await tokenizerOf(new URL(`${file}.gguf`, golden));
    const pieces = reference.pieces[file] ?? [];
    expect(pieces.length).toBeGreaterThan(5);
    for (const { text, ids } of pieces) {
      expect(tokenizer.encode(text, { addSpecialTokens: false }), text).toEqual(ids);
      expect(tokenizer.encode(text), text).toEqual([1, ...ids]);
      expect(tokenizer.decode(ids), text).toBe(text.replaceAll("▁", " "));
    }
  });

  it("finds its special tokens in a text", async () => {
    const tokenizer = await tokenizerOf(new URL("spm.gguf", golden));
    expect(tokenizer.encode("<s>x</s>", { addSpecialTokens: false })).toEqual([
      1,
      ...tokenizer.encode("x").slice(1),
      2,
    ]);
  });
});

const shared = new URL("../../../shared/data/models/gguf-vocab/", import.meta.url);
const here = existsSync(shared);
if (!here) console.warn("SKIPPED: llama.cpp's vocabularies: ../shared/data/models/gguf-vocab is not here");
const separator = "\n__ggml_vocab_test__\n";

describe.skipIf(!here)(
  `llama.cpp's ids${here ? "" : " (skipped: ../shared/data/models/gguf-vocab is not here)"}`,
  () => {
    it.each(["llama-spm", "phi-3", "gpt-2", "starcoder", "deepseek-coder"])(
      "of the vocabulary %s",
      async (name) => {
        const file = (end: string) => new URL(`ggml-vocab-${name}.gguf${end}`, shared);
        const tokenizer = await tokenizerOf(file(""));
        const texts = readFileSync(file(".inp"), "utf8").split(separator);
        const lines = readFileSync(file(".out"), "utf8").split("\n");
        expect(texts.length).toBeGreaterThan(40);
        for (const [index, text] of texts.entries()) {
          const expected = (lines[index] ?? "").split(" ").filter(Boolean).map(Number);
          expect(tokenizer.encode(text, { addSpecialTokens: false }), JSON.stringify(text)).toEqual(expected);
          if (expected.length > 0) expect(tokenizer.decode(expected), JSON.stringify(text)).toBe(text);
        }
      },
      120_000,
    );

    const listed = (end: string) =>
      here
        ? readdirSync(shared).flatMap((file) =>
            file.endsWith(end) ? [file.slice("ggml-vocab-".length, -end.length)] : [],
          )
        : [];

    it("are compared wherever there is a vocabulary of a kind that is read", () => {
      expect(listed(".gguf").toSorted()).toEqual([
        "bert-bge",
        "deepseek-coder",
        "gpt-2",
        "llama-spm",
        "phi-3",
        "starcoder",
      ]);
    });

    const without = listed(".gguf.out").filter(
      (name) => preTokenizers.has(name) && !existsSync(new URL(`ggml-vocab-${name}.gguf`, shared)),
    );
    if (here)
      console.warn(
        `SKIPPED: llama.cpp's ids of ${without.join(", ")}: their vocabularies are not here, only the splitting is compared`,
      );

    it.each(without)("of %s fit the splitting, whose vocabulary is not here", async (name) => {
      const file = (end: string) => readFileSync(new URL(`ggml-vocab-${name}.gguf${end}`, shared), "utf8");
      const ids = file(".out")
        .split("\n")
        .map((line) => line.split(" ").filter(Boolean).map(Number));
      const split = await splitterOf(name);
      const texts = file(".inp")
        .split(separator)
        .map((text, index) => ({ parts: split(text.normalize("NFC")), ids: ids[index] ?? [] }));
      // What a part becomes is known where it is a text of its own.
      const known = new Map(texts.flatMap(({ parts, ids }) => (parts.length === 1 ? [[parts[0], ids] as const] : [])));
      let found = 0;
      for (const { parts, ids } of texts) {
        // The vocabulary of MPT has tokens for runs of spaces, found before anything is split.
        if (name === "mpt" && parts.some((part) => /^Ġ+$/.test(part))) continue;
        expect(parts.length, parts.join("|")).toBeLessThanOrEqual(ids.length);
        let from = 0;
        for (const part of parts) {
          const expected = known.get(part);
          if (!expected) continue;
          const at = ids.findIndex(
            (_, start) => start >= from && expected.every((id, offset) => ids[start + offset] === id),
          );
          expect(at, `${part} in ${parts.join("|")}`).toBeGreaterThanOrEqual(0);
          from = at + expected.length;
          found++;
        }
      }
      expect(found).toBeGreaterThan(30);
    });

    it("refuses WordPiece by name", async () => {
      await expect(tokenizerOf(new URL("ggml-vocab-bert-bge.gguf", shared))).rejects.toThrow(
        'model.gguf: tokenizer.ggml.model is "bert"; supported are llama (SentencePiece) and gpt2 (byte-level BPE), pick another model.',
      );
    });
  },
);

describe("the splitting before merges", () => {
  it.each(Object.entries(reference.splits))("%s is that of the tokenizers library", async (pre, { texts, pieces }) => {
    const split = await splitterOf(pre);
    for (const [index, text] of texts.entries()) expect(split(text), text).toEqual(pieces[index]);
  });
});

describe("metadata of a tokenizer", () => {
  const bpe = (metadata = llamaMetadata) => tokenizerOf(ggufFile({ metadata }));
  const spm = (...more: readonly (readonly [string, GgufValue])[]) => {
    const kept = withKey("tokenizer.ggml.model", ["text", "llama"]).filter(([key]) => !more.some(([k]) => k === key));
    return tokenizerOf(ggufFile({ metadata: [...kept, ...more] }));
  };

  it("say whether a text begins and ends with a special token", async () => {
    expect((await bpe()).encode("ab<end>b")).toEqual([3, 0, 2]);
    const both = [
      ...withKey("tokenizer.ggml.add_bos_token", ["bool", 1]),
      ["tokenizer.ggml.bos_token_id", ["u32", 0]],
      ["tokenizer.ggml.add_eos_token", ["bool", 1]],
    ] as const;
    expect((await bpe(both)).encode("ab")).toEqual([0, 3, 0]);
    expect((await bpe(withKey("tokenizer.ggml.pre", ["text", "llama-bpe"]))).encode("ab")).toEqual([3]);
  });

  it("leave out what is empty", async () => {
    const tokens = ["<end>", "a", "", "ab"];
    const metadata = withKey("tokenizer.ggml.tokens", ["texts", tokens]).map(([key, value]) =>
      key === "tokenizer.ggml.token_type" ? ([key, ["list", "i32", [3, 1, 3, 1]]] as const) : ([key, value] as const),
    );
    expect((await bpe(metadata)).encode("a<end>a")).toEqual([1, 0, 1]);
  });

  it("mark user-defined tokens, which are found before anything is split but are text", async () => {
    const tokenizer = await bpe(withKey("tokenizer.ggml.token_type", ["list", "i32", [3, 1, 4, 1]]));
    expect(tokenizer.encode("ab")).toEqual([1, 2]);
    expect(tokenizer.decode([0, 1, 2], { skipSpecialTokens: true })).toBe("ab");
  });

  const supported = [...preTokenizers.keys()].join(", ");
  it.each<[string, readonly (readonly [string, GgufValue])[], string]>([
    ["no model", withKey("tokenizer.ggml.model", null), "tokenizer.ggml.model is missing; supported are llama"],
    ["no splitting", withKey("tokenizer.ggml.pre", null), "tokenizer.ggml.pre is missing, and without it texts would"],
    [
      "an unknown splitting",
      withKey("tokenizer.ggml.pre", ["text", "kimi-k2"]),
      `tokenizer.ggml.pre is "kimi-k2", and without it texts would be split differently than in pretraining; supported are ${supported}, take the model as a Hugging Face folder.`,
    ],
    [
      "no tokens",
      withKey("tokenizer.ggml.tokens", null),
      "the key tokenizer.ggml.tokens is missing; it must be the list of tokens",
    ],
    [
      "empty tokens",
      withKey("tokenizer.ggml.tokens", ["texts", []]),
      "tokenizer.ggml.tokens is a list of 0 values; it must be the list of tokens",
    ],
    [
      "tokens that are numbers",
      withKey("tokenizer.ggml.tokens", ["list", "u8", [1]]),
      "tokenizer.ggml.tokens is a list of 1 values; it must be a list of at most 1048576 texts",
    ],
    [
      "types of other tokens",
      withKey("tokenizer.ggml.token_type", ["list", "i32", [1]]),
      "tokenizer.ggml.token_type is a list of 1 values; it must be a list of 4 values, one for each token",
    ],
    [
      "no merges",
      withKey("tokenizer.ggml.merges", null),
      "tokenizer.ggml.merges is missing; it must be the list of merges",
    ],
    [
      "a merge of one",
      withKey("tokenizer.ggml.merges", ["texts", ["a b", "ab"]]),
      'tokenizer.ggml.merges[1] is "ab"; a merge must be two tokens with a space between them',
    ],
    [
      "no end",
      withKey("tokenizer.ggml.eos_token_id", null),
      "tokenizer.ggml.eos_token_id is missing; it must be the token that ends a text, which is not empty",
    ],
    [
      "an empty end",
      withKey("tokenizer.ggml.tokens", ["texts", ["", "a", "b", "ab"]]),
      "eos_token_id is 0; it must be the token that ends a text, which is not empty",
    ],
    [
      "an end outside",
      withKey("tokenizer.ggml.eos_token_id", ["u32", 4]),
      "tokenizer.ggml.eos_token_id is 4; it must be a whole number from 0 to 3",
    ],
    ["a broken template", withKey("tokenizer.chat_template", ["text", "{% for %}"]), "cannot be parsed"],
  ])("BPE with %s is refused", async (_, metadata, expected) => {
    await expect(bpe(metadata)).rejects.toThrow(expected);
  });

  it.each<[string, readonly (readonly [string, GgufValue])[], string]>([
    ["no scores", [], "tokenizer.ggml.scores is missing; it must be a list of 4 numbers, one for each token"],
    [
      "too few scores",
      [["tokenizer.ggml.scores", ["list", "f32", [1, 2]]]],
      "tokenizer.ggml.scores is a list of 2 values",
    ],
    [
      "an endless piece",
      [
        ["tokenizer.ggml.tokens", ["texts", ["<end>", "a", "b", "x".repeat(600)]]],
        ["tokenizer.ggml.scores", ["list", "f32", [0, 0, 0, 0]]],
      ],
      "pieces of at most 512 characters, but piece 3 has 600",
    ],
  ])("SentencePiece with %s is refused", async (_, more, expected) => {
    await expect(spm(...more)).rejects.toThrow(expected);
  });
});
