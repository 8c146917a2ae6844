/** Gated activations against float64, far into both tails. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import { gatedActivation } from "../../src/ops/gated-activation";
import { geluTanh, silu } from "../support/activation";
import { checkOp } from "../support/check-op";
import { testDevice } from "../support/gpu";

const device = await testDevice();

const referenceOf =
  (activation: (gate: number) => number) =>
  ({ gate, up }: { readonly gate: Float64Array; readonly up: Float64Array }) =>
    gate.map((value, index) => activation(value) * (up[index] as number));

describe.each([
  { activation: "silu", reference: referenceOf(silu) },
  { activation: "gelu_tanh", reference: referenceOf(geluTanh) },
] as const)("gated-activation, $activation", ({ activation, reference }) => {
  it.each([
    [1, 4],
    [7, 36],
    [130, 68],
  ])("%i rows of %i", async (tokens, width) => {
    await checkOp(device, {
      name: activation,
      sizes: { tokens },
      inputs: { gate: { shape: ["tokens", width] }, up: { shape: ["tokens", width] } },
      build: (g, { gate, up }) => gatedActivation(g, gate, up, activation),
      reference,
      gradientsOf: ["gate", "up"],
    });
  });

  it("stays finite where exp would overflow", async () => {
    await checkOp(device, {
      name: activation,
      inputs: {
        gate: { shape: [1, 8], values: Float32Array.of(-1000, -90, -20, -0, 0, 20, 90, 1000) },
        up: { shape: [1, 8] },
      },
      build: (g, { gate, up }) => gatedActivation(g, gate, up, activation),
      reference,
      gradientsOf: ["gate", "up"],
    });
  });
});

describe("gated-activation", () => {
  it.each([[-80, -78, -76, -75] as const, [-60, -58, -57, -56] as const, [-25, -24, -23, -22] as const])(
    "silu is exact in the lower tail, where only small numbers are: %d",
    async (...gates) => {
      await checkOp(device, {
        name: "silu",
        inputs: { gate: { shape: [1, 4], values: Float32Array.from(gates) }, up: { shape: [1, 4] } },
        build: (g, { gate, up }) => gatedActivation(g, gate, up, "silu"),
        reference: referenceOf(silu),
        gradientsOf: ["gate", "up"],
      });
    },
  );

  it("gelu_tanh keeps its lower tail", async () => {
    await checkOp(device, {
      name: "gelu_tanh",
      inputs: { gate: { shape: [1, 4], values: Float32Array.of(-9, -8.9, -8.8, -8.75) }, up: { shape: [1, 4] } },
      build: (g, { gate, up }) => gatedActivation(g, gate, up, "gelu_tanh"),
      reference: referenceOf(geluTanh),
      gradientsOf: ["gate", "up"],
      // The exponent there is about −65 and carries the rounding of the cube.
      tolerance: 2e-5,
      gradientTolerance: 2e-5,
    });
  });

  it("refuses rows that are not a multiple of 4", () => {
    const g = new Graph({ gradients: false });
    const gate = g.tensor("gate", "f32", [2, 6]);
    expect(() => gatedActivation(g, gate, gate, "silu")).toThrow(
      "gated-activation: gate has rows of 6; they must be a fixed multiple of 4.",
    );
  });
});
