/** Learning-rate factors against transformers' own formulas, worked out by hand. */
import { describe, expect, it } from "vitest";
import { scheduleFactor } from "../../src/training/schedule";

describe("scheduleFactor", () => {
  it("starts a warm-up at 0 and reaches 1 after it", () => {
    expect([0, 1, 2, 3, 4].map((step) => scheduleFactor("constant", step, 4, 10))).toEqual([0, 0.25, 0.5, 0.75, 1]);
  });

  it("falls in a line to 0 at the end", () => {
    expect([2, 4, 6, 10].map((step) => scheduleFactor("linear", step, 2, 10))).toEqual([1, 0.75, 0.5, 0]);
  });

  it("falls along half a cosine", () => {
    const factors = [0, 5, 10].map((step) => scheduleFactor("cosine", step, 0, 10));
    expect(factors[0]).toBe(1);
    expect(factors[1]).toBeCloseTo(0.5, 12);
    expect(factors[2]).toBe(0);
  });

  it("survives a warm-up as long as the run", () => {
    expect(scheduleFactor("cosine", 3, 4, 4)).toBe(0.75);
    expect(scheduleFactor("linear", 4, 4, 4)).toBe(1);
  });
});
