/** The Gaussian error linear unit (Hendrycks & Gimpel 2016), exact or by its tanh approximation. */
import shader from "../../shaders/gelu.wgsl?raw";
import type { Graph } from "../engine/graph";
import { kernel, type Sizes } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { activationSource, forActivation } from "./lib/activation";
import { foldedGrid, requireVec4 } from "./lib/grid";

const source = activationSource + shader;
const overrides = { WORKGROUP: 64 };
const grid = ({ tokens = 0, width = 0 }: Sizes, { WORKGROUP = 1 }: Sizes) =>
  foldedGrid(Math.ceil((tokens * width) / 4 / WORKGROUP));

const forward = kernel({
  name: "gelu.forward",
  source,
  entry: "forward",
  reads: { x: ["tokens", "width"] },
  writes: { y: ["tokens", "width"] },
  params: [],
  overrides,
  grid,
});

const backwardX = kernel({
  name: "gelu.backward_x",
  source,
  entry: "backward_x",
  reads: { x: ["tokens", "width"], dy: ["tokens", "width"] },
  writes: { dx: ["tokens", "width"] },
  params: ["accumulate"],
  overrides,
  grid,
});

/**
 * x [tokens, width] → the same shape; width is a multiple of 4. "tanh" is torch's gelu(approximate="tanh"), GPT-2's
 * gelu_new; "erf" is torch's gelu().
 */
export function gelu(g: Graph, x: Tensor, approximation: "tanh" | "erf"): Tensor {
  requireVec4("gelu", "x", x);
  const variant = forActivation(`gelu_${approximation}`);
  const { y } = g.run(forward.with(variant), { x }, {});
  g.onBackward(y, [x], (dy) => {
    g.addGradient(x, (dx, accumulate) => g.run(backwardX.with(variant), { x, dy }, { accumulate }, { dx }).dx);
  });
  return y;
}
