/** Who has the GPU: one at a time, so all others wait. */
import type { GpuUser } from "./gpu-user";
import type { ModelState } from "./model";
import type { RowLossesState } from "./row-losses";
import { isRunning, type TrainingState } from "./training";
import type { TrialState } from "./trial";

interface Claims {
  readonly training: Pick<TrainingState, "phase">;
  readonly trial: Pick<TrialState, "running">;
  readonly rowLosses: Pick<RowLossesState, "phase">;
  readonly model: Pick<ModelState, "selfCheck">;
}

export function gpuUser({ training, trial, rowLosses, model }: Claims): GpuUser | null {
  if (isRunning(training)) return "training";
  if (trial.running) return "answering";
  if (rowLosses.phase === "measuring") return "measuring";
  return model.selfCheck.state === "busy" ? "checking" : null;
}
