/** The residual addition against float64; its gradient reaches both sides uncopied. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import { residualAdd } from "../../src/ops/residual-add";
import { checkOp } from "../support/check-op";
import { testDevice } from "../support/gpu";

const device = await testDevice();

describe("residual-add", () => {
  it.each([
    [1, 4],
    [7, 36],
    [130, 68],
  ])("%i rows of %i", async (tokens, width) => {
    await checkOp(device, {
      name: "residual-add",
      sizes: { tokens },
      inputs: { a: { shape: ["tokens", width] }, b: { shape: ["tokens", width] } },
      build: (g, { a, b }) => residualAdd(g, a, b),
      reference: ({ a, b }) => a.map((value, index) => value + (b[index] as number)),
      gradientsOf: ["a", "b"],
      passes: true,
    });
  });

  it("records no kernel for its gradient and gives both sides the same tensor", () => {
    const g = new Graph({ gradients: true });
    const [a, b] = [g.watch(g.tensor("a", "f32", [2, 4])), g.watch(g.tensor("b", "f32", [2, 4]))];
    const y = residualAdd(g, a, b);
    g.backward(y);
    expect(g.calls.length).toBe(1);
    expect(g.gradientOf(a)).toBe(y);
    expect(g.gradientOf(b)).toBe(y);
  });

  it("refuses a side that already has a gradient", () => {
    const g = new Graph({ gradients: true });
    const [a, b] = [g.watch(g.tensor("a", "f32", [2, 4])), g.watch(g.tensor("b", "f32", [2, 4]))];
    const y = residualAdd(g, a, b);
    g.passGradient(a, g.tensor("earlier", "f32", [2, 4]));
    expect(() => g.backward(y)).toThrow("a already has a gradient; a passed one must come first.");
  });
});
