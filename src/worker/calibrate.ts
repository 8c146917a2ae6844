/** How fast a run would go, measured: a session with the run's own sizes takes two or three real steps and is thrown away. */
import { type Dataset, heldOutBatches, planTraining } from "../data/dataset";
import type { StepBatch } from "../data/types";
import type { Recipe } from "../training/recipe";
import { TrainingSession } from "../training/session";
import { StudioError } from "./errors";
import type { OpenModel } from "./model-slot";
import type { Calls, ProgressEvent } from "./protocol";
import { seededUniform } from "./random";
import { largerSizes } from "./run-input";

/** Steps whose times differ by more than this factor are followed by a third. */
const muchDiffer = 1.5;

/** What was looked at last, as a run would take it. */
export interface MeasuredData {
  readonly dataset: Dataset;
  /** Problems whose rows are left out. */
  readonly skip: readonly string[];
}

/** An abort is heard between two steps. Throws `OutOfMemoryError`, `DataError` and the signal's reason. */
export async function calibrate(
  { device, model }: OpenModel,
  { dataset, skip }: MeasuredData,
  recipe: Recipe,
  emit: (event: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<Calls["calibrate"]["out"]> {
  const plan = planTraining(dataset, recipe, skip);
  const batches = await firstSteps(plan.batches(), Math.min(3, plan.steps));
  const [first] = batches;
  if (!first) {
    throw new StudioError("bad-input", `${dataset.name} gives no step to measure; choose data with rows to learn.`);
  }
  const sizes = largerSizes(plan, heldOutBatches(dataset, plan.maxTokens));
  signal.throwIfAborted();
  const session = await TrainingSession.create(device, model, recipe, sizes, (done, total) =>
    emit({ phase: "compiling shaders", done, total }),
  );
  try {
    session.initialize(seededUniform(recipe.seed));
    const times: number[] = [];
    // A short run repeats its steps: only their time is asked for. The first one still compiles, so it never counts alone.
    const taken = (step: number): StepBatch => batches[step % batches.length] ?? first;
    const time = async (step: number): Promise<void> => {
      signal.throwIfAborted();
      const start = performance.now();
      await session.step(taken(step), recipe.learningRate);
      times.push((performance.now() - start) / tokensOf(taken(step)));
      emit({ phase: "measuring the speed", done: times.length, total: Math.max(2, times.length) });
    };
    await time(0);
    await time(1);
    const [cold = 0, warm = 0] = times;
    if (Math.max(cold, warm) > muchDiffer * Math.min(cold, warm)) await time(2);
    signal.throwIfAborted();
    const millisecondsPerToken = times.at(-1) ?? warm;
    return {
      millisecondsPerStep: (millisecondsPerToken * dataset.figures.tokens) / plan.stepsPerEpoch,
      tokensPerSecond: 1000 / millisecondsPerToken,
      steps: plan.steps,
    };
  } finally {
    session.destroy();
  }
}

const tokensOf = ({ microBatches }: StepBatch): number => microBatches.reduce((sum, { ids }) => sum + ids.length, 0);

async function firstSteps(steps: AsyncGenerator<StepBatch, void>, count: number): Promise<StepBatch[]> {
  const taken: StepBatch[] = [];
  for await (const step of steps) {
    taken.push(step);
    if (taken.length >= count) break;
  }
  return taken;
}

/** The measurement under way. Whoever else wants the GPU ends it; it comes and goes unasked. */
export class Calibration {
  #under: { readonly controller: AbortController; readonly ended: Promise<unknown> } | null = null;

  /** Runs `work` with a signal that `giveWay` aborts too; a measurement before it is ended first. */
  async run<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#under) await this.giveWay();
    const controller = new AbortController();
    const measured = work(AbortSignal.any([signal, controller.signal]));
    const under = { controller, ended: measured };
    this.#under = under;
    try {
      return await measured;
    } finally {
      if (this.#under === under) this.#under = null;
    }
  }

  /** Ends after the step under way. */
  async giveWay(): Promise<void> {
    while (this.#under) {
      const { controller, ended } = this.#under;
      controller.abort(new StudioError("aborted", "The measurement gave way to other work on the GPU."));
      await ended.catch(() => undefined);
    }
  }
}
