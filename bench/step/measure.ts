/** One LoRA training step, measured: runs wherever there is a GPUDevice, in a page or in Node. */
import { makePackedBatch } from "../../src/data/packed-batch";
import type { StepBatch } from "../../src/data/types";
import { openDevice } from "../../src/engine/device";
import type { KernelTime } from "../../src/engine/program";
import { readBlueprint } from "../../src/model/blueprint";
import { loadModel } from "../../src/model/load";
import { openWeights } from "../../src/model/weights/registry";
import type { ModelFiles } from "../../src/model/weights/types";
import { defaultLearningRate, recipeDefaults } from "../../src/training/recipe";
import { TrainingSession } from "../../src/training/session";

export interface MeasureOptions {
  /** Tokens of the one document of the micro-batch; every token but the first carries loss. */
  readonly tokens: number;
  readonly rank: number;
  /** Steps that count; two more run before them. */
  readonly steps: number;
  readonly profile: boolean;
  readonly gradientCheckpointing: boolean;
}

export interface Measurement {
  readonly device: string;
  readonly model: string;
  readonly parameters: number;
  readonly tokens: number;
  readonly rank: number;
  /** Wall time of each step, loss read back: milliseconds. */
  readonly milliseconds: readonly number[];
  /** Arithmetic of one micro-batch's forward and backward, a multiply-add counted as two. */
  readonly flops: number;
  readonly dispatches: number;
  /** Bytes of every tensor that the dispatches bind. */
  readonly bytes: number;
  /** GPU bytes of the run, weights included. */
  readonly memory: number;
  /** From the start of compiling to the first finished step. */
  readonly firstStepMilliseconds: number;
  readonly kernels: readonly KernelTime[];
}

export async function measureStep(gpu: GPU, files: ModelFiles, options: MeasureOptions): Promise<Measurement> {
  const device = await openDevice(gpu);
  const blueprint = await readBlueprint(files);
  const { config } = blueprint;
  const model = await loadModel(device, blueprint, await openWeights(files, blueprint.tensors));
  const { tokens, rank, steps } = options;
  const ids = Uint32Array.from({ length: tokens }, (_, index) => (index * 7919 + 13) % config.vocabSize);
  const counted = new Uint8Array(tokens).fill(1, 1);
  const batch = makePackedBatch([{ origin: { file: "", line: 1 }, ids, counted, truncated: 0 }]);
  const { gradientCheckpointing } = options;
  const learningRate = defaultLearningRate(config.hiddenSize);
  const recipe = { ...recipeDefaults, rank, alpha: 2 * rank, learningRate, gradientCheckpointing };
  const step: StepBatch = { step: 0, epoch: 0, microBatches: [batch], countedTokens: tokens - 1 };

  const start = performance.now();
  const sizes = { maxTokens: tokens, maxTargets: tokens - 1, maxSegment: tokens };
  const session = await TrainingSession.create(device, model, recipe, sizes);
  let state = 1;
  session.initialize(() => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  });
  await session.step(step, recipe.learningRate);
  const firstStepMilliseconds = performance.now() - start;
  await session.step(step, recipe.learningRate);
  const milliseconds: number[] = [];
  for (let index = 0; index < steps; index += 1) {
    const before = performance.now();
    await session.step(step, recipe.learningRate);
    milliseconds.push(performance.now() - before);
  }
  const { flops, dispatches, bytes } = session.cost(batch);
  const timed = options.profile && device.description.features.includes("timestamp-query");
  const kernels = timed ? await session.profile(batch) : [];
  const result: Measurement = {
    device: device.description.name,
    model: files.name,
    parameters: model.parameters,
    tokens,
    rank,
    milliseconds,
    flops,
    dispatches,
    bytes,
    memory: session.memory.total,
    firstStepMilliseconds,
    kernels,
  };
  session.destroy();
  device.destroy();
  return result;
}
