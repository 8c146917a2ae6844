/** ONNX: the names, orientations and packings of real exporters; every tensor of the model, to the bit. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { format } from "../../src/model/weights/onnx";
import type { WeightSource } from "../../src/model/weights/types";
import builder from "../golden/onnx-exports/builder.json";
import optimum from "../golden/onnx-exports/optimum.json";
import { decodeWeights } from "../support/decode-weights";
import { folderOf } from "./build-files";

type Tensors = Readonly<Record<string, { readonly shape: readonly number[]; readonly sha256: string }>>;

async function openExport(folder: string, tensors: Tensors): Promise<WeightSource> {
  const root = new URL(`../golden/onnx-exports/${folder}/`, import.meta.url);
  const names = await readdir(root);
  const files = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(new URL(name, root)))] as const)),
  );
  const all = folderOf(files);
  const expected = Object.entries(tensors).map(([name, { shape }]) => ({ name, shape }));
  // The config of a tied model lets the output matrix be absent.
  expected.push({ name: "lm_head.weight", shape: tensors["model.embed_tokens.weight"]?.shape ?? [] });
  return format.open(all, format.match(all.paths), expected);
}

const digest = (values: Float32Array<ArrayBuffer>): string => {
  const positive = values.map((value) => value + 0);
  return createHash("sha256").update(new Uint8Array(positive.buffer)).digest("hex");
};

const folders: readonly (readonly [string, Tensors])[] = [
  ...Object.entries<Tensors>(optimum.folders),
  ...Object.entries<Tensors>(builder.folders),
];

describe("models as exporters write them", () => {
  it("are those of all supported architectures", () => {
    expect(folders.map(([folder]) => folder).filter((folder) => !/int[48]$/.test(folder))).toEqual([
      "optimum-llama",
      "optimum-mistral",
      "optimum-qwen2",
      "optimum-qwen3",
      "optimum-gemma3_text",
      "optimum-phi3",
      "optimum-gpt2",
      "optimum-gpt_neox",
      "builder-llama",
      "builder-mistral",
      "builder-qwen2",
      "builder-qwen3",
      "builder-gemma3_text",
      "builder-phi3",
    ]);
  });

  it.each(folders)("%s", async (folder, tensors) => {
    const source = await openExport(folder, tensors);
    const found = [...source.tensors.keys()].toSorted();
    // optimum gives Gemma an output matrix of its own, the embedding's transpose.
    const own = folder === "optimum-gemma3_text" ? ["lm_head.weight"] : [];
    expect(found).toEqual([...Object.keys(tensors), ...own].toSorted());
    for (const [name, { shape, sha256 }] of Object.entries(tensors)) {
      const read = await source.read(name);
      expect({ name, shape: read.shape, info: source.tensors.get(name)?.shape }).toEqual({ name, shape, info: shape });
      expect({ name, sha256: digest(decodeWeights(read)) }).toEqual({ name, sha256 });
      const [rows = 0] = shape;
      const last = await source.read(name, { first: rows - 1, count: 1 });
      expect({ name, last: decodeWeights(last) }).toEqual({
        name,
        last: decodeWeights(read).slice(-decodeWeights(last).length),
      });
    }
  });

  it("say that Gemma's norms are held as w", async () => {
    for (const folder of ["optimum-gemma3_text", "builder-gemma3_text"]) {
      const tensors = Object.fromEntries(folders)[folder] ?? {};
      expect((await openExport(folder, tensors)).held).toEqual(["norm weights, stored as 1 + w, as w in float32"]);
    }
  });
});
