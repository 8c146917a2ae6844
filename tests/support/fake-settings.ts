/** What the fake client answers about settings: sizes of modules, a speed, and a memory plan that follows the recipe. */
import type { Recipe } from "../../src/training/recipe";
import { StudioError } from "../../src/worker/errors";
import type { CallOptions, Calls, MemoryPlan, TargetModule } from "../../src/worker/protocol";

/** As a model of four blocks, 256 wide, would have them. */
export const fakeModules: readonly TargetModule[] = [
  ["q_proj", 256, 256],
  ["k_proj", 64, 256],
  ["v_proj", 64, 256],
  ["o_proj", 256, 256],
  ["gate_proj", 688, 256],
  ["up_proj", 688, 256],
  ["down_proj", 256, 688],
].map(([module, rows, columns]) => ({
  module: String(module),
  matrices: 4,
  parameters: 4 * Number(rows) * Number(columns),
  perRank: 4 * (Number(rows) + Number(columns)),
}));

/** In round numbers: the sample's run takes 24,645,678 bytes. */
export function fakePlan({ rank, maxLength, batchSize, gradientCheckpointing, pack }: Recipe): MemoryPlan {
  const rows = (Math.min(maxLength, 512) / 512) * batchSize * (pack ? 1 : 0.9);
  const plan = {
    weights: 2_345_678,
    adapter: 50_000 * rank,
    activations: Math.round(20_000_000 * rows * (gradientCheckpointing ? 0.4 : 1)),
    loss: Math.round(1_000_000 * rows),
    other: 900_000,
  };
  return {
    ...plan,
    total: plan.weights + plan.adapter + plan.activations + plan.loss + plan.other,
    largestBuffer: plan.activations,
  };
}

export interface FakeCalibration {
  /** Waits after the first step until it is cancelled. */
  readonly holdMeasuring?: boolean;
}

export async function fakeCalibrate(
  { holdMeasuring = false }: FakeCalibration,
  { onEvent, signal }: CallOptions<"calibrate">,
  pause: () => Promise<void>,
): Promise<Calls["calibrate"]["out"]> {
  onEvent?.({ phase: "compiling shaders", done: 17, total: 17 });
  await pause();
  onEvent?.({ phase: "measuring the speed", done: 1, total: 2 });
  if (holdMeasuring) await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
  await pause();
  if (signal?.aborted === true) throw new StudioError("aborted", "Stopped before there was anything to keep.");
  return { millisecondsPerStep: 4200, tokensPerSecond: 113, steps: 30 };
}
