/** The training loop as a stream of events: it neither stores nor posts anything. */
import type { StepBatch } from "../data/types";
import { DivergedError } from "./errors";
import type { Batches } from "./loss";
import type { Recipe } from "./recipe";
import { scheduleFactor } from "./schedule";
import type { TrainingSession } from "./session";

export interface StepEvent {
  readonly kind: "step";
  /** 1-based. */
  readonly step: number;
  readonly steps: number;
  /** Epochs finished after this step. */
  readonly epoch: number;
  /** Mean cross-entropy in nats over the step's counted tokens. */
  readonly loss: number;
  readonly learningRate: number;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
  /** Tokens that went through the network. */
  readonly tokens: number;
  readonly countedTokens: number;
  readonly milliseconds: number;
}

export interface EvalEvent {
  readonly kind: "eval";
  /** Steps finished. */
  readonly step: number;
  readonly loss: number;
  readonly countedTokens: number;
}

export interface TrainingPlan {
  readonly steps: number;
  readonly batches: AsyncIterable<StepBatch> | Iterable<StepBatch>;
  /** Held-out batches, visited before the first step and after the last; null without held-out data. */
  readonly heldOut: Batches | null;
}

/**
 * Runs the plan. An aborted `signal` ends the loop after the step under way; before the first step it ends at once, and a
 * run that was stopped goes without the last held-out pass.
 * Throws `DivergedError` at the first loss or gradient norm that is not finite; the session then holds the last good step.
 */
export async function* train(
  session: TrainingSession,
  recipe: Recipe,
  plan: TrainingPlan,
  signal: AbortSignal,
): AsyncGenerator<StepEvent | EvalEvent, void> {
  const evaluate = async function* (step: number): AsyncGenerator<EvalEvent, void> {
    if (!plan.heldOut || signal.aborted) return;
    try {
      yield { kind: "eval", step, ...(await session.evaluate(plan.heldOut, { signal })) };
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  yield* evaluate(0);
  let finished = 0;
  for await (const batch of plan.batches) {
    if (signal.aborted) break;
    const start = performance.now();
    const learningRate =
      recipe.learningRate * scheduleFactor(recipe.schedule, finished, recipe.warmupSteps, plan.steps);
    const { loss, gradientNorm } = await session.step(batch, learningRate);
    finished += 1;
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm))
      throw new DivergedError(finished, recipe.learningRate);
    yield {
      kind: "step",
      step: finished,
      steps: plan.steps,
      epoch: batch.epoch,
      loss,
      learningRate,
      gradientNorm,
      tokens: batch.microBatches.reduce((sum, micro) => sum + micro.ids.length, 0),
      countedTokens: batch.countedTokens,
      milliseconds: performance.now() - start,
    };
  }
  yield* evaluate(finished);
}
