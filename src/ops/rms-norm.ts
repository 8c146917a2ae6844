/** RMS normalisation over the last axis (Zhang & Sennrich 2019), as in Llama: y = x / √(mean(x²) + eps) · weight. */
import reduce from "../../shaders/lib/workgroup-sum.wgsl?raw";
import shader from "../../shaders/rms-norm.wgsl?raw";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { foldedGrid, requireVec4 } from "./lib/grid";

const source = reduce + shader;
// Few rows of work per invocation, and software adapters pay for each one that meets a barrier.
const overrides = { WORKGROUP: 32 };

const forward = kernel({
  name: "rms-norm.forward",
  source,
  entry: "forward",
  reads: { x: ["rows", "dim"], weight: ["dim"] },
  writes: { y: ["rows", "dim"], rstd: ["rows"] },
  params: ["eps"],
  overrides,
  grid: ({ rows = 0 }) => foldedGrid(rows),
});

const backwardX = kernel({
  name: "rms-norm.backward_x",
  source,
  entry: "backward_x",
  reads: { x: ["rows", "dim"], weight: ["dim"], saved_rstd: ["rows"], dy: ["rows", "dim"] },
  writes: { dx: ["rows", "dim"] },
  params: ["accumulate"],
  overrides,
  grid: ({ rows = 0 }) => foldedGrid(rows),
});

/** x [rows, dim], weight [dim] → [rows, dim]. `dim` is a multiple of 4. The weight is frozen and gets no gradient. */
export function rmsNorm(g: Graph, x: Tensor, weight: Tensor, eps: number): Tensor {
  requireVec4("rms-norm", "x", x);
  const { y, rstd } = g.run(forward, { x, weight }, { eps });
  g.onBackward(y, [x], (dy) => {
    g.addGradient(
      x,
      (dx, accumulate) => g.run(backwardX, { x, weight, saved_rstd: rstd, dy }, { accumulate }, { dx }).dx,
    );
  });
  return y;
}
