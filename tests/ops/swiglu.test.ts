/** SwiGLU against float64, far into both tails of the sigmoid. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import { swiglu } from "../../src/ops/swiglu";
import { checkOp } from "../support/check-op";
import { testDevice } from "../support/gpu";

const device = await testDevice();

const reference = ({ gate, up }: { readonly gate: Float64Array; readonly up: Float64Array }) =>
  gate.map((value, index) => (value / (1 + Math.exp(-value))) * (up[index] as number));

describe("swiglu", () => {
  it.each([
    [1, 4],
    [7, 36],
    [130, 68],
  ])("%i rows of %i", async (tokens, width) => {
    await checkOp(device, {
      name: "swiglu",
      sizes: { tokens },
      inputs: { gate: { shape: ["tokens", width] }, up: { shape: ["tokens", width] } },
      build: (g, { gate, up }) => swiglu(g, gate, up),
      reference,
      gradientsOf: ["gate", "up"],
    });
  });

  it("stays finite where exp would overflow", async () => {
    await checkOp(device, {
      name: "swiglu",
      inputs: {
        gate: { shape: [1, 8], values: Float32Array.of(-1000, -90, -20, -0, 0, 20, 90, 1000) },
        up: { shape: [1, 8] },
      },
      build: (g, { gate, up }) => swiglu(g, gate, up),
      reference,
      gradientsOf: ["gate", "up"],
    });
  });

  it("is exact in the lower tail, where only small numbers are", async () => {
    await checkOp(device, {
      name: "swiglu",
      inputs: { gate: { shape: [1, 4], values: Float32Array.of(-60, -40, -30, -25) }, up: { shape: [1, 4] } },
      build: (g, { gate, up }) => swiglu(g, gate, up),
      reference,
      gradientsOf: ["gate", "up"],
      // exp of −60 carries an f32 error of 60 times the last digit.
      tolerance: 1e-5,
    });
  });

  it("refuses rows that are not a multiple of 4", () => {
    const g = new Graph({ gradients: false });
    const gate = g.tensor("gate", "f32", [2, 6]);
    expect(() => swiglu(g, gate, gate)).toThrow("swiglu: gate has rows of 6; they must be a fixed multiple of 4.");
  });
});
