/** Layer normalisation over the last axis (Ba et al. 2016), as torch.nn.LayerNorm: population variance, eps inside the root. */
import shader from "../../shaders/layer-norm.wgsl?raw";
import reduce from "../../shaders/lib/workgroup-sum.wgsl?raw";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { foldedGrid, requireVec4 } from "./lib/grid";

const source = reduce + shader;
// Few rows of work per invocation, and software adapters pay for each one that meets a barrier.
const overrides = { WORKGROUP: 32 };

const forward = kernel({
  name: "layer-norm.forward",
  source,
  entry: "forward",
  reads: { x: ["rows", "dim"], weight: ["dim"], bias: ["dim"] },
  writes: { y: ["rows", "dim"], mean: ["rows"], mean_rest: ["rows"], rstd: ["rows"] },
  params: ["eps", "has_bias"],
  overrides,
  grid: ({ rows = 0 }) => foldedGrid(rows),
});

const backwardX = kernel({
  name: "layer-norm.backward_x",
  source,
  entry: "backward_x",
  reads: {
    x: ["rows", "dim"],
    weight: ["dim"],
    saved_mean: ["rows"],
    saved_mean_rest: ["rows"],
    saved_rstd: ["rows"],
    dy: ["rows", "dim"],
  },
  writes: { dx: ["rows", "dim"] },
  params: ["accumulate"],
  overrides,
  grid: ({ rows = 0 }) => foldedGrid(rows),
});

/**
 * x [tokens, dim], weight [dim], bias [dim] or null → [tokens, dim]. `dim` is a multiple of 4. Weight and bias are frozen
 * and get no gradient.
 */
export function layerNorm(g: Graph, x: Tensor, weight: Tensor, bias: Tensor | null, eps: number): Tensor {
  requireVec4("layer-norm", "x", x);
  const made = g.run(forward, { x, weight, bias }, { eps, has_bias: bias ? 1 : 0 });
  const saved = { saved_mean: made.mean, saved_mean_rest: made.mean_rest, saved_rstd: made.rstd };
  g.onBackward(made.y, [x], (dy) => {
    g.addGradient(x, (dx, accumulate) => g.run(backwardX, { x, weight, ...saved, dy }, { accumulate }, { dx }).dx);
  });
  return made.y;
}
