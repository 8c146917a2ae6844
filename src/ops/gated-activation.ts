/** The gated activation of an MLP (Shazeer 2020): activation(gate) · up, with SiLU in Llama and GELU in Gemma. */
import shader from "../../shaders/gated-activation.wgsl?raw";
import type { Graph } from "../engine/graph";
import { kernel, type Sizes } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { type Activation, activationSource, forActivation } from "./lib/activation";
import { foldedGrid, requireVec4 } from "./lib/grid";

const source = activationSource + shader;
const overrides = { WORKGROUP: 64 };
const grid = ({ tokens = 0, width = 0 }: Sizes, { WORKGROUP = 1 }: Sizes) =>
  foldedGrid(Math.ceil((tokens * width) / 4 / WORKGROUP));

const forward = kernel({
  name: "gated-activation.forward",
  source,
  entry: "forward",
  reads: { gate: ["tokens", "width"], up: ["tokens", "width"] },
  writes: { y: ["tokens", "width"] },
  params: [],
  overrides,
  grid,
});

const backwardGate = kernel({
  name: "gated-activation.backward_gate",
  source,
  entry: "backward_gate",
  reads: { gate: ["tokens", "width"], up: ["tokens", "width"], dy: ["tokens", "width"] },
  writes: { d_gate: ["tokens", "width"] },
  params: ["accumulate"],
  overrides,
  grid,
});

const backwardUp = kernel({
  name: "gated-activation.backward_up",
  source,
  entry: "backward_up",
  reads: { gate: ["tokens", "width"], dy: ["tokens", "width"] },
  writes: { d_up: ["tokens", "width"] },
  params: ["accumulate"],
  overrides,
  grid,
});

/** gate, up [tokens, width] → [tokens, width]; width is a multiple of 4. */
export function gatedActivation(
  g: Graph,
  gate: Tensor,
  up: Tensor,
  activation: Extract<Activation, "silu" | "gelu_tanh">,
): Tensor {
  requireVec4("gated-activation", "gate", gate);
  const variant = forActivation(activation);
  const { y } = g.run(forward.with(variant), { gate, up }, {});
  g.onBackward(y, [gate, up], (dy) => {
    g.addGradient(
      gate,
      (target, accumulate) =>
        g.run(backwardGate.with(variant), { gate, up, dy }, { accumulate }, { d_gate: target }).d_gate,
    );
    g.addGradient(
      up,
      (target, accumulate) => g.run(backwardUp.with(variant), { gate, dy }, { accumulate }, { d_up: target }).d_up,
    );
  });
  return y;
}
