/** Every architecture against PyTorch in float64: logits, loss and the gradient of every A and B; packed and not, cached and not. */
import { describe, expect, it } from "vitest";
import type { StepBatch } from "../../src/data/types";
import { Decoder } from "../../src/model/generation/decoder";
import type { LoraMatrices } from "../../src/model/lora";
import { adapterScale } from "../../src/training/adapter";
import { recipeDefaults } from "../../src/training/recipe";
import { TrainingSession } from "../../src/training/session";
import { goldenAdapter, goldenBatch, goldenReference, goldenTensors, relativeDifference } from "../support/golden";
import { testDevice } from "../support/gpu";
import { goldenModel, sizesOf } from "../support/model";

const device = await testDevice();

/** Golden folders, and what ‖Δ‖/‖ref‖ their logits may have. */
const models = [
  { name: "llama-tied", logits: 1e-5 },
  { name: "llama-untied", logits: 1e-5 },
  { name: "llama-int4", logits: 1e-4 },
  { name: "llama3-rope", logits: 1e-5 },
  { name: "llama-linear-rope", logits: 1e-5 },
  { name: "llama-yarn", logits: 1e-5 },
  { name: "mistral", logits: 1e-5 },
  { name: "qwen2", logits: 1e-5 },
  { name: "qwen3", logits: 1e-5 },
  { name: "gemma3", logits: 1e-5 },
  { name: "gpt2", logits: 1e-5 },
  { name: "gpt-neox", logits: 1e-5 },
  { name: "gpt-neox-serial", logits: 1e-5 },
  { name: "phi3", logits: 1e-5 },
  { name: "phi3-partial", logits: 1e-5 },
] as const;

const peftName = (module: string, part: "A" | "B") => `base_model.model.${module}.lora_${part}.weight`;

describe.each(models)("$name", ({ name, logits: tolerance }) => {
  it("gives PyTorch's logits, base and tuned", async () => {
    const model = await goldenModel(device, name);
    const { rows } = await goldenReference(name);
    const expected = await goldenTensors(`${name}/logits.safetensors`);
    const { config, modules } = await goldenAdapter(`${name}/adapter`);
    for (const [which, strength] of [
      ["base", 0],
      ["tuned", 1],
    ] as const) {
      const all: number[] = [];
      for (const { input_ids } of rows) {
        const decoder = await Decoder.create(device, model, {
          capacity: input_ids.length,
          adapter: { ...config, scale: adapterScale(config), matrices: modules },
        });
        for (const value of await decoder.appendAll(input_ids, strength)) all.push(value);
        decoder.destroy();
      }
      const difference = relativeDifference(all, expected.get(which)?.data ?? []);
      console.log(`${name} ${which} logits ‖Δ‖/‖ref‖ = ${difference.toExponential(2)}`);
      expect(difference).toBeLessThanOrEqual(tolerance);
    }
    model.destroy();
  });

  it("decodes token by token what it computes at once", async () => {
    const model = await goldenModel(device, name);
    const { rows } = await goldenReference(name);
    const { config, modules } = await goldenAdapter(`${name}/adapter`);
    const ids = rows.reduce<readonly number[]>(
      (longest, row) => (row.input_ids.length > longest.length ? row.input_ids : longest),
      [],
    );
    const adapter = { ...config, scale: adapterScale(config), matrices: modules };
    const whole = await Decoder.create(device, model, { capacity: ids.length, adapter });
    const expected = await whole.appendAll(ids, 1);
    whole.destroy();
    const stepwise = await Decoder.create(device, model, { capacity: ids.length, adapter });
    const actual: number[] = [];
    for (const id of ids) for (const value of await stepwise.append([id], 1)) actual.push(value);
    stepwise.destroy();
    model.destroy();
    expect(relativeDifference(actual, expected)).toBeLessThanOrEqual(1e-5);
  });

  it.each(["packed", "unpacked"] as const)("gives PyTorch's loss and gradients, rows %s", async (layout) => {
    const model = await goldenModel(device, name);
    const { rows, countedTokens, loss } = await goldenReference(name);
    const expected = await goldenTensors(`${name}/gradients.safetensors`);
    const { config, modules } = await goldenAdapter(`${name}/adapter`);
    const microBatches = layout === "packed" ? [goldenBatch(rows)] : rows.map((row) => goldenBatch([row]));
    const recipe = { ...recipeDefaults, ...config, learningRate: 1e-3 };
    const session = await TrainingSession.create(device, model, recipe, sizesOf(microBatches));
    session.load(modules);
    const batch: StepBatch = { step: 0, epoch: 1, microBatches, countedTokens };
    const evaluated = await session.evaluate(microBatches);
    expect(Math.abs(evaluated.loss - loss) / loss).toBeLessThanOrEqual(1e-5);
    await session.accumulate(batch);
    const worst = compareGradients(await session.gradients(), expected);
    console.log(
      `${name} ${layout}: loss Δ ${(evaluated.loss - loss).toExponential(2)}, worst gradient ‖Δ‖/‖ref‖ = ${worst.toExponential(2)}`,
    );
    expect(worst).toBeLessThanOrEqual(1e-4);
    session.destroy();
    model.destroy();
  });
});

/** The largest ‖Δ‖/‖ref‖ over all A and B; every golden tensor must be there. */
function compareGradients(
  actual: readonly LoraMatrices[],
  expected: ReadonlyMap<string, { readonly data: Float32Array }>,
): number {
  expect(2 * actual.length).toBe(expected.size);
  const differences = actual.flatMap(({ module, a, b }) => [
    relativeDifference(a, expected.get(peftName(module, "A"))?.data ?? []),
    relativeDifference(b, expected.get(peftName(module, "B"))?.data ?? []),
  ]);
  return Math.max(...differences);
}
