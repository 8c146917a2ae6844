/** Packing against TRL's own bins, and its promises on any input. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packBfd } from "../../src/data/packing";

interface Case {
  readonly maxLength: number;
  readonly lengths: readonly number[];
  readonly bins: readonly (readonly number[])[];
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL("../golden/data-packing.json", import.meta.url), "utf8"),
);

describe("packBfd", () => {
  it(`gives TRL's bins in TRL's order (${cases.length} cases)`, () => {
    expect(cases.length).toBeGreaterThanOrEqual(200);
    for (const { lengths, maxLength, bins } of cases) expect(packBfd(lengths, maxLength)).toEqual(bins);
  });

  it("places every row once and overfills no bin", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 200 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 40, max: 90 }), (rows, maxLength) => {
        const bins = packBfd(rows, maxLength, 50);
        expect(bins.flat().sort((a, b) => a - b)).toEqual(rows.map((_, row) => row));
        for (const bin of bins) {
          expect(bin.reduce((sum, row) => sum + (rows[row] ?? Number.NaN), 0)).toBeLessThanOrEqual(maxLength);
        }
      }),
    );
  });

  it("opens as many bins for any order of the rows", () => {
    const permuted = fc
      .array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 60 })
      .chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })));
    fc.assert(
      fc.property(permuted, ([rows, other]) => {
        expect(packBfd(other, 30, Number.POSITIVE_INFINITY).length).toBe(
          packBfd(rows, 30, Number.POSITIVE_INFINITY).length,
        );
      }),
    );
  });

  it("packs 300,000 rows within seconds", () => {
    const lengths = Array.from({ length: 300_000 }, (_, row) => 1 + ((row * 7919) % 2048));
    const started = performance.now();
    const bins = packBfd(lengths, 2048, Number.POSITIVE_INFINITY);
    expect(bins.flat().length).toBe(lengths.length);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
