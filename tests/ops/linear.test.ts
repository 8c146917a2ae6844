/** The frozen product with its low-rank pair, against float64: every stored form, odd sizes, bias, scale, dropout. */
import { describe, expect, it } from "vitest";
import { symbolicDim } from "../../src/engine/dims";
import { Graph } from "../../src/engine/graph";
import { linear, product, transposedProduct } from "../../src/ops/linear";
import { expectClose } from "../support/allclose";
import { checkOp } from "../support/check-op";
import { testMatrix } from "../support/frozen";
import { runOnce, testDevice, upload } from "../support/gpu";
import { normals, random } from "../support/random";
import { formCases, formMatrix } from "./frozen-forms";

const device = await testDevice();

/** left [rows, inner] · rightᵀ [columns, inner] */
function timesTransposed(left: Float64Array, right: Float64Array, inner: number): Float64Array {
  const rows = left.length / inner;
  const columns = right.length / inner;
  const result = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      for (let k = 0; k < inner; k += 1)
        sum += (left[row * inner + k] as number) * (right[column * inner + k] as number);
      result[row * columns + column] = sum;
    }
  }
  return result;
}

/** left [inner, rows]ᵀ · right [inner, columns] */
function transposedTimes(left: Float64Array, right: Float64Array, inner: number): Float64Array {
  const rows = left.length / inner;
  const columns = right.length / inner;
  const result = new Float64Array(rows * columns);
  for (let k = 0; k < inner; k += 1) {
    for (let row = 0; row < rows; row += 1) {
      const factor = left[k * rows + row] as number;
      for (let column = 0; column < columns; column += 1) {
        result[row * columns + column] =
          (result[row * columns + column] as number) + factor * (right[k * columns + column] as number);
      }
    }
  }
  return result;
}

const shapes = [
  { tokens: 1, columns: 32, rows: 8 },
  { tokens: 7, columns: 36, rows: 20 },
  { tokens: 130, columns: 100, rows: 68 },
] as const;

describe("linear, frozen weight alone", () => {
  for (const form of formCases) {
    for (const { tokens, columns, rows } of shapes) {
      const name = `${form.name}, ${tokens}×${columns}→${rows}`;
      it(name, async () => {
        const { matrix, values } = await formMatrix(device, form, rows, columns);
        await checkOp(device, {
          name,
          sizes: { tokens },
          inputs: { x: { shape: ["tokens", columns] }, bias: { shape: [rows] } },
          build: (g, { x, bias }) => linear(g, x, matrix, bias, null),
          reference: ({ x, bias }) =>
            timesTransposed(x, values, columns).map((value, index) => value + (bias[index % rows] as number)),
          gradientsOf: ["x"],
          gradient: (_, dy) => ({ x: transposedTimes(transposeOf(dy, rows), values, rows) }),
        });
      });
    }
  }
});

describe("linear with a low-rank pair", () => {
  for (const { tokens, columns, rows } of shapes) {
    for (const rank of [4, 8, 12]) {
      it(`rank ${rank}, ${tokens}×${columns}→${rows}`, async () => {
        const { matrix, values } = await testMatrix(device, { form: "int4", zeros: true, rows, columns });
        const scale = 1.75;
        await checkOp(device, {
          name: `rank ${rank}`,
          sizes: { tokens },
          inputs: {
            x: { shape: ["tokens", columns] },
            a: { shape: [rank, columns] },
            b: { shape: [rank, rows] },
            gradientA: { shape: [rank, columns], gradientOf: "a" },
            gradientB: { shape: [rank, rows], gradientOf: "b" },
          },
          build: (g, { x, a, b, gradientA, gradientB }) =>
            linear(g, x, matrix, null, {
              a,
              b,
              gradients: { a: gradientA, b: gradientB },
              scale,
              dropout: 0,
              dropoutSeed: 0,
            }),
          reference: ({ x, a, b }) => {
            const base = timesTransposed(x, values, columns);
            const h = timesTransposed(x, a, columns);
            const delta = timesTransposed(h, transposeOf(b, rows), rank);
            return base.map((value, index) => value + scale * (delta[index] as number));
          },
          gradientsOf: ["x", "a", "b"],
          gradient: ({ x, a, b }, dy) => {
            const scaledDy = dy.map((value) => scale * value);
            const dh = timesTransposed(scaledDy, b, rows);
            const h = timesTransposed(x, a, columns);
            const frozen = transposedTimes(transposeOf(dy, rows), values, rows);
            const low = transposedTimes(transposeOf(dh, rank), a, rank);
            return {
              x: frozen.map((value, index) => value + (low[index] as number)),
              a: transposedTimes(dh, x, tokens),
              b: transposedTimes(h, scaledDy, tokens),
            };
          },
        });
      });
    }
  }

  it("drops inputs of A only, by the same mask forward and backward, at the asked rate", async () => {
    const [tokens, columns, rows, rank, dropout] = [64, 64, 8, 4, 0.3];
    const { matrix } = await testMatrix(device, { form: "f32", rows, columns });
    const ones = new Float32Array(tokens * columns).fill(1);
    const run = async (seed: number) => {
      const g = new Graph({ gradients: true });
      const dim = symbolicDim("tokens", tokens);
      const x = g.watch(await upload(device, "x", [dim, columns], ones));
      // A picks single columns and B passes the sums on, so the mask can be read off the gradients.
      const a = await upload(device, "a", [rank, columns], new Float32Array(rank * columns).fill(1));
      const b = await upload(device, "b", [rank, rows], new Float32Array(rank * rows).fill(1));
      const gradients = {
        a: await upload(device, "da", [rank, columns], new Float32Array(rank * columns)),
        b: await upload(device, "db", [rank, rows], new Float32Array(rank * rows)),
      };
      const y = linear(g, x, matrix, null, { a, b, gradients, scale: 1, dropout, dropoutSeed: seed });
      const base = product(g, x, matrix);
      const dy = await upload(device, "dy", [dim, rows], new Float32Array(tokens * rows).fill(1));
      const frozenDx = transposedProduct(g, dy, matrix);
      const root = g.tensor("root", "f32", [1]);
      g.onBackward(root, [y], () => g.passGradient(y, dy), { trains: true });
      g.backward(root);
      const dx = g.gradientOf(x);
      if (!dx) throw new Error("no gradient of x");
      return runOnce(device, g, { y, base, dx, frozenDx, da: gradients.a }, { tokens });
    };
    const first = await run(11);
    // Σ_j over rank of dh·A = rank·rows per kept element, scaled by 1/(1 − p).
    const factors = first.dx.map((value, index) => (value - (first.frozenDx[index] as number)) / (rank * rows));
    const kept = [...factors].map((factor) => (factor > 0.5 ? 1 : 0));
    expectClose(
      "factors are 0 or 1/(1−p)",
      Float64Array.from(factors),
      kept.map((keep) => keep / (1 - dropout)),
      1e-5,
    );
    const rate = 1 - kept.reduce<number>((sum, keep) => sum + keep, 0) / kept.length;
    expect(Math.abs(rate - dropout)).toBeLessThan(0.03);
    // The forward pass used the same mask: each token's adapter sum is rank · Σ factors.
    const expected = Float64Array.from({ length: tokens * rows }, (_, index) => {
      const token = Math.floor(index / rows);
      let sum = 0;
      for (let column = 0; column < columns; column += 1) sum += factors[token * columns + column] as number;
      return rank * sum;
    });
    expectClose(
      "forward",
      Float64Array.from(first.y, (value, index) => value - (first.base[index] as number)),
      expected,
      1e-5,
    );
    const columnsDa = Float64Array.from({ length: rank * columns }, (_, index) => {
      let sum = 0;
      for (let token = 0; token < tokens; token += 1) sum += factors[token * columns + (index % columns)] as number;
      return rows * sum;
    });
    expectClose("gradient of A", first.da, columnsDa, 1e-5);
    const again = await run(11);
    const other = await run(12);
    expect([...again.dx]).toEqual([...first.dx]);
    expect([...other.dx]).not.toEqual([...first.dx]);
  });

  it("pads an odd number of rows and ignores what lies beside", async () => {
    const [tokens, columns, rows] = [9, 32, 131];
    const { matrix, values } = await testMatrix(device, { form: "int4", rows, columns });
    const g = new Graph({ gradients: false });
    const data = normals(random(3), tokens * columns);
    const x = await upload(device, "x", [symbolicDim("tokens", 20), columns], data);
    const y = product(g, x, matrix);
    const result = await runOnce(device, g, { y }, { tokens });
    const expected = timesTransposed(Float64Array.from(data), values, columns);
    const actual = expected.map((_, index) => result.y[Math.floor(index / rows) * 132 + (index % rows)] as number);
    expectClose("logits", actual, expected, 1e-6);
  });
});

/** [rows, columns] → [columns, rows] */
function transposeOf(matrix: Float64Array, columns: number): Float64Array {
  const rows = matrix.length / columns;
  return Float64Array.from(
    { length: matrix.length },
    (_, index) => matrix[(index % rows) * columns + Math.floor(index / rows)] as number,
  );
}
