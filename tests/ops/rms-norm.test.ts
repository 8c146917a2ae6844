/** RMS norm against float64, over whole rows and over each head, widths that fill no workgroup, and rows past one grid axis. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import { rmsNorm } from "../../src/ops/rms-norm";
import { checkOp } from "../support/check-op";
import { testDevice } from "../support/gpu";
import { normals } from "../support/random";

const device = await testDevice();
const eps = 1e-5;

interface Arrays {
  readonly x: Float64Array;
  readonly weight: Float64Array;
}

function reference({ x, weight }: Arrays, weightOffset = 0): Float64Array {
  const dim = weight.length;
  const y = new Float64Array(x.length);
  for (let first = 0; first < x.length; first += dim) {
    const row = x.subarray(first, first + dim);
    const rstd = 1 / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / dim + eps);
    row.forEach((value, column) => {
      y[first + column] = value * rstd * (weightOffset + (weight[column] as number));
    });
  }
  return y;
}

function over(width: number, dim: number) {
  const g = new Graph({ gradients: false });
  return rmsNorm(g, g.tensor("x", "f32", [3, width]), g.tensor("weight", "f32", [dim]), { eps });
}

describe("rms-norm", () => {
  it.each([
    [1, 4],
    [7, 36],
    [130, 20],
    [3, 580],
  ])("%i rows of %i", async (tokens, dim) => {
    await checkOp(device, {
      name: "rms-norm",
      sizes: { tokens },
      inputs: { x: { shape: ["tokens", dim] }, weight: { shape: [dim] } },
      build: (g, { x, weight }) => rmsNorm(g, x, weight, { eps }),
      reference: (arrays) => reference(arrays),
      gradientsOf: ["x"],
    });
  });

  it.each([
    { tokens: 1, heads: 3, headDim: 4, weightOffset: 1 },
    { tokens: 7, heads: 2, headDim: 36, weightOffset: 0 },
    { tokens: 5, heads: 1, headDim: 20, weightOffset: 1 },
    { tokens: 66, heads: 5, headDim: 12, weightOffset: 1 },
    { tokens: 3, heads: 2, headDim: 256, weightOffset: 0.5 },
  ])("$tokens tokens, each of $heads heads of $headDim on its own, weight + $weightOffset", async (at) => {
    const { tokens, heads, headDim, weightOffset } = at;
    await checkOp(device, {
      name: "rms-norm",
      sizes: { tokens },
      inputs: {
        // Heads of unlike size, so that a mean over more than one head shows.
        x: {
          shape: ["tokens", heads * headDim],
          values: (source, length) =>
            normals(source, length).map((value, index) => value * (1 + (Math.floor(index / headDim) % heads))),
        },
        weight: { shape: [headDim] },
      },
      build: (g, { x, weight }) => rmsNorm(g, x, weight, { eps, weightOffset }),
      reference: (arrays) => reference(arrays, weightOffset),
      gradientsOf: ["x"],
    });
  });

  it("takes more runs than a grid axis holds", async () => {
    await checkOp(device, {
      name: "rms-norm",
      inputs: { x: { shape: [9363, 28] }, weight: { shape: [4] } },
      build: (g, { x, weight }) => {
        const y = rmsNorm(g, x, weight, { eps });
        // Workgroups of one invocation: the same indices in a hundredth of the time on a software adapter.
        g.calls.splice(
          0,
          1,
          ...g.calls.map((call) => ({ ...call, kernel: call.kernel.with({ overrides: { WORKGROUP: 1 } }) })),
        );
        return y;
      },
      reference: (arrays) => reference(arrays),
    });
  });

  it("keeps eps inside the root, so that a row of zeros gives zeros", async () => {
    await checkOp(device, {
      name: "rms-norm",
      inputs: { x: { shape: [2, 8], values: new Float32Array(16).fill(1e-4) }, weight: { shape: [8] } },
      build: (g, { x, weight }) => rmsNorm(g, x, weight, { eps: 1e-2 }),
      reference: ({ x, weight }) =>
        x.map((value, index) => (value * (weight[index % 8] as number)) / Math.sqrt(1e-8 + 1e-2)),
      gradientsOf: ["x"],
    });
  });

  it("refuses rows that are not a multiple of 4", () => {
    expect(() => over(6, 6)).toThrow("rms-norm: x has rows of 6; they must be a fixed multiple of 4.");
  });

  it("refuses rows that hold no whole number of runs", () => {
    expect(() => over(20, 8)).toThrow("rms-norm: x has rows of 20, not a multiple of the 8 that weight has.");
    expect(() => over(12, 6)).toThrow("rms-norm: weight has rows of 6; they must be a fixed multiple of 4.");
  });
});
