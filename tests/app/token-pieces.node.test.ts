/** Tokens with their texts, through tokenizers that keep the white space of a text's first token and such that drop it. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { filesFolder } from "../../src/model/folder";
import { loadTokenizer } from "../../src/model/tokenizer";
import { tokenPieces } from "../../src/worker/token-pieces";

type Json = Readonly<Record<string, unknown>>;

interface Family {
  readonly name: string;
  readonly model?: string;
  readonly tokenizer?: Json;
  readonly config?: Json;
}

const golden: { readonly models: Readonly<Record<string, Json>>; readonly families: readonly Family[] } = JSON.parse(
  readFileSync(new URL("../golden/tokenizer-families.json", import.meta.url), "utf8"),
);
const json = (value: unknown) => new Blob([JSON.stringify(value)]);
const text = "Ahoy there,  matey!\nA ship 12";

describe("token pieces", () => {
  it.each(["gpt-neox", "mistral", "metaspace"])("of %s join to the text", async (name) => {
    const family = golden.families.find((known) => known.name === name);
    const { model = "", tokenizer: file, config } = family ?? {};
    const tokenizer = await loadTokenizer(
      filesFolder("family", [
        { path: "config.json", blob: json({}) },
        { path: "tokenizer.json", blob: json({ ...file, model: golden.models[model] }) },
        { path: "tokenizer_config.json", blob: json(config) },
      ]),
    );
    const ids = [...tokenizer.encode(text, { addSpecialTokens: false }), tokenizer.eosTokenId];
    const pieces = tokenPieces(tokenizer, ids);
    expect(pieces.map(({ id }) => id)).toEqual(ids);
    const joined = pieces.map((piece) => piece.text).join("");
    // Some of them write a space in front of every text.
    expect(joined.replace(/^ /, "")).toBe(text + tokenizer.eosToken);
    expect(pieces.length).toBeGreaterThan(5);
  });
});
