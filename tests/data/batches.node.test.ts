/** Steps, micro-batches and their bounds: against transformers' Trainer, and as promises on any dataset. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BatchOptions, evaluationBatches, planSteps } from "../../src/data/batches";
import { countTargets, makePackedBatch } from "../../src/data/packed-batch";
import type { PackedBatch, StepBatch, TokenizedExample } from "../../src/data/types";

const defaults: BatchOptions = {
  batchSize: 1,
  gradientAccumulation: 1,
  maxLength: 64,
  pack: false,
  shuffle: false,
  seed: 42,
  steps: null,
  epochs: 1,
};

/** A row that can be told from every other: its ids are row·1000 + position. */
function example(row: number, length: number, counted: (position: number) => boolean = () => true): TokenizedExample {
  const positions = Array.from({ length }, (_, position) => position);
  return {
    origin: { file: "rows.jsonl", line: row + 1 },
    ids: Uint32Array.from(positions, (position) => row * 1000 + position),
    counted: Uint8Array.from(positions, (position) => Number(position > 0 && counted(position))),
    truncated: 0,
  };
}

function rowsOf({ ids, positions }: PackedBatch): number[] {
  return Array.from(
    ids.filter((_, index) => positions[index] === 0),
    (id) => id / 1000,
  );
}

const dataset = fc
  .array(fc.tuple(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1, max: 39 })), { minLength: 1, maxLength: 40 })
  .map((rows) =>
    rows.map(([length, from], row) => example(row, length, (position) => position >= Math.min(from, length - 1))),
  );
const settings = fc.record({
  batchSize: fc.integer({ min: 1, max: 5 }),
  gradientAccumulation: fc.integer({ min: 1, max: 5 }),
  maxLength: fc.integer({ min: 40, max: 90 }),
  pack: fc.boolean(),
  shuffle: fc.boolean(),
  seed: fc.integer({ min: 0, max: 0xffffffff }),
  steps: fc.constant(null),
  epochs: fc.integer({ min: 1, max: 3 }),
});

describe("planSteps against transformers' Trainer", () => {
  interface Case extends Pick<BatchOptions, "batchSize" | "gradientAccumulation" | "epochs" | "steps"> {
    readonly rows: number;
    readonly expected: readonly { readonly epoch: number; readonly microBatches: readonly (readonly number[])[] }[];
  }
  const cases: readonly Case[] = JSON.parse(
    readFileSync(new URL("../golden/data-steps.json", import.meta.url), "utf8"),
  );

  for (const { rows, expected, ...options } of cases) {
    it(`${rows} rows, ${JSON.stringify(options)}`, () => {
      const examples = Array.from({ length: rows }, (_, row) => example(row, 3));
      const plan = planSteps(examples, { ...defaults, ...options });
      const steps = [...plan.batches()];
      expect(plan.steps).toBe(expected.length);
      expect(steps.map(({ microBatches }) => microBatches.map(rowsOf))).toEqual(
        expected.map(({ microBatches }) => microBatches),
      );
      for (const [index, { epoch }] of expected.entries()) expect(steps[index]?.epoch).toBeCloseTo(epoch, 12);
    });
  }
});

describe("planSteps", () => {
  it("shows every row exactly once per epoch", () => {
    fc.assert(
      fc.property(dataset, settings, (examples, options) => {
        const plan = planSteps(examples, options);
        const steps = [...plan.batches()];
        expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: plan.steps }, (_, step) => step));
        expect(plan.steps).toBe(plan.stepsPerEpoch * options.epochs);
        for (let epoch = 0; epoch < options.epochs; epoch++) {
          const visited = steps.slice(epoch * plan.stepsPerEpoch, (epoch + 1) * plan.stepsPerEpoch);
          const rows = visited.flatMap(({ microBatches }) => microBatches.flatMap(rowsOf));
          expect(rows.sort((a, b) => a - b)).toEqual(examples.map((_, row) => row));
          expect(visited.at(-1)?.epoch).toBe(epoch + 1);
        }
      }),
    );
  });

  it("counts the step's targets, and no batch exceeds the bounds", () => {
    fc.assert(
      fc.property(dataset, settings, (examples, options) => {
        const plan = planSteps(examples, options);
        const largest = { maxTokens: 0, maxTargets: 0, maxSegment: 0 };
        for (const { microBatches, countedTokens } of plan.batches()) {
          expect(countedTokens).toBe(microBatches.reduce((sum, { targets }) => sum + targets.length, 0));
          for (const { ids, targets, segmentStart, segmentEnd } of microBatches) {
            largest.maxTokens = Math.max(largest.maxTokens, ids.length);
            largest.maxTargets = Math.max(largest.maxTargets, targets.length);
            for (const [index, end] of segmentEnd.entries()) {
              largest.maxSegment = Math.max(largest.maxSegment, end - (segmentStart[index] ?? 0));
            }
          }
        }
        const { maxTokens, maxTargets, maxSegment } = plan;
        if (options.shuffle) {
          expect(largest.maxTokens).toBeLessThanOrEqual(maxTokens);
          expect(largest.maxTargets).toBeLessThanOrEqual(maxTargets);
          expect(maxTokens).toBeLessThanOrEqual(options.batchSize * options.maxLength);
        } else expect({ maxTokens, maxTargets, maxSegment }).toEqual(largest);
        expect(maxSegment).toBe(largest.maxSegment);
      }),
    );
  });

  it("gives 1×8, 2×4 and 8×1 the same rows in every step", () => {
    fc.assert(
      fc.property(dataset, settings, (examples, options) => {
        const [first, ...others] = [
          [1, 8],
          [2, 4],
          [8, 1],
        ].map(([batchSize = 1, gradientAccumulation = 1]) => {
          const plan = planSteps(examples, { ...options, batchSize, gradientAccumulation });
          return [...plan.batches()].map(({ microBatches, countedTokens }) => {
            return { rows: microBatches.flatMap(rowsOf), countedTokens };
          });
        });
        for (const other of others) expect(other).toEqual(first);
      }),
    );
  });

  it("starts again at any step with the same batches", () => {
    fc.assert(
      fc.property(dataset, settings, fc.nat({ max: 200 }), (examples, options, at) => {
        const plan = planSteps(examples, options);
        const all: StepBatch[] = [...plan.batches()];
        const from = at % (plan.steps + 1);
        expect([...planSteps(examples, options).batches(from)]).toEqual(all.slice(from));
      }),
    );
  });

  it("shuffles by seed and epoch", () => {
    const examples = Array.from({ length: 50 }, (_, row) => example(row, 5));
    const order = (seed: number, pack = false) => {
      const plan = planSteps(examples, { ...defaults, shuffle: true, seed, pack, epochs: 2 });
      return [...plan.batches()].flatMap(({ microBatches }) => microBatches.flatMap(rowsOf));
    };
    const fileOrder = examples.map((_, row) => row);
    for (const pack of [false, true]) {
      const both = order(1, pack);
      expect(order(1, pack)).toEqual(both);
      expect(order(2, pack)).not.toEqual(both);
      expect(both.slice(0, 50)).not.toEqual(both.slice(50));
      expect(both.slice(0, 50)).not.toEqual(fileOrder);
    }
  });

  it("favours no row with a place: over 2000 seeds each row comes first about equally often", () => {
    const examples = Array.from({ length: 8 }, (_, row) => example(row, 2));
    const firsts = new Array<number>(8).fill(0);
    for (let seed = 0; seed < 2000; seed++) {
      const [step] = planSteps(examples, { ...defaults, shuffle: true, seed }).batches();
      const row = step?.microBatches.flatMap(rowsOf)[0] ?? -1;
      firsts[row] = (firsts[row] ?? 0) + 1;
    }
    // 250 expected each; 5 standard deviations are 74.
    for (const count of firsts) expect(Math.abs(count - 250)).toBeLessThan(74);
  });

  it("does not show a packed epoch by falling length", () => {
    const examples = Array.from({ length: 64 }, (_, row) => example(row, 10 + (row % 30)));
    const { batches } = planSteps(examples, { ...defaults, maxLength: 40, pack: true, shuffle: true });
    const firsts = [...batches()].map(({ microBatches }) => microBatches[0]?.segmentEnd[0] ?? 0);
    expect(firsts).not.toEqual(firsts.toSorted((a, b) => b - a));
  });

  it("has no steps without rows and refuses a row beyond the maximum by its line", () => {
    expect(planSteps([], defaults)).toMatchObject({ steps: 0, maxTokens: 0, maxTargets: 0, maxSegment: 0 });
    expect([...planSteps([], { ...defaults, steps: 5 }).batches()]).toEqual([]);
    expect(() => planSteps([example(0, 3), example(1, 9)], { ...defaults, maxLength: 8 })).toThrow(
      "rows.jsonl line 2: the row has 9 tokens, more than max length 8; tokenize the dataset again with this max length.",
    );
  });
});

describe("makePackedBatch", () => {
  it("lays documents side by side and shifts labels inside each", () => {
    const batch = makePackedBatch([example(1, 3), example(2, 4, (position) => position === 2)]);
    expect(batch).toEqual({
      ids: Uint32Array.of(1000, 1001, 1002, 2000, 2001, 2002, 2003),
      positions: Uint32Array.of(0, 1, 2, 0, 1, 2, 3),
      segmentStart: Uint32Array.of(0, 0, 0, 3, 3, 3, 3),
      segmentEnd: Uint32Array.of(3, 3, 3, 7, 7, 7, 7),
      targetIndices: Uint32Array.of(0, 1, 4),
      targets: Uint32Array.of(1001, 1002, 2002),
    });
  });

  it("never makes a document's first token a label", () => {
    const first = { ...example(3, 2), counted: Uint8Array.of(1, 0) };
    expect(makePackedBatch([example(1, 2), first]).targets).toEqual(Uint32Array.of(1001));
    expect(countTargets(first)).toBe(0);
  });

  it("keeps an unchanged batch through structured cloning", () => {
    const batch = makePackedBatch([example(1, 3)]);
    expect(structuredClone(batch)).toEqual(batch);
  });
});

describe("evaluationBatches", () => {
  it("covers every row once, in file order, within the bounds", () => {
    fc.assert(
      fc.property(dataset, fc.integer({ min: 1, max: 100 }), (examples, tokensPerBatch) => {
        const batches = evaluationBatches(examples, tokensPerBatch);
        const all = [...batches];
        expect(all.flatMap(rowsOf)).toEqual(examples.map((_, row) => row));
        expect([...batches]).toEqual(all);
        expect(Math.max(...all.map(({ ids }) => ids.length))).toBe(batches.maxTokens);
        expect(Math.max(...all.map(({ targets }) => targets.length))).toBe(batches.maxTargets);
        expect(batches.maxSegment).toBe(Math.max(...examples.map(({ ids }) => ids.length)));
        for (const { ids, segmentEnd } of all) {
          expect(ids.length <= tokensPerBatch || segmentEnd[0] === ids.length).toBe(true);
        }
      }),
    );
  });
});
