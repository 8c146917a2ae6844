/** Who has the GPU: one at a time, so all others wait. */
import type { ModelState } from "./model";
import { isRunning, type TrainingState } from "./training";
import type { TrialState } from "./trial";

export type GpuUser = "training" | "answering" | "checking";

interface Claims {
  readonly training: Pick<TrainingState, "phase">;
  readonly trial: Pick<TrialState, "running">;
  readonly model: Pick<ModelState, "selfCheck">;
}

export function gpuUser({ training, trial, model }: Claims): GpuUser | null {
  if (isRunning(training)) return "training";
  if (trial.running) return "answering";
  return model.selfCheck.state === "busy" ? "checking" : null;
}
