/** The gated activation of Llama's MLP (Shazeer 2020): silu(gate) · up. */
import source from "../../shaders/swiglu.wgsl?raw";
import type { Graph } from "../engine/graph";
import { kernel, type Sizes } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { foldedGrid, requireVec4 } from "./lib/grid";

const overrides = { WORKGROUP: 64 };
const grid = ({ tokens = 0, width = 0 }: Sizes, { WORKGROUP = 1 }: Sizes) =>
  foldedGrid(Math.ceil((tokens * width) / 4 / WORKGROUP));

const forward = kernel({
  name: "swiglu.forward",
  source,
  entry: "forward",
  reads: { gate: ["tokens", "width"], up: ["tokens", "width"] },
  writes: { y: ["tokens", "width"] },
  params: [],
  overrides,
  grid,
});

const backwardGate = kernel({
  name: "swiglu.backward_gate",
  source,
  entry: "backward_gate",
  reads: { gate: ["tokens", "width"], up: ["tokens", "width"], dy: ["tokens", "width"] },
  writes: { d_gate: ["tokens", "width"] },
  params: ["accumulate"],
  overrides,
  grid,
});

const backwardUp = kernel({
  name: "swiglu.backward_up",
  source,
  entry: "backward_up",
  reads: { gate: ["tokens", "width"], dy: ["tokens", "width"] },
  writes: { d_up: ["tokens", "width"] },
  params: ["accumulate"],
  overrides,
  grid,
});

/** gate, up [tokens, width] → [tokens, width]; width is a multiple of 4. */
export function swiglu(g: Graph, gate: Tensor, up: Tensor): Tensor {
  requireVec4("swiglu", "gate", gate);
  const { y } = g.run(forward, { gate, up }, {});
  g.onBackward(y, [gate, up], (dy) => {
    g.addGradient(
      gate,
      (target, accumulate) => g.run(backwardGate, { gate, up, dy }, { accumulate }, { d_gate: target }).d_gate,
    );
    g.addGradient(up, (target, accumulate) => g.run(backwardUp, { gate, dy }, { accumulate }, { d_up: target }).d_up);
  });
  return y;
}
