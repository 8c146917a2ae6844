/** Llama from GGUF files against PyTorch in float64: every form that its matrices are held in, and the golden float32 models. */
import { describe, expect, it } from "vitest";
import { architectureOf, architectures } from "../../src/model/architectures/index";
import { readConfig } from "../../src/model/config";
import { Decoder } from "../../src/model/generation/decoder";
import { ggufFolder } from "../../src/model/gguf-folder";
import { loadModel } from "../../src/model/load";
import { openWeights } from "../../src/model/weights/registry";
import { llamaFile } from "../support/gguf-llama";
import { goldenFolder, goldenJson, goldenReference, goldenTensors, relativeDifference } from "../support/golden";
import { testDevice } from "../support/gpu";

const device = await testDevice();

/** Base logits of each row, one after another. */
async function logitsOf(file: Blob, rows: readonly (readonly number[])[]): Promise<readonly number[]> {
  const files = await ggufFolder([{ path: "model.gguf", blob: file }]);
  if (!files) throw new Error("no folder");
  const config = await readConfig(files, [...architectures.keys()]);
  const model = await loadModel(device, config, architectureOf(config.modelType), await openWeights(files));
  const all: number[] = [];
  for (const ids of rows) {
    const decoder = await Decoder.create(device, model, { capacity: ids.length, adapter: null });
    for (const value of await decoder.appendAll(ids, 0)) all.push(value);
    decoder.destroy();
  }
  model.destroy();
  return all;
}

function expectLogits(name: string, actual: readonly number[], expected: ArrayLike<number>, tolerance: number): void {
  const difference = relativeDifference(actual, expected);
  console.log(`${name} logits ‖Δ‖/‖ref‖ = ${difference.toExponential(2)}`);
  expect(difference).toBeLessThanOrEqual(tolerance);
}

describe("files that the Python package gguf wrote", () => {
  it.each(["q8_0", "q4_0", "q4_1", "mixed"])("%s gives PyTorch's logits on the same values", async (name) => {
    const reference = await goldenJson("gguf/reference.json");
    if (typeof reference !== "object" || reference === null || !("ids" in reference) || !Array.isArray(reference.ids))
      throw new Error("no ids");
    const response = await fetch(new URL(`../golden/gguf/${name}.gguf`, import.meta.url));
    const logits = await logitsOf(await response.blob(), [reference.ids]);
    expectLogits(name, logits, (await goldenTensors("gguf/logits.safetensors")).get(name)?.data ?? [], 1e-5);
  });
});

describe("golden models written as F32", () => {
  it.each(["llama-tied", "llama-untied"])("%s gives the logits of its safetensors file", async (name) => {
    const file = await llamaFile(goldenFolder(`${name}/model`));
    const { rows } = await goldenReference(name);
    const logits = await logitsOf(
      file,
      rows.map(({ input_ids }) => input_ids),
    );
    expectLogits(name, logits, (await goldenTensors(`${name}/logits.safetensors`)).get("base")?.data ?? [], 1e-5);
  });
});
