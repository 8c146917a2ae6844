/** Models from GGUF files against PyTorch in float64: every form that matrices are held in, and every architecture. */
import { describe, expect, it } from "vitest";
import { readBlueprint } from "../../src/model/blueprint";
import { Decoder } from "../../src/model/generation/decoder";
import { ggufFolder } from "../../src/model/gguf-folder";
import { loadModel } from "../../src/model/load";
import { openWeights } from "../../src/model/weights/registry";
import { goldenJson, goldenReference, goldenTensors, relativeDifference } from "../support/golden";
import { testDevice } from "../support/gpu";

const device = await testDevice();
const urls = import.meta.glob<string>(["../golden/gguf/*.gguf", "../golden/gguf-models/*.gguf"], {
  query: "?url",
  eager: true,
  import: "default",
});
const models = Object.keys(urls).flatMap((path) => /gguf-models\/(.+)\.gguf$/.exec(path)?.[1] ?? []);

/** `path` is relative to tests/golden. Base logits of each row, one after another. */
async function logitsOf(path: string, rows: readonly (readonly number[])[]): Promise<readonly number[]> {
  const response = await fetch(urls[`../golden/${path}`] ?? "");
  const files = await ggufFolder([{ path: "model.gguf", blob: await response.blob() }]);
  if (!files) throw new Error("no folder");
  const blueprint = await readBlueprint(files);
  const model = await loadModel(device, blueprint, await openWeights(files, blueprint.tensors));
  const all: number[] = [];
  for (const ids of rows) {
    const decoder = await Decoder.create(device, model, { capacity: ids.length, adapter: null });
    for (const value of await decoder.appendAll(ids, 0)) all.push(value);
    decoder.destroy();
  }
  model.destroy();
  return all;
}

function expectLogits(name: string, actual: readonly number[], expected: ArrayLike<number>): void {
  const difference = relativeDifference(actual, expected);
  console.log(`${name} logits ‖Δ‖/‖ref‖ = ${difference.toExponential(2)}`);
  expect(difference).toBeLessThanOrEqual(1e-5);
}

describe("quantized files that the Python package gguf wrote", () => {
  it.each(["q8_0", "q4_0", "q4_1", "mixed", "k_quants"])(
    "%s gives PyTorch's logits on the same values",
    async (name) => {
      const reference = await goldenJson("gguf/reference.json");
      if (typeof reference !== "object" || reference === null || !("ids" in reference) || !Array.isArray(reference.ids))
        throw new Error("no ids");
      const logits = await logitsOf(`gguf/${name}.gguf`, [reference.ids]);
      expectLogits(name, logits, (await goldenTensors("gguf/logits.safetensors")).get(name)?.data ?? []);
    },
  );
});

describe("golden models as GGUF", () => {
  it.each(models)("%s gives the logits of its safetensors folder", async (name) => {
    const { rows } = await goldenReference(name);
    const ids = rows.map(({ input_ids }) => input_ids);
    const logits = await logitsOf(`gguf-models/${name}.gguf`, ids);
    expectLogits(name, logits, (await goldenTensors(`${name}/logits.safetensors`)).get("base")?.data ?? []);
  });
});
