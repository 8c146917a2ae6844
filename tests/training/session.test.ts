/** What a run promises beyond its numbers: batch shapes do not matter, seeds repeat, memory is known, failure is caught. */
import { describe, expect, it } from "vitest";
import type { PackedBatch, StepBatch } from "../../src/data/types";
import { OutOfMemoryError } from "../../src/engine/errors";
import { DivergedError } from "../../src/training/errors";
import { Evaluator } from "../../src/training/evaluator";
import { type Recipe, recipeDefaults } from "../../src/training/recipe";
import { planMemory, type SessionSizes, TrainingSession } from "../../src/training/session";
import { train } from "../../src/training/trainer";
import { type GoldenRow, goldenBatch, goldenRun, relativeDifference } from "../support/golden";
import { testDevice } from "../support/gpu";
import { goldenModel, sizesOf } from "../support/model";
import { random } from "../support/random";

const device = await testDevice();
const model = await goldenModel(device, "llama-int4");
const { rows } = await goldenRun("llama-int4/training");
const recipe: Recipe = { ...recipeDefaults, rank: 4, alpha: 8, learningRate: 1e-2, warmupSteps: 0, steps: 4 };

const counted = (batches: readonly PackedBatch[]) => batches.reduce((sum, { targets }) => sum + targets.length, 0);

function stepOf(microRows: readonly (readonly GoldenRow[])[], step = 0): StepBatch {
  const microBatches = microRows.map((of) => goldenBatch(of));
  return { step, epoch: 0, microBatches, countedTokens: counted(microBatches) };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

const flat = (matrices: readonly { readonly a: Float32Array; readonly b: Float32Array }[]) =>
  matrices.flatMap(({ a, b }) => [...a, ...b]);

/** A start with B ≠ 0, so that every gradient is alive. */
async function started(sizes: SessionSizes, settings: Recipe = recipe): Promise<TrainingSession> {
  const session = await TrainingSession.create(device, model, settings, sizes);
  session.initialize(random(3).uniform);
  const source = random(4);
  session.load((await session.matrices()).map((entry) => ({ ...entry, b: entry.b.map(() => 0.03 * source.normal()) })));
  return session;
}

describe("a training session", () => {
  it("gives the same gradient for micro-batches 1×8, 2×4 and 8×1 of unequal rows", async () => {
    const eight = rows.slice(0, 8);
    expect(new Set(eight.map(({ input_ids }) => input_ids.length)).size).toBeGreaterThan(3);
    const all = [1, 2, 8].map((size) => stepOf(chunks(eight, size)));
    const gradients: number[][] = [];
    for (const step of all) {
      const session = await started(sizesOf(step.microBatches));
      await session.accumulate(step);
      gradients.push(flat(await session.gradients()));
      session.destroy();
    }
    const [one = [], two = [], eightAtOnce = []] = gradients;
    const differences = [relativeDifference(two, one), relativeDifference(eightAtOnce, one)];
    console.log(`accumulation: ‖Δ‖/‖ref‖ ${differences.map((value) => value.toExponential(2)).join(", ")}`);
    expect(Math.max(...differences)).toBeLessThanOrEqual(1e-5);
  });

  it("repeats a run byte for byte from the same seed, dropout included", async () => {
    const steps = [0, 1, 2].map((step) => stepOf(chunks(rows.slice(4 * step, 4 * step + 4), 2), step));
    const settings = { ...recipe, dropout: 0.2 };
    const run = async (seed: number) => {
      const session = await TrainingSession.create(
        device,
        model,
        { ...settings, seed },
        sizesOf(steps.flatMap((step) => step.microBatches)),
      );
      session.initialize(random(seed).uniform);
      for (const step of steps) await session.step(step, 1e-2);
      const values = flat(await session.matrices());
      session.destroy();
      return values;
    };
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  it("allocates exactly the bytes that the plan names, and frees them", async () => {
    const step = stepOf(chunks(rows.slice(0, 6), 3));
    const sizes = sizesOf(step.microBatches);
    const before = device.allocatedBytes;
    const plan = planMemory(device, model, recipe, sizes);
    expect(device.allocatedBytes).toBe(before);
    expect(plan.weights).toBe(model.bytes);
    expect(plan.weights + plan.adapter + plan.activations + plan.loss + plan.other).toBe(plan.total);
    const session = await started(sizes);
    expect(device.allocatedBytes - before).toBe(plan.total - plan.weights);
    await session.step(step, 1e-3);
    expect(device.allocatedBytes - before).toBe(plan.total - plan.weights);
    session.destroy();
    expect(device.allocatedBytes).toBe(before);
  });

  it("tells the loss apart: it grows with the counted tokens, never beyond what they and a chunk of logits take", () => {
    const { maxTokens, maxSegment } = sizesOf(stepOf([rows.slice(0, 8)]).microBatches);
    const { config, output } = model;
    const plans = [8, 64, 256].map((maxTargets) => {
      const plan = planMemory(device, model, recipe, {
        maxTokens: 512,
        maxTargets,
        maxSegment: Math.min(maxSegment, maxTokens),
      });
      // Rows of up to 64 tokens' logits; hidden states of the counted tokens, their gradient and their losses.
      const chunk = 4 * Math.min(64, maxTargets) * (4 * Math.ceil(output.rows / 4));
      const most = chunk + 2 * 4 * maxTargets * config.hiddenSize + 4 * maxTargets;
      console.log(
        `loss: ${plan.loss} of at most ${most} bytes with ${maxTargets} counted tokens, activations ${plan.activations}`,
      );
      // Slots are multiples of 256 bytes.
      expect(plan.loss).toBeLessThanOrEqual(most + 4 * 256);
      return plan;
    });
    const [few, some, many] = plans;
    expect(few?.loss).toBeGreaterThan(0);
    expect(some?.loss).toBeGreaterThan(few?.loss ?? 0);
    expect(many?.loss).toBeGreaterThan(some?.loss ?? 0);
    // Without the loss the network is the same, however many of its tokens count.
    expect(new Set(plans.map(({ activations }) => activations)).size).toBe(1);
  });

  it("frees everything when it cannot be made", async () => {
    const before = device.allocatedBytes;
    const sizes = sizesOf(stepOf([rows.slice(0, 2)]).microBatches);
    const limit = device.gpu.limits.maxStorageBufferBindingSize;
    // The embedded tables fit, the activations of so many tokens do not.
    const tooMany = { ...sizes, maxTokens: Math.ceil(limit / 256) };
    await expect(TrainingSession.create(device, model, recipe, tooMany)).rejects.toThrow(OutOfMemoryError);
    expect(device.allocatedBytes).toBe(before);
    await expect(Evaluator.create(device, model, null, tooMany)).rejects.toThrow(OutOfMemoryError);
    expect(device.allocatedBytes).toBe(before);
  });

  it("gives the same bits with gradient checkpointing, in less memory", async () => {
    const step = stepOf(chunks(rows.slice(0, 8), 4));
    const sizes = sizesOf(step.microBatches);
    const checkpointed = { ...recipe, dropout: 0.1, gradientCheckpointing: true };
    const plain = { ...checkpointed, gradientCheckpointing: false };
    const results: number[][] = [];
    for (const settings of [plain, checkpointed]) {
      const session = await started(sizes, settings);
      await session.accumulate(step);
      results.push(flat(await session.gradients()));
      session.destroy();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[0]?.some((value) => value !== 0)).toBe(true);
    const [full, less] = [plain, checkpointed].map((settings) => planMemory(device, model, settings, sizes));
    console.log(`activations: ${full?.activations} bytes, with checkpointing ${less?.activations}`);
    expect(less?.activations).toBeLessThan(full?.activations ?? 0);
  });

  it("replays shorter batches through the same pipelines", async () => {
    const long = stepOf([rows.slice(0, 8)]);
    const session = await started(sizesOf(long.microBatches));
    await session.step(long, 0);
    const before = device.counts;
    const short = stepOf([rows.slice(8, 9)], 1);
    const { loss } = await session.step(short, 0);
    expect(device.counts).toEqual(before);
    const alone = await started(sizesOf(short.microBatches));
    const exact = await alone.step(short, 0);
    expect(Math.abs(loss - exact.loss)).toBeLessThanOrEqual(1e-5 * exact.loss);
    session.destroy();
    alone.destroy();
  });

  it("gives the same loss through the evaluator, and the base model's at strength 0", async () => {
    const batches = [goldenBatch(rows.slice(0, 3)), goldenBatch(rows.slice(3, 5))];
    const session = await started(sizesOf(batches));
    const tuned = await session.evaluate(batches);
    const base = await session.evaluate(batches, { strength: 0 });
    const evaluator = await Evaluator.create(device, model, null, sizesOf(batches));
    const plain = await evaluator.measure(batches);
    expect(tuned.countedTokens).toBe(counted(batches));
    expect(Math.abs(plain.loss - base.loss)).toBeLessThanOrEqual(1e-6 * base.loss);
    expect(Math.abs(tuned.loss - base.loss)).toBeGreaterThan(1e-3);
    evaluator.destroy();
    session.destroy();
  });

  it("stops at the first step that is not a number and keeps the adapter as it was", async () => {
    const step = stepOf([rows.slice(0, 2)]);
    const session = await started(sizesOf(step.microBatches));
    const poisoned = (await session.matrices()).map((entry, index) =>
      index === 0 ? { ...entry, a: entry.a.map((value, at) => (at === 5 ? Number.NaN : value)) } : entry,
    );
    session.load(poisoned);
    const before = await session.matrices();
    const events = train(session, recipe, { steps: 1, batches: [step], heldOut: null }, new AbortController().signal);
    await expect(events.next()).rejects.toThrow(DivergedError);
    expect(flat(await session.matrices())).toEqual(flat(before));
    session.destroy();
  });

  it("ends after the step under way when stopped, without another held-out pass", async () => {
    const steps = [0, 1, 2, 3].map((step) => stepOf([rows.slice(2 * step, 2 * step + 2)], step));
    const heldOut = [goldenBatch(rows.slice(20, 22))];
    const session = await started(sizesOf([...steps.flatMap((step) => step.microBatches), ...heldOut]));
    const controller = new AbortController();
    const seen: string[] = [];
    for await (const event of train(session, recipe, { steps: 4, batches: steps, heldOut }, controller.signal)) {
      seen.push(`${event.kind} ${event.step}`);
      if (event.kind === "step" && event.step === 2) controller.abort();
    }
    expect(seen).toEqual(["eval 0", "step 1", "step 2"]);
    const none = train(session, recipe, { steps: 4, batches: steps, heldOut }, AbortSignal.abort());
    expect((await none.next()).done).toBe(true);
    session.destroy();
  });
});
