/** Steps, micro-batches and their bounds: against transformers' Trainer, and as promises on any dataset. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BatchOptions, planSteps, type StepPlan } from "../../src/data/batches";
import { evaluationBatches, streamedEvaluation } from "../../src/data/evaluation-batches";
import { tableOf } from "../../src/data/example-table";
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

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}

const plan = (examples: readonly TokenizedExample[], options: BatchOptions): StepPlan =>
  planSteps(tableOf(examples), options);
const stepsOf = (examples: readonly TokenizedExample[], options: BatchOptions): Promise<StepBatch[]> =>
  all(plan(examples, options).batches());

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
    it(`${rows} rows, ${JSON.stringify(options)}`, async () => {
      const examples = Array.from({ length: rows }, (_, row) => example(row, 3));
      const planned = plan(examples, { ...defaults, ...options });
      const steps = await all(planned.batches());
      expect(planned.steps).toBe(expected.length);
      expect(steps.map(({ microBatches }) => microBatches.map(rowsOf))).toEqual(
        expected.map(({ microBatches }) => microBatches),
      );
      for (const [index, { epoch }] of expected.entries()) expect(steps[index]?.epoch).toBeCloseTo(epoch, 12);
    });
  }
});

describe("planSteps", () => {
  it("shows every row exactly once per epoch", async () => {
    await fc.assert(
      fc.asyncProperty(dataset, settings, async (examples, options) => {
        const planned = plan(examples, options);
        const steps = await all(planned.batches());
        expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: planned.steps }, (_, step) => step));
        expect(planned.steps).toBe(planned.stepsPerEpoch * options.epochs);
        for (let epoch = 0; epoch < options.epochs; epoch++) {
          const visited = steps.slice(epoch * planned.stepsPerEpoch, (epoch + 1) * planned.stepsPerEpoch);
          const rows = visited.flatMap(({ microBatches }) => microBatches.flatMap(rowsOf));
          expect(rows.sort((a, b) => a - b)).toEqual(examples.map((_, row) => row));
          expect(visited.at(-1)?.epoch).toBe(epoch + 1);
        }
      }),
    );
  });

  it("counts the step's targets, and no batch exceeds the bounds", async () => {
    await fc.assert(
      fc.asyncProperty(dataset, settings, async (examples, options) => {
        const planned = plan(examples, options);
        const largest = { maxTokens: 0, maxTargets: 0, maxSegment: 0 };
        for (const { microBatches, countedTokens } of await all(planned.batches())) {
          expect(countedTokens).toBe(microBatches.reduce((sum, { targets }) => sum + targets.length, 0));
          for (const { ids, targets, segmentStart, segmentEnd } of microBatches) {
            largest.maxTokens = Math.max(largest.maxTokens, ids.length);
            largest.maxTargets = Math.max(largest.maxTargets, targets.length);
            for (const [index, end] of segmentEnd.entries()) {
              largest.maxSegment = Math.max(largest.maxSegment, end - (segmentStart[index] ?? 0));
            }
          }
        }
        const { maxTokens, maxTargets, maxSegment } = planned;
        if (options.shuffle) {
          expect(largest.maxTokens).toBeLessThanOrEqual(maxTokens);
          expect(largest.maxTargets).toBeLessThanOrEqual(maxTargets);
          expect(maxTokens).toBeLessThanOrEqual(options.batchSize * options.maxLength);
        } else expect({ maxTokens, maxTargets, maxSegment }).toEqual(largest);
        expect(maxSegment).toBe(largest.maxSegment);
      }),
    );
  });

  it("gives 1×8, 2×4 and 8×1 the same rows in every step", async () => {
    await fc.assert(
      fc.asyncProperty(dataset, settings, async (examples, options) => {
        const sizes = [
          [1, 8],
          [2, 4],
          [8, 1],
        ];
        const [first, ...others] = await Promise.all(
          sizes.map(async ([batchSize = 1, gradientAccumulation = 1]) => {
            const steps = await stepsOf(examples, { ...options, batchSize, gradientAccumulation });
            return steps.map(({ microBatches, countedTokens }) => {
              return { rows: microBatches.flatMap(rowsOf), countedTokens };
            });
          }),
        );
        for (const other of others) expect(other).toEqual(first);
      }),
    );
  });

  it("starts again at any step with the same batches", async () => {
    await fc.assert(
      fc.asyncProperty(dataset, settings, fc.nat({ max: 200 }), async (examples, options, at) => {
        const steps = await stepsOf(examples, options);
        const from = at % (steps.length + 1);
        expect(await all(plan(examples, options).batches(from))).toEqual(steps.slice(from));
      }),
    );
  });

  it("shuffles by seed and epoch", async () => {
    const examples = Array.from({ length: 50 }, (_, row) => example(row, 5));
    const order = async (seed: number, pack = false) => {
      const steps = await stepsOf(examples, { ...defaults, shuffle: true, seed, pack, epochs: 2 });
      return steps.flatMap(({ microBatches }) => microBatches.flatMap(rowsOf));
    };
    const fileOrder = examples.map((_, row) => row);
    for (const pack of [false, true]) {
      const both = await order(1, pack);
      expect(await order(1, pack)).toEqual(both);
      expect(await order(2, pack)).not.toEqual(both);
      expect(both.slice(0, 50)).not.toEqual(both.slice(50));
      expect(both.slice(0, 50)).not.toEqual(fileOrder);
    }
  });

  it("favours no row with a place: over 2000 seeds each row comes first about equally often", async () => {
    const examples = Array.from({ length: 8 }, (_, row) => example(row, 2));
    const firsts = new Array<number>(8).fill(0);
    for (let seed = 0; seed < 2000; seed++) {
      const [step] = await stepsOf(examples, { ...defaults, shuffle: true, seed, steps: 1 });
      const row = step?.microBatches.flatMap(rowsOf)[0] ?? -1;
      firsts[row] = (firsts[row] ?? 0) + 1;
    }
    // 250 expected each; 5 standard deviations are 74.
    for (const count of firsts) expect(Math.abs(count - 250)).toBeLessThan(74);
  });

  it("does not show a packed epoch by falling length", async () => {
    const examples = Array.from({ length: 64 }, (_, row) => example(row, 10 + (row % 30)));
    const steps = await stepsOf(examples, { ...defaults, maxLength: 40, pack: true, shuffle: true });
    const firsts = steps.map(({ microBatches }) => microBatches[0]?.segmentEnd[0] ?? 0);
    expect(firsts).not.toEqual(firsts.toSorted((a, b) => b - a));
  });

  it("has no steps without rows and refuses a row beyond the maximum", async () => {
    expect(plan([], defaults)).toMatchObject({ steps: 0, maxTokens: 0, maxTargets: 0, maxSegment: 0 });
    expect(await stepsOf([], { ...defaults, steps: 5 })).toEqual([]);
    expect(() => plan([example(0, 3), example(1, 9)], { ...defaults, maxLength: 8 })).toThrow(
      "the dataset: a row has 9 tokens, more than max length 8; tokenize the dataset again with this max length.",
    );
  });

  it("makes one step ahead and no more, hands on a failed read, and stops where its reader stops", async () => {
    const rows = Array.from({ length: 9 }, (_, row) => example(row, 3));
    const table = tableOf(rows);
    const asked: number[] = [];
    const counting = {
      ...table,
      load: (wanted: ArrayLike<number>) => {
        const [row = -1] = Array.from(wanted);
        asked.push(row);
        return row === 5 ? Promise.reject(new RangeError("row 5")) : table.load(wanted);
      },
    };
    const { batches } = planSteps(counting, defaults);
    for await (const { step } of batches()) {
      expect(asked.length).toBe(step + 2);
      if (step === 2) break;
    }
    expect(asked).toEqual([0, 1, 2, 3]);
    await expect(all(batches())).rejects.toThrow("row 5");
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
  it("covers every row once, in file order, within the bounds", async () => {
    await fc.assert(
      fc.asyncProperty(dataset, fc.integer({ min: 1, max: 100 }), async (examples, tokensPerBatch) => {
        const batches = evaluationBatches(tableOf(examples), tokensPerBatch);
        const made = await all(batches);
        expect(made.flatMap(rowsOf)).toEqual(examples.map((_, row) => row));
        expect(await all(batches)).toEqual(made);
        expect(Math.max(...made.map(({ ids }) => ids.length))).toBe(batches.maxTokens);
        expect(Math.max(...made.map(({ targets }) => targets.length))).toBe(batches.maxTargets);
        expect(batches.maxSegment).toBe(Math.max(...examples.map(({ ids }) => ids.length)));
        for (const { ids, segmentEnd } of made) {
          expect(ids.length <= tokensPerBatch || segmentEnd[0] === ids.length).toBe(true);
        }
      }),
    );
  });

  it("makes the same batches of rows that come one by one", async () => {
    async function* stream(examples: readonly TokenizedExample[]): AsyncGenerator<TokenizedExample> {
      yield* examples;
    }
    await fc.assert(
      fc.asyncProperty(dataset, fc.integer({ min: 40, max: 100 }), async (examples, tokensPerBatch) => {
        const streamed = streamedEvaluation(() => stream(examples), 40, tokensPerBatch);
        const whole = evaluationBatches(tableOf(examples), tokensPerBatch);
        expect(await all(streamed)).toEqual(await all(whole));
        expect(whole.maxTokens).toBeLessThanOrEqual(streamed.maxTokens);
        expect(whole.maxTargets).toBeLessThanOrEqual(streamed.maxTargets);
        expect(whole.maxSegment).toBeLessThanOrEqual(streamed.maxSegment);
      }),
    );
  });
});
