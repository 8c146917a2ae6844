/** Whole runs against TRL + PEFT: warm-up, cosine, clipping, accumulation and an epoch that ends in mid-accumulation. */
import { describe, expect, it } from "vitest";
import type { StepBatch } from "../../src/data/types";
import { DivergedError } from "../../src/training/errors";
import { TrainingSession } from "../../src/training/session";
import { train } from "../../src/training/trainer";
import { goldenAdapter, goldenBatch, goldenRun, relativeDifference } from "../support/golden";
import { testDevice } from "../support/gpu";
import { goldenModel, sizesOf } from "../support/model";

const device = await testDevice();

async function replay(model: string, run: string) {
  const loaded = await goldenModel(device, model);
  const { recipe, rows, steps, countedTokens, log } = await goldenRun(run);
  const batches = steps.map(
    (microBatches, step): StepBatch => ({
      step,
      epoch: 0,
      microBatches: microBatches.map((indices) => goldenBatch(indices.flatMap((index) => rows[index] ?? []))),
      countedTokens: countedTokens[step] ?? 0,
    }),
  );
  const session = await TrainingSession.create(
    device,
    loaded,
    recipe,
    sizesOf(batches.flatMap((batch) => batch.microBatches)),
  );
  session.load((await goldenAdapter(`${model}/training/initial`)).modules);
  return { loaded, recipe, batches, session, log };
}

describe.each([
  { model: "llama-tied", run: "llama-tied/training" },
  { model: "llama-int4", run: "llama-int4/training" },
  { model: "llama-tied", run: "llama-tied/training-packed" },
])("$run", ({ model, run }) => {
  it("logs TRL's losses, norms and rates and ends at its adapter, and makes no GPU object after the first step", async () => {
    const { loaded, recipe, batches, session, log } = await replay(model, run);
    const plan = { steps: batches.length, batches, heldOut: null };
    let worst = 0;
    let seen = 0;
    let counts = device.counts;
    for await (const event of train(session, recipe, plan, new AbortController().signal)) {
      if (event.kind !== "step") continue;
      const expected = log[seen];
      if (!expected) throw new DivergedError(event.step, event.learningRate);
      worst = Math.max(worst, Math.abs(event.loss - expected.loss) / expected.loss);
      expect(Math.abs(event.learningRate - expected.learningRate)).toBeLessThanOrEqual(1e-12);
      expect(Math.abs(event.gradientNorm - expected.gradNorm) / expected.gradNorm).toBeLessThanOrEqual(1e-3);
      seen += 1;
      if (seen === 1) counts = device.counts;
      else expect(device.counts).toEqual(counts);
    }
    expect(seen).toBe(log.length);
    const final = (await goldenAdapter(`${model}/training/initial`, `${run}/final.safetensors`)).modules;
    const flat = (modules: typeof final) =>
      [...modules].sort((x, y) => (x.module < y.module ? -1 : 1)).flatMap(({ a, b }) => [...a, ...b]);
    const difference = relativeDifference(flat(await session.matrices()), flat(final));
    console.log(
      `${run}: ${seen} steps, worst loss ${worst.toExponential(2)} relative, final adapter ‖Δ‖/‖ref‖ = ${difference.toExponential(2)}`,
    );
    expect(worst).toBeLessThanOrEqual(1e-4);
    expect(difference).toBeLessThanOrEqual(1e-3);
    session.destroy();
    loaded.destroy();
  });
});
