/** Learning-rate schedules as in transformers' `get_scheduler`: the factor for the step after `finished` steps. */
import type { Schedule } from "./recipe";

/**
 * Warm-up counts finished steps, so the first step of a warm-up has rate 0. `total` is the run's number of optimizer
 * steps. Source: transformers/optimization.py (linear, cosine with half a period, constant with warm-up).
 */
export function scheduleFactor(schedule: Schedule, finished: number, warmupSteps: number, total: number): number {
  if (finished < warmupSteps) return finished / Math.max(1, warmupSteps);
  const progress = (finished - warmupSteps) / Math.max(1, total - warmupSteps);
  switch (schedule) {
    case "constant":
      return 1;
    case "linear":
      return Math.max(0, 1 - progress);
    case "cosine":
      return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
    default:
      return schedule satisfies never;
  }
}
