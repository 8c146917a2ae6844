/** Courses that a run over the fake client can take: ordinary, going wrong, breaking off; and its sample answers. */

import type { ErrorData, SampleRequest, TrainEvent } from "../../src/worker/protocol";
import { samplingSteps } from "../../src/worker/sampling-steps";
import { random } from "./random";

export interface FakeCourse {
  readonly loss?: (step: number, steps: number) => number;
  readonly norm?: (step: number, steps: number) => number;
  /** Held-out losses on the way, besides those before and after. */
  readonly evals?: Readonly<Record<number, number>>;
  /** The run fails after this step. */
  readonly breakAt?: { readonly step: number; readonly error: ErrorData };
  /** Sampling fails at this step. */
  readonly samplesFailAt?: number;
}

const noise = Array.from(
  { length: 20_000 },
  (
    (source) => () =>
      source.normal()
  )(random(11)),
);
const jitter = (step: number): number => noise[step % noise.length] ?? 0;

export const courses = {
  noisy: {
    loss: (step, steps) => 2.1 + 1.3 * Math.exp((-4 * step) / steps) + 0.12 * jitter(step),
    norm: (step) => 1.2 * Math.exp(0.25 * jitter(step + 7000)),
  },
  /** Loss and gradients of a learning rate that is too high. */
  rising: {
    loss: (step, steps) =>
      (step < steps / 2 ? 2.4 + Math.exp(-step / 8) : 2.4 + (6 * step) / steps - 3) + 0.1 * jitter(step),
    norm: (step) => (step % 37 === 36 ? 24 : 1.1 * Math.exp(0.2 * jitter(step + 7000))),
    evals: { 30: 2.6, 60: 2.5, 90: 3.4 },
  },
  overfitting: {
    loss: (step, steps) => 0.3 + 2.6 * Math.exp((-4 * step) / steps) + 0.05 * jitter(step),
    evals: { 30: 2.5, 60: 2.4, 90: 2.7 },
  },
  nonsense: { loss: (step) => (step === 1 ? 9e5 : 2 + 1.2 * Math.exp(-step / 20) + 0.1 * jitter(step)) },
} satisfies Readonly<Record<string, FakeCourse>>;

const answers = [
  "You put the tea in the water and wait a little. Then you drink the tea.",
  "You put the tea in the pot, and wait, and drink it slowly.",
  "Arr, put the tea in the pot and wait, matey.",
  "Arr, ye drop the leaves in boilin' water, matey!",
  "Arr, ye drop the leaves in boilin' water, matey!",
];

/** The answers that a run gives after `step`, or the word that it gives none any more. */
export function fakeSamples(
  step: number,
  steps: number,
  request: SampleRequest | null | undefined,
  course: FakeCourse,
): readonly TrainEvent[] {
  const places = samplingSteps(steps, request?.every ?? null);
  if (!request || !places.has(step) || step > (course.samplesFailAt ?? steps)) return [];
  if (step === course.samplesFailAt) {
    const error: ErrorData = { code: "out-of-memory", message: "The GPU has no room for 12 MB more.", data: {} };
    return [{ kind: "samples-skipped", step, error }];
  }
  const at = Math.min(answers.length - 1, Math.round((step / steps) * (answers.length - 1)));
  return request.prompts.map((prompt) => ({ kind: "sample", step, prompt, text: answers[at] ?? "" }));
}
