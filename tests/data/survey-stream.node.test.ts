/** Training on more rows than memory holds: every row once per epoch, in the order that seed and epoch give, read as it is visited. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BatchOptions } from "../../src/data/batches";
import { allBatches, type Dataset, heldOutBatches, planTraining } from "../../src/data/dataset";
import { DataError } from "../../src/data/errors";
import { refusalOf } from "../../src/data/refusal";
import { planStream, type RowStream } from "../../src/data/stream-batches";
import { splitRows } from "../../src/data/survey/split";
import type { PackedBatch, TokenizedExample } from "../../src/data/types";
import { jsonLines, look, sampled } from "../support/dataset";

const defaults: BatchOptions = {
  batchSize: 1,
  gradientAccumulation: 1,
  maxLength: 64,
  pack: false,
  shuffle: true,
  seed: 3,
  steps: null,
  epochs: 1,
};

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}

/** The documents of a batch, as texts of their ids. */
function documents({ ids, segmentStart, segmentEnd }: PackedBatch): string[] {
  const starts = [...new Set(segmentStart)];
  return starts.map((start) => ids.subarray(start, segmentEnd[start]).join());
}

async function visited(dataset: Dataset, options: BatchOptions): Promise<string[][]> {
  const steps = await all(planTraining(dataset, options).batches());
  return steps.map(({ microBatches }) => microBatches.flatMap(documents));
}

/** Rows whose numbers are all their tokens say; `lengths` are theirs, 0 marks a row with a problem. */
function numberedStream(lengths: readonly number[], sampleRows = lengths.length): RowStream {
  const good = (row: number): TokenizedExample => ({
    origin: { file: "rows.jsonl", line: row + 1 },
    ids: new Uint32Array(lengths[row] ?? 1).fill(row),
    counted: new Uint8Array(lengths[row] ?? 1).fill(1, 1),
    truncated: 0,
  });
  return {
    rows: lengths.length,
    sample: { rows: sampleRows, lengths: lengths.slice(0, sampleRows).filter((length) => length > 0) },
    visit: splitRows(lengths.length, 0, 1).visit,
    async load(rows) {
      const usable = rows.filter((row) => (lengths[row] ?? 0) > 0);
      return { examples: usable.map(good), leftOut: rows.length - usable.length };
    },
  };
}

describe("streamed training", () => {
  const rows = Array.from({ length: 2500 }, (_, row) => ({ text: `row ${row} ${"and more ".repeat(row % 9)}` }));
  const text = jsonLines(rows);

  it.each([
    { pack: false, shuffle: false },
    { pack: false, shuffle: true },
    { pack: true, shuffle: true },
    { pack: true, shuffle: false },
  ])("visits the rows that training in memory visits, each once per epoch: %j", async (mode) => {
    const options = { ...defaults, ...mode, batchSize: 4, gradientAccumulation: 2 };
    const streamed = await look(text, { maxLength: 64, limits: sampled });
    const whole = await look(text, { maxLength: 64 });
    expect([streamed.survey.exact, whole.survey.exact]).toEqual([false, true]);
    const plan = planTraining(streamed, options);
    // More steps than two epochs need: how many they are is estimated.
    const steps = await visited(streamed, { ...options, steps: 2 * plan.stepsPerEpoch + 20 });
    const expected = (await visited(whole, options)).flat();
    const flat = steps.flat();
    // Compared as one text each: a difference would print thousands of rows.
    const set = (documents: readonly string[]) => documents.toSorted().join("\n") === expected.toSorted().join("\n");
    const first = flat.slice(0, expected.length);
    const second = flat.slice(expected.length, 2 * expected.length);
    expect([set(first), set(second)]).toEqual([true, true]);
    expect(first.join() === second.join()).toBe(!mode.shuffle);
    if (!mode.shuffle) expect(first.join() === expected.join()).toBe(true);
    const exact = planTraining(whole, options).stepsPerEpoch;
    expect(Math.abs(plan.stepsPerEpoch / exact - 1)).toBeLessThan(0.05);
  });

  it("never trains on a held-out row", async () => {
    const dataset = await look(text, { maxLength: 64, limits: sampled, evalShare: 0.1 });
    const trained = new Set((await visited(dataset, { ...defaults, pack: true })).flat());
    const heldOut = (await all(heldOutBatches(dataset, 64) ?? tableless())).flatMap(documents);
    expect(heldOut).toHaveLength(250);
    for (const row of heldOut) expect(trained.has(row)).toBe(false);
    expect(trained.size).toBe(2250);
  });

  it("measures every row once, in file order, also those of a large file", async () => {
    const options = { maxLength: 64, limits: sampled };
    const streamed = allBatches(await look(text, options), 128, new AbortController().signal);
    const whole = allBatches(await look(text, { maxLength: 64 }), 128, new AbortController().signal);
    expect(await all(streamed.batches)).toEqual(await all(whole.batches));
    expect(streamed.counts()).toEqual(whole.counts());
    expect(whole.counts()).toEqual({ rows: 2500, truncatedRows: expect.any(Number), leftOutRows: 0 });
  });

  it("reads rows as they are visited, a small part of the file before the first step", async () => {
    let bytes = 0;
    let slices = 0;
    class Watched extends File {
      override slice(start = 0, end = this.size): Blob {
        bytes += end - start;
        slices++;
        return super.slice(start, end);
      }
    }
    const long = Array.from({ length: 4000 }, (_, row) => JSON.stringify({ text: `${row} `.repeat(1500) }));
    const file = new Watched([long.join("\n")], "large.jsonl");
    const limits = { ...sampled, sampleRows: 40 };
    const dataset = await look([{ name: file.name, blob: file }], { maxLength: 32, limits });
    const indexed = bytes;
    bytes = 0;
    slices = 0;
    const plan = planTraining(dataset, defaults);
    expect(plan.steps).toBe(4000);
    for await (const { step } of plan.batches()) if (step === 1) break;
    console.log(
      `streaming: ${file.size} bytes, ${indexed} to index and look, ${bytes} in ${slices} slices for 2 steps`,
    );
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(0.1 * file.size);
    expect(slices).toBeLessThan(200);
  });

  it("leaves rows with problems out, counts them once, and says how many", async () => {
    const mixed = rows.map((row, index) => (index % 5 === 0 ? { what: index } : row));
    const dataset = await look(jsonLines(mixed), {
      maxLength: 64,
      limits: { ...sampled, sampleRows: 100 },
      skip: ["shape"],
    });
    const plan = planTraining(dataset, { ...defaults, epochs: 2 }, ["shape"]);
    const seen = (await all(plan.batches())).flatMap(({ microBatches }) => microBatches.flatMap(documents));
    expect(plan.leftOutRows()).toBe(500);
    expect(new Set(seen).size).toBe(2000);
  });

  it("ends at a row whose problem the sample did not show, unless it is skipped", async () => {
    const limits = { ...sampled, sampleRows: 100 };
    const bad = splitRows(rows.length, 0, 1).trainedRow(2000);
    const mixed = jsonLines(rows.map((row, index) => (index === bad ? { what: index } : row)));
    const dataset = await look(mixed, { maxLength: 64, limits });
    expect(refusalOf(dataset, [])).toBeNull();
    const signal = new AbortController().signal;
    const passes = (skip: readonly string[]) => [
      planTraining(dataset, { ...defaults, shuffle: false }, skip).batches(),
      planTraining(dataset, { ...defaults, pack: true }, skip).batches(),
      allBatches(dataset, 128, signal, skip).batches,
    ];
    for (const batches of passes(["field"])) {
      const error: unknown = await all<unknown>(batches).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(DataError);
      expect(error).toMatchObject({ kind: "shape", line: bad + 1 });
      expect(String(error)).toMatch(
        /rows\.jsonl line \d+: the row has the columns "what", .*, or skip the rows with problems\.$/,
      );
    }
    for (const batches of passes(["shape"])) expect((await all<unknown>(batches)).length).toBeGreaterThan(0);
    // The steps before the row's own group are there to be kept.
    let steps = 0;
    const failing = async () => {
      for await (const _ of planTraining(dataset, { ...defaults, shuffle: false }).batches()) steps++;
    };
    await expect(failing()).rejects.toThrow(DataError);
    expect(steps).toBe(64 * Math.floor(bad / 64));
  });

  it("goes on from any step as if it had never stopped", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 60 }),
        fc.record({
          batchSize: fc.integer({ min: 1, max: 4 }),
          gradientAccumulation: fc.integer({ min: 1, max: 3 }),
          pack: fc.boolean(),
          shuffle: fc.boolean(),
          seed: fc.nat(),
          steps: fc.integer({ min: 1, max: 40 }),
        }),
        fc.nat({ max: 40 }),
        async (lengths, settings, at) => {
          const options = { ...defaults, maxLength: 20, ...settings };
          const stream = numberedStream(lengths);
          const steps = await all(planStream(stream, options).batches());
          const rowsLeft = lengths.some((length) => length > 0);
          expect(steps.map(({ step }) => step)).toEqual(
            Array.from({ length: rowsLeft ? options.steps : 0 }, (_, step) => step),
          );
          const { maxTokens, maxTargets, maxSegment } = planStream(stream, options);
          let epoch = 0;
          for (const step of steps) {
            expect(step.epoch).toBeGreaterThan(epoch);
            epoch = step.epoch;
            expect(step.countedTokens).toBe(step.microBatches.reduce((sum, { targets }) => sum + targets.length, 0));
            for (const { ids, targets, positions } of step.microBatches) {
              expect(ids.length).toBeLessThanOrEqual(maxTokens);
              expect(targets.length).toBeLessThanOrEqual(maxTargets);
              expect(Math.max(...positions)).toBeLessThan(maxSegment);
            }
          }
          const from = at % (steps.length + 1);
          expect(await all(planStream(stream, options).batches(from))).toEqual(steps.slice(from));
        },
      ),
    );
  });

  it("has no steps where the sample gave no example, and ends where no row is good", async () => {
    expect(planStream(numberedStream([0, 0, 0]), defaults).steps).toBe(0);
    expect(await all(planStream(numberedStream([0, 0, 0]), { ...defaults, steps: 5 }).batches())).toEqual([]);
    expect(planStream(numberedStream([]), defaults).steps).toBe(0);
  });
});

async function* tableless(): AsyncGenerator<PackedBatch> {}
