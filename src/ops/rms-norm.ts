/** RMS normalisation (Zhang & Sennrich 2019), as in Llama: y = x / √(mean(x²) + eps) · weight, over whole rows or each head. */
import reduce from "../../shaders/lib/workgroup-sum.wgsl?raw";
import shader from "../../shaders/rms-norm.wgsl?raw";
import { ShapeError } from "../engine/errors";
import type { Graph } from "../engine/graph";
import { kernel, type Sizes } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { foldedGrid, requireVec4 } from "./lib/grid";

const source = reduce + shader;
// Few rows of work per invocation, and software adapters pay for each one that meets a barrier.
const overrides = { WORKGROUP: 32 };
const perRun = ({ tokens = 0, groups = 0 }: Sizes) => foldedGrid(tokens * groups);

const forward = kernel({
  name: "rms-norm.forward",
  source,
  entry: "forward",
  reads: { x: ["tokens", "width"], weight: ["dim"] },
  writes: { y: ["tokens", "width"], rstd: ["tokens", "groups"] },
  params: ["groups", "eps", "weight_offset"],
  overrides,
  grid: perRun,
});

const backwardX = kernel({
  name: "rms-norm.backward_x",
  source,
  entry: "backward_x",
  reads: {
    x: ["tokens", "width"],
    weight: ["dim"],
    saved_rstd: ["tokens", "groups"],
    dy: ["tokens", "width"],
  },
  writes: { dx: ["tokens", "width"] },
  params: ["weight_offset", "accumulate"],
  overrides,
  grid: perRun,
});

export interface RmsNormOptions {
  readonly eps: number;
  /** Added to the weight: 1 in Gemma, whose checkpoints store the weight less one. 0 where absent. */
  readonly weightOffset?: number;
}

/**
 * x [tokens, width], weight [dim] → [tokens, width]. `width` is a multiple of `dim`, and each run of `dim` columns is
 * normalised on its own: a whole row, or each head (Qwen3, Gemma 3). `dim` is a multiple of 4. The weight is frozen and gets
 * no gradient.
 */
export function rmsNorm(g: Graph, x: Tensor, weight: Tensor, { eps, weightOffset = 0 }: RmsNormOptions): Tensor {
  const width = requireVec4("rms-norm", "x", x);
  const dim = requireVec4("rms-norm", "weight", weight);
  if (width % dim !== 0) {
    throw new ShapeError(`rms-norm: x has rows of ${width}, not a multiple of the ${dim} that weight has.`);
  }
  const { y, rstd } = g.run(forward, { x, weight }, { groups: width / dim, eps, weight_offset: weightOffset });
  g.onBackward(y, [x], (dy) => {
    g.addGradient(
      x,
      (dx, accumulate) =>
        g.run(backwardX, { x, weight, saved_rstd: rstd, dy }, { weight_offset: weightOffset, accumulate }, { dx }).dx,
    );
  });
  return y;
}
