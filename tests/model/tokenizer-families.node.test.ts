/** One tokenizer for each family of models: transformers' ids and texts (tests/golden/tokenizer_families.py). */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Tokenizer } from "../../src/data/tokenizer";
import { filesFolder } from "../../src/model/folder";
import { loadTokenizer } from "../../src/model/tokenizer";
import { ggufTokenizer } from "../../src/model/tokenizers/gguf";
import { readHeader } from "../../src/model/weights/gguf/header";

type Json = Readonly<Record<string, unknown>>;

interface Family {
  readonly name: string;
  /** Below ../shared/data. */
  readonly path?: string;
  /** The key of a model in `models`. */
  readonly model?: string;
  readonly tokenizer?: Json;
  readonly config?: Json;
  /** Ids in front of every text with special tokens. */
  readonly begins: readonly number[];
  /** null where the text cannot be compared. */
  readonly probes: readonly ({ readonly ids: readonly number[]; readonly decoded: string } | null)[];
  /** Eight digits for each naughty string, or dashes. */
  readonly naughty: string;
}

const golden: {
  readonly texts: readonly string[];
  readonly models: Readonly<Record<string, Json>>;
  readonly families: readonly Family[];
} = JSON.parse(readFileSync(new URL("../golden/tokenizer-families.json", import.meta.url), "utf8"));
const shared = new URL("../../../shared/data/", import.meta.url);
const naughtyFile = new URL("conformance/naughty-strings/blns.json", shared);

/** Stands for a naughty string that cannot be compared. */
const left = "--------";

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 8);
const json = (value: unknown) => new Blob([JSON.stringify(value)]);

async function tokenizerOf({ path, model, tokenizer, config }: Family): Promise<Tokenizer> {
  let [files, settings] = [tokenizer && model ? { ...tokenizer, model: golden.models[model] } : {}, config ?? {}];
  if (path !== undefined) {
    const bytes = new Uint8Array(readFileSync(new URL(path, shared)));
    if (path.endsWith(".gguf")) {
      const made = await ggufTokenizer((await readHeader(new Blob([bytes]), path)).metadata);
      [files, settings] = [made.tokenizer, made.config];
    } else files = JSON.parse(new TextDecoder().decode(bytes));
  }
  return loadTokenizer(
    filesFolder("family", [
      { path: "config.json", blob: json({}) },
      { path: "tokenizer.json", blob: json(files) },
      { path: "tokenizer_config.json", blob: json(settings) },
    ]),
  );
}

/**
 * Texts that come back otherwise: the library's byte fallback takes U+FEFF for the mark of a file, and the Rust library takes the
 * added tokens "ö" and "ü" of DeepSeek for the letters of bytes.
 */
const readOtherwise: Readonly<Record<string, RegExp>> = {
  mistral: /\ufeff/,
  metaspace: /\ufeff/,
  "deepseek-coder.gguf": /[öü]/,
};

describe.each(golden.families)("$name", (family) => {
  const here = family.path === undefined || existsSync(new URL(family.path, shared));
  // transformers' reader of GGUF takes no notice of add_bos_token.
  const fromGguf = family.path?.endsWith(".gguf") ?? false;
  const reason = here ? "" : ` (skipped: ../shared/data/${family.path} is not here)`;
  if (!here) console.warn(`SKIPPED: the tokenizer ${family.name}${reason}`);

  it.skipIf(!here)(`gives transformers' ids and texts${reason}`, async () => {
    const tokenizer = await tokenizerOf(family);
    const probes = golden.texts.flatMap((text, index) => {
      const probe = family.probes[index];
      return probe ? [{ text, ...probe }] : [];
    });
    expect(probes.length).toBeGreaterThan(30);
    const wrong = probes.filter(({ text, ids }) => {
      const plain = tokenizer.encode(text, { addSpecialTokens: false });
      const special = [...family.begins, ...ids].join();
      return plain.join() !== ids.join() || (!fromGguf && tokenizer.encode(text).join() !== special);
    });
    expect(wrong).toEqual([]);
    const readable = probes.filter(({ text }) => !readOtherwise[family.name]?.test(text));
    const otherTexts = readable.filter(({ ids, decoded }) => digest(tokenizer.decode(ids)) !== decoded);
    expect(otherTexts).toEqual([]);
  });

  const both = here && existsSync(naughtyFile);
  const why = both ? "" : " (skipped: ../shared/data is not here)";
  if (!both) console.warn(`SKIPPED: naughty strings of ${family.name}${why}`);
  it.skipIf(!both)(`gives transformers' ids of the naughty strings${why}`, async () => {
    const strings: readonly string[] = JSON.parse(readFileSync(naughtyFile, "utf8"));
    const tokenizer = await tokenizerOf(family);
    const wrong = strings.filter((text, index) => {
      const expected = family.naughty.slice(8 * index, 8 * index + 8);
      const ids = tokenizer.encode(text, { addSpecialTokens: false });
      return expected !== left && digest(ids.join()) !== expected;
    });
    expect(family.naughty.length).toBe(8 * strings.length);
    expect(family.naughty.split(left).length).toBeLessThan(strings.length / 2);
    expect(wrong).toEqual([]);
  });
});
