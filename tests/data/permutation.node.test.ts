/** The permutation without a table: every number once, the way back, spread over seeds, and a function of its arguments alone. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IndexFault } from "../../src/data/errors";
import { seededPermutation } from "../../src/data/permutation";

const seed = fc.integer({ min: 0, max: 0xffffffff });
const stream = fc.nat({ max: 1000 });

describe("seededPermutation", () => {
  it("gives every number once and finds the way back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3000 }), seed, stream, (size, ...of) => {
        const permutation = seededPermutation(size, ...of);
        const values = Array.from({ length: size }, (_, index) => permutation.at(index));
        expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, index) => index));
        expect(values.findIndex((value, index) => permutation.indexOf(value) !== index)).toBe(-1);
      }),
    );
  });

  it("stays exact for as many rows as an index may have, and beyond 2³¹", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2 ** 20, max: 2 ** 32 }), seed, stream, fc.nat(), (size, a, b, start) => {
        const permutation = seededPermutation(size, a, b);
        const index = start % size;
        const value = permutation.at(index);
        expect(Number.isInteger(value) && value >= 0 && value < size).toBe(true);
        expect(permutation.indexOf(value)).toBe(index);
      }),
    );
  });

  it("is the same for the same seed and stream and another for others", () => {
    const order = (a: number, b: number) => {
      const permutation = seededPermutation(200, a, b);
      return Array.from({ length: 200 }, (_, index) => permutation.at(index));
    };
    expect(order(1, 2)).toEqual(order(1, 2));
    expect(order(1, 3)).not.toEqual(order(1, 2));
    expect(order(2, 2)).not.toEqual(order(1, 2));
  });

  it("favours no place: over 4000 seeds each of 10 rows comes to each place about equally often", () => {
    const counts = new Float64Array(100);
    for (let a = 0; a < 4000; a++) {
      const permutation = seededPermutation(10, a, 1);
      for (let index = 0; index < 10; index++) {
        const cell = 10 * index + permutation.at(index);
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
    }
    // 400 expected in each of 100 cells; 5 standard deviations are 95.
    for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(95);
  });

  it("leaves no neighbours together: follow-ups are as rare as by chance", () => {
    const size = 100_000;
    const permutation = seededPermutation(size, 7, 0);
    let together = 0;
    for (let index = 1; index < size; index++) {
      if (Math.abs(permutation.at(index) - permutation.at(index - 1)) === 1) together++;
    }
    // Two expected.
    expect(together).toBeLessThan(15);
  });

  it("refuses what is outside", () => {
    const permutation = seededPermutation(5, 1, 1);
    for (const bad of [-1, 5, Number.NaN]) {
      expect(() => permutation.at(bad)).toThrow(IndexFault);
      expect(() => permutation.indexOf(bad)).toThrow(IndexFault);
    }
    expect(() => seededPermutation(2 ** 32 + 1, 1, 1)).toThrow(IndexFault);
  });
});
