/** The loader of the golden files, in the browser: what it reads is what the scripts wrote. */
import { describe, expect, it } from "vitest";
import {
  GoldenError,
  goldenAdapter,
  goldenBatch,
  goldenFolder,
  goldenJson,
  goldenReference,
  goldenRun,
  goldenTensors,
  relativeDifference,
} from "../support/golden";

const models = [
  "llama-tied",
  "llama-untied",
  "llama-int4",
  "mistral",
  "qwen2",
  "qwen3",
  "gemma3",
  "gpt2",
  "gpt-neox",
  "gpt-neox-serial",
  "phi3",
  "phi3-partial",
  "llama3-rope",
  "llama-linear-rope",
  "llama-yarn",
];

describe.each(models)("%s", (model) => {
  it("has logits for every token and a gradient for every adapter tensor", async () => {
    const { rows, countedTokens, loss } = await goldenReference(model);
    const batch = goldenBatch(rows);
    expect(batch.targets.length).toBe(countedTokens);
    const logits = await goldenTensors(`${model}/logits.safetensors`);
    const tuned = logits.get("tuned");
    expect(tuned?.shape[0]).toBe(batch.ids.length);
    expect(crossEntropy(tuned?.data ?? new Float32Array(), tuned?.shape[1] ?? 0, batch)).toBeCloseTo(loss, 5);

    const adapter = await goldenTensors(`${model}/adapter/adapter_model.safetensors`);
    const gradients = await goldenTensors(`${model}/gradients.safetensors`);
    expect([...gradients.keys()].toSorted()).toEqual([...adapter.keys()].toSorted());
    for (const [name, { shape }] of gradients) expect(shape).toEqual(adapter.get(name)?.shape);
    expect((await goldenAdapter(`${model}/adapter`)).modules.length * 2).toBe(adapter.size);
  });

  it("is a model folder whose files open", async () => {
    const files = goldenFolder(`${model}/model`);
    expect(files.paths).toContain("config.json");
    for (const path of files.paths) expect((await files.open(path)).size).toBeGreaterThan(10);
    await expect(files.open("absent.json")).rejects.toThrow(GoldenError);
  });
});

describe.each(["llama-tied/training", "llama-int4/training", "llama-tied/training-packed"])("%s", (path) => {
  it("has one log entry, one count and one list of micro-batches per step", async () => {
    const run = await goldenRun(path);
    expect(run.log.length).toBe(run.recipe.steps);
    expect(run.steps.length).toBe(run.recipe.steps);
    const counts = run.steps.map((step) =>
      step
        .map((micro) => goldenBatch(micro.flatMap((row) => run.rows[row] ?? [])).targets.length)
        .reduce((a, b) => a + b),
    );
    expect(counts).toEqual(run.countedTokens);
    const unpacked = path.replace("-packed", "");
    const initial = await goldenAdapter(`${unpacked}/initial`);
    const final = await goldenAdapter(`${unpacked}/initial`, `${path}/final.safetensors`);
    expect(final.modules.map(({ module }) => module)).toEqual(initial.modules.map(({ module }) => module));
    expect(final.modules.every(({ b }) => b.some((x) => x !== 0))).toBe(true);
    expect(initial.modules.every(({ b }) => b.every((x) => x === 0))).toBe(true);
  });
});

describe("the loader", () => {
  it("refuses a file that is not there", async () => {
    await expect(goldenJson("llama-tied/absent.json")).rejects.toThrow(/has no llama-tied\/absent.json/);
  });

  it("measures relative differences", () => {
    expect(relativeDifference([3, 4.5], [3, 4])).toBeCloseTo(0.1, 12);
    expect(relativeDifference([Number.NaN], [1])).toBeNaN();
    expect(() => relativeDifference([1], [1, 2])).toThrow(GoldenError);
  });
});

/** Mean over the targets. */
function crossEntropy(logits: Float32Array, vocabulary: number, batch: ReturnType<typeof goldenBatch>): number {
  let sum = 0;
  for (const [k, index] of batch.targetIndices.entries()) {
    const row = logits.subarray(index * vocabulary, (index + 1) * vocabulary);
    const target = row[batch.targets[k] ?? -1] ?? Number.NaN;
    sum += Math.log(row.reduce((total, x) => total + Math.exp(x), 0)) - target;
  }
  return sum / batch.targets.length;
}
