/** Layer norm against float64, over one row and many, widths that fill no workgroup, and means that dwarf the deviations. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import { layerNorm } from "../../src/ops/layer-norm";
import { checkOp } from "../support/check-op";
import { testDevice } from "../support/gpu";
import { normals, type Random } from "../support/random";

const device = await testDevice();
const eps = 1e-5;

interface Exact {
  readonly x: Float64Array;
  readonly weight: Float64Array;
  readonly bias?: Float64Array;
}

const meanOf = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Calls `each` with every row's deviations over √(population variance + eps), and that root. */
function eachRow(
  x: Float64Array,
  dim: number,
  each: (first: number, normal: Float64Array, root: number) => void,
): void {
  for (let first = 0; first < x.length; first += dim) {
    const row = x.subarray(first, first + dim);
    const mean = meanOf(row);
    const root = Math.sqrt(meanOf(row.map((value) => (value - mean) ** 2)) + eps);
    each(
      first,
      row.map((value) => (value - mean) / root),
      root,
    );
  }
}

function reference({ x, weight, bias }: Exact): Float64Array {
  const y = new Float64Array(x.length);
  eachRow(x, weight.length, (first, normal) => {
    normal.forEach((value, column) => {
      y[first + column] = value * (weight[column] as number) + (bias?.[column] ?? 0);
    });
  });
  return y;
}

/** For deviations so small that finite differences are too coarse. */
function gradient({ x, weight }: Exact, dy: Float64Array): { readonly x: Float64Array } {
  const dx = new Float64Array(x.length);
  eachRow(x, weight.length, (first, normal, root) => {
    const upstream = normal.map((_, column) => (dy[first + column] as number) * (weight[column] as number));
    const mean = meanOf(upstream);
    const along = meanOf(upstream.map((value, column) => value * (normal[column] as number)));
    upstream.forEach((value, column) => {
      dx[first + column] = (value - mean - (normal[column] as number) * along) / root;
    });
  });
  return { x: dx };
}

const around = (mean: number, deviation: number) => (random: Random, length: number) =>
  normals(random, length).map((value) => mean + deviation * value);

describe("layer-norm", () => {
  it.each([
    [1, 4],
    [7, 36],
    [130, 20],
    [3, 580],
  ])("%i rows of %i", async (rows, dim) => {
    await checkOp(device, {
      name: "layer-norm",
      sizes: { rows },
      inputs: { x: { shape: ["rows", dim] }, weight: { shape: [dim] }, bias: { shape: [dim] } },
      build: (g, { x, weight, bias }) => layerNorm(g, x, weight, bias, eps),
      reference,
      gradientsOf: ["x"],
    });
  });

  it("without a bias", async () => {
    await checkOp(device, {
      name: "layer-norm",
      sizes: { rows: 7 },
      inputs: { x: { shape: ["rows", 36] }, weight: { shape: [36] } },
      build: (g, { x, weight }) => layerNorm(g, x, weight, null, eps),
      reference,
      gradientsOf: ["x"],
    });
  });

  it.each([
    { mean: 1e3, deviation: 1, dim: 36 },
    { mean: 1e3, deviation: 0.01, dim: 36 },
    { mean: -1e3, deviation: 0.01, dim: 768 },
    { mean: 3, deviation: 1e-3, dim: 580 },
  ])("mean $mean, deviations of $deviation, rows of $dim", async ({ mean, deviation, dim }) => {
    await checkOp(device, {
      name: "layer-norm",
      sizes: { rows: 5 },
      inputs: {
        x: { shape: ["rows", dim], values: around(mean, deviation) },
        weight: { shape: [dim] },
        bias: { shape: [dim] },
      },
      build: (g, { x, weight, bias }) => layerNorm(g, x, weight, bias, eps),
      reference,
      gradientsOf: ["x"],
      gradient,
    });
  });

  it("one value a thousand times the others, as trained models have", async () => {
    await checkOp(device, {
      name: "layer-norm",
      inputs: {
        x: {
          shape: [2, 64],
          values: (random, length) => normals(random, length).map((value, index) => (index % 64 === 0 ? 3000 : value)),
        },
        weight: { shape: [64] },
        bias: { shape: [64] },
      },
      build: (g, { x, weight, bias }) => layerNorm(g, x, weight, bias, eps),
      reference,
      gradientsOf: ["x"],
      gradient,
    });
  });

  it("gives the bias for a row without deviations, whatever its mean", async () => {
    await checkOp(device, {
      name: "layer-norm",
      // Sums of 0.1 and 1000.1 are inexact, so the rounded mean differs from the value.
      inputs: {
        x: { shape: [2, 36], values: Float32Array.from({ length: 72 }, (_, index) => (index < 36 ? 0.1 : 1000.1)) },
        weight: { shape: [36] },
        bias: { shape: [36] },
      },
      build: (g, { x, weight, bias }) => layerNorm(g, x, weight, bias, eps),
      reference: ({ x, bias }) => x.map((_, index) => bias[index % 36] as number),
      gradientsOf: ["x"],
      gradient,
    });
  });

  it("takes more rows than a grid axis holds", async () => {
    await checkOp(device, {
      name: "layer-norm",
      inputs: { x: { shape: [65_537, 4] }, weight: { shape: [4] }, bias: { shape: [4] } },
      build: (g, { x, weight, bias }) => {
        const y = layerNorm(g, x, weight, bias, eps);
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

  it("refuses rows that are not a multiple of 4", () => {
    const g = new Graph({ gradients: false });
    expect(() => layerNorm(g, g.tensor("x", "f32", [3, 6]), g.tensor("weight", "f32", [6]), null, eps)).toThrow(
      "layer-norm: x has rows of 6; they must be a fixed multiple of 4.",
    );
  });
});
