/** The skinny products alone, against float64; with their dropout they are tested as part of linear. */
import { describe, it } from "vitest";
import { symbolicDim } from "../../src/engine/dims";
import { Graph } from "../../src/engine/graph";
import { addGradient, down } from "../../src/ops/low-rank";
import { expectClose } from "../support/allclose";
import { runOnce, testDevice, upload } from "../support/gpu";
import { normals, random } from "../support/random";

const device = await testDevice();

describe.each([
  { tokens: 1, columns: 32, rank: 4 },
  { tokens: 7, columns: 36, rank: 8 },
  { tokens: 130, columns: 100, rank: 12 },
])("low-rank, $tokens tokens, $columns columns, rank $rank", ({ tokens, columns, rank }) => {
  const source = random(tokens);
  const xs = normals(source, tokens * columns);
  const as = normals(source, rank * columns);
  const lefts = normals(source, tokens * rank);
  const start = normals(source, rank * columns);
  const dim = symbolicDim("tokens", 2 * tokens + 3);

  it("goes down to the rank, scaled", async () => {
    const g = new Graph({ gradients: false });
    const x = await upload(device, "x", [dim, columns], xs);
    const a = await upload(device, "a", [rank, columns], as);
    const { h } = await runOnce(device, g, { h: down(g, x, a, { scale: -0.75 }) }, { tokens });
    const expected = Float64Array.from({ length: tokens * rank }, (_, index) => {
      const [token, row] = [Math.floor(index / rank), index % rank];
      let sum = 0;
      for (let k = 0; k < columns; k += 1)
        sum += (xs[token * columns + k] as number) * (as[row * columns + k] as number);
      return -0.75 * sum;
    });
    expectClose("down", h, expected, 1e-6);
  });

  it("adds to the gradient that is there", async () => {
    const g = new Graph({ gradients: false });
    const x = await upload(device, "x", [dim, columns], xs);
    const left = await upload(device, "left", [dim, rank], lefts);
    const gradient = await upload(device, "gradient", [rank, columns], start);
    addGradient(g, gradient, left, x);
    const result = await runOnce(device, g, { gradient }, { tokens });
    const expected = Float64Array.from({ length: rank * columns }, (_, index) => {
      const [row, column] = [Math.floor(index / columns), index % columns];
      let sum = start[index] as number;
      for (let token = 0; token < tokens; token += 1) {
        sum += (lefts[token * rank + row] as number) * (xs[token * columns + column] as number);
      }
      return sum;
    });
    expectClose("gradient", result.gradient, expected, 1e-6);
  });
});
