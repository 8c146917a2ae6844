/** The run under way or just ended. Its settings are frozen here at the start: the form may change, the run does not. */
import { createStore } from "zustand/vanilla";
import type { Recipe } from "../../training/recipe";
import type { ErrorData, MemoryPlan, ProgressEvent, RunId, RunSummary, TrainEvent } from "../../worker/protocol";
import { strings } from "../strings";

export type TrainingPhase = "idle" | "preparing" | "training" | "stopping" | "finished" | "stopped" | "failed";

/** An answer of the model in the middle of the run. */
export interface Sample {
  readonly step: number;
  readonly prompt: string;
  readonly text: string;
}

export interface TrainingState {
  readonly phase: TrainingPhase;
  readonly recipe: Recipe | null;
  readonly dataset: string;
  readonly run: RunId | null;
  readonly progress: ProgressEvent | null;
  readonly steps: number;
  readonly step: number;
  readonly epoch: number;
  readonly losses: readonly number[];
  /** By step, as `losses`. */
  readonly rates: readonly number[];
  readonly norms: readonly number[];
  readonly speeds: readonly number[];
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly tokensPerSecond: number;
  readonly millisecondsPerStep: number;
  /** Held-out losses by step. */
  readonly evals: readonly { readonly step: number; readonly loss: number }[];
  readonly samples: readonly Sample[];
  /** Why no more samples are taken. */
  readonly samplesSkipped: ErrorData | null;
  readonly memory: MemoryPlan | null;
  /** `Date.now()` at the start and, once it ended, at the end. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly summary: RunSummary | null;
  readonly error: ErrorData | null;
  /** Why the last start was refused; the run before it, told in the other fields, still stands. */
  readonly refused: ErrorData | null;
}

/** What charts and table show. */
export type RunNumbers = Pick<TrainingState, "losses" | "rates" | "norms" | "speeds" | "evals" | "steps">;

export const noTraining: TrainingState = {
  phase: "idle",
  recipe: null,
  dataset: "",
  run: null,
  progress: null,
  steps: 0,
  step: 0,
  epoch: 0,
  losses: [],
  rates: [],
  norms: [],
  speeds: [],
  learningRate: 0,
  gradientNorm: 0,
  tokensPerSecond: 0,
  millisecondsPerStep: 0,
  evals: [],
  samples: [],
  samplesSkipped: null,
  memory: null,
  startedAt: 0,
  endedAt: null,
  summary: null,
  error: null,
  refused: null,
};

export const createTrainingStore = () => createStore<TrainingState>(() => noTraining);

export const isRunning = ({ phase }: Pick<TrainingState, "phase">): boolean =>
  phase === "preparing" || phase === "training" || phase === "stopping";

/** The name of the phase; a run that was stopped before its first step kept nothing. */
export const phaseName = ({ phase, summary }: Pick<TrainingState, "phase" | "summary">): string => {
  if (phase === "idle") return "";
  return phase === "stopped" && summary === null ? strings.train.stoppedEmpty : strings.train.phase[phase];
};

/** Speeds are smoothed over about this many steps: a single step says little. */
const window = 10;

/** The state after a batch of events: one store update, and so one drawing, however many steps came in. */
export function applyEvents(state: TrainingState, events: readonly TrainEvent[]): TrainingState {
  let next = state;
  const losses: number[] = [];
  const rates: number[] = [];
  const norms: number[] = [];
  const speeds: number[] = [];
  for (const event of events) {
    switch (event.kind) {
      case "progress":
        next = { ...next, progress: event.progress };
        break;
      case "start":
        next = {
          ...next,
          phase: next.phase === "stopping" ? "stopping" : "training",
          run: event.run,
          steps: event.steps,
          memory: event.memory,
          progress: null,
        };
        break;
      case "step": {
        const first = next.millisecondsPerStep === 0;
        const keep = first ? 0 : 1 - 1 / window;
        const speed = event.milliseconds > 0 ? (1000 * event.tokens) / event.milliseconds : 0;
        losses.push(event.loss);
        rates.push(event.learningRate);
        norms.push(event.gradientNorm);
        speeds.push(speed);
        next = {
          ...next,
          progress: null,
          step: event.step,
          steps: event.steps,
          epoch: event.epoch,
          learningRate: event.learningRate,
          gradientNorm: event.gradientNorm,
          millisecondsPerStep: keep * next.millisecondsPerStep + (1 - keep) * event.milliseconds,
          tokensPerSecond: keep * next.tokensPerSecond + (1 - keep) * speed,
        };
        break;
      }
      case "eval":
        next = { ...next, evals: [...next.evals, { step: event.step, loss: event.loss }] };
        break;
      case "sample":
        next = {
          ...next,
          samples: [...next.samples, { step: event.step, prompt: event.prompt, text: event.text }],
        };
        break;
      case "samples-skipped":
        next = { ...next, samplesSkipped: event.error };
        break;
      default:
        event satisfies never;
    }
  }
  if (losses.length === 0) return next;
  return {
    ...next,
    losses: [...next.losses, ...losses],
    rates: [...next.rates, ...rates],
    norms: [...next.norms, ...norms],
    speeds: [...next.speeds, ...speeds],
  };
}
