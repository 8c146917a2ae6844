/** One AdamW step (Loshchilov & Hutter 2019) over flat buffers, clipped by the norm that `gradient-norm` left. */
import source from "../../shaders/adamw.wgsl?raw";
import { type RuntimeScalar, boundValue as valueAt } from "../engine/dims";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { foldedGrid } from "./lib/grid";

const update = kernel({
  name: "adamw.update",
  source,
  entry: "update",
  reads: { statistics: ["*"] },
  writes: { parameters: ["count"], gradients: ["count"], exp_avg: ["count"], exp_avg_sq: ["count"] },
  params: [
    "norm_index",
    "zero_gradients",
    "max_norm",
    "step_size",
    "decay",
    "one_minus_beta1",
    "beta2",
    "one_minus_beta2",
    "bias_correction2_sqrt",
    "eps",
  ],
  overrides: { WORKGROUP: 64 },
  grid: ({ count = 0 }, { WORKGROUP = 1 }) => foldedGrid(Math.ceil(count / WORKGROUP)),
});

/** f32[count] each, all updated in place. */
export interface AdamWBuffers {
  readonly parameters: Tensor;
  readonly gradients: Tensor;
  /** First and second moments; zeros at the start. */
  readonly exp_avg: Tensor;
  readonly exp_avg_sq: Tensor;
}

/** Names and meanings of torch.optim.AdamW. */
export interface AdamWOptions {
  readonly lr: RuntimeScalar | number;
  /** t, the number of this step, from 1 on. */
  readonly step: RuntimeScalar;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weight_decay: number;
  /** Gradients of a larger norm are scaled down to this one; 0 does not clip. */
  readonly max_norm: number;
  /** Leaves zeros in gradients, ready for the next step's sums. */
  readonly zeroGradients: boolean;
}

/**
 * Updates parameters and moments from gradients; `statistics[normIndex]` is their global norm. Where that is NaN or
 * infinite, parameters and moments stay as they are.
 */
export function adamw(
  g: Graph,
  buffers: AdamWBuffers,
  statistics: Tensor,
  normIndex: number,
  options: AdamWOptions,
): void {
  const { lr, step, beta1, beta2, eps, weight_decay, max_norm, zeroGradients } = options;
  const derived = (name: string, of: (lr: number, step: number) => number): RuntimeScalar => ({
    name,
    at: (bindings) => of(valueAt(lr, bindings), step.at(bindings)),
  });
  g.run(
    update,
    { statistics },
    {
      norm_index: normIndex,
      zero_gradients: zeroGradients ? 1 : 0,
      max_norm,
      step_size: derived("step_size", (rate, t) => rate / (1 - beta1 ** t)),
      decay: derived("decay", (rate) => 1 - rate * weight_decay),
      one_minus_beta1: 1 - beta1,
      beta2,
      one_minus_beta2: 1 - beta2,
      bias_correction2_sqrt: derived("bias_correction2_sqrt", (_, t) => Math.sqrt(1 - beta2 ** t)),
      eps,
    },
    { ...buffers },
  );
}
