/** RMS norm against float64, over one row and many, widths that fill no workgroup, and rows past one grid axis. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import { rmsNorm } from "../../src/ops/rms-norm";
import { checkOp } from "../support/check-op";
import { testDevice } from "../support/gpu";

const device = await testDevice();
const eps = 1e-5;

function reference({ x, weight }: { readonly x: Float64Array; readonly weight: Float64Array }): Float64Array {
  const dim = weight.length;
  const y = new Float64Array(x.length);
  for (let first = 0; first < x.length; first += dim) {
    const row = x.subarray(first, first + dim);
    const rstd = 1 / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / dim + eps);
    row.forEach((value, column) => {
      y[first + column] = value * rstd * (weight[column] as number);
    });
  }
  return y;
}

describe("rms-norm", () => {
  it.each([
    [1, 4],
    [7, 36],
    [130, 20],
    [3, 580],
  ])("%i rows of %i", async (rows, dim) => {
    await checkOp(device, {
      name: "rms-norm",
      sizes: { rows },
      inputs: { x: { shape: ["rows", dim] }, weight: { shape: [dim] } },
      build: (g, { x, weight }) => rmsNorm(g, x, weight, eps),
      reference,
      gradientsOf: ["x"],
    });
  });

  it("takes more rows than a grid axis holds", async () => {
    await checkOp(device, {
      name: "rms-norm",
      inputs: { x: { shape: [65_537, 4] }, weight: { shape: [4] } },
      build: (g, { x, weight }) => {
        const y = rmsNorm(g, x, weight, eps);
        // Workgroups of one invocation: the same indices in a hundredth of the time on a software adapter.
        g.calls.splice(
          0,
          1,
          ...g.calls.map((call) => ({ ...call, kernel: call.kernel.with({ overrides: { WORKGROUP: 1 } }) })),
        );
        return y;
      },
      reference,
    });
  });

  it("keeps eps inside the root, so that a row of zeros gives zeros", async () => {
    await checkOp(device, {
      name: "rms-norm",
      inputs: { x: { shape: [2, 8], values: new Float32Array(16).fill(1e-4) }, weight: { shape: [8] } },
      build: (g, { x, weight }) => rmsNorm(g, x, weight, 1e-2),
      reference: ({ x, weight }) =>
        x.map((value, index) => (value * (weight[index % 8] as number)) / Math.sqrt(1e-8 + 1e-2)),
      gradientsOf: ["x"],
    });
  });

  it("refuses rows that are not a multiple of 4", () => {
    const g = new Graph({ gradients: false });
    expect(() => rmsNorm(g, g.tensor("x", "f32", [3, 6]), g.tensor("weight", "f32", [6]), eps)).toThrow(
      "rms-norm: x has rows of 6; they must be a fixed multiple of 4.",
    );
  });
});
