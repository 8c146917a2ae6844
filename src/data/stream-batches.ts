/**
 * Steps over rows that are read and tokenized as they are visited, for datasets that memory does not hold. How many bins an
 * epoch gives is known only after it, so the steps of a run are estimated from a sample and fixed before the run.
 */
import { type BatchOptions, type StepPlan, stepBatch, stepsOf } from "./batches";
import { epochRandom, shuffledOrder } from "./order";
import { makePackedBatch } from "./packed-batch";
import { packBfd, trlGroup } from "./packing";
import { readAhead } from "./read-ahead";
import { batchesOf } from "./survey/row-reader";
import type { PackedBatch, StepBatch, TokenizedExample } from "./types";

export interface RowStream {
  /** Rows of an epoch, those with problems included. */
  readonly rows: number;
  /** Lengths of the examples that some rows, drawn evenly, gave. */
  readonly sample: { readonly rows: number; readonly lengths: readonly number[] };
  /** Every row of the epoch once: in seeded order, or in file order. A function of the arguments alone. */
  visit(order: { readonly seed: number; readonly shuffle: boolean }, epoch: number): Iterable<number>;
  /**
   * What the rows give, in this order. Rows with a problem that is skipped are left out and counted. Throws `DataError` for a
   * row with another one, and when a file is gone.
   */
  load(rows: readonly number[]): Promise<{ readonly examples: readonly TokenizedExample[]; readonly leftOut: number }>;
}

export interface StreamPlan extends StepPlan {
  /** Rows with a problem among those visited so far; later epochs meet the same ones again and do not count. */
  leftOutRows(): number;
}

/** Rows that are read together where nothing is packed. */
const unpackedGroup = 64;

/**
 * Rows are packed in groups of as many as TRL packs together, and the bins of a group are shuffled. An epoch ends when each
 * row was visited; its last step takes what is left. A run may end in mid-epoch, or go a few steps into a further one.
 * Going on from a step reads the rows before it again.
 */
export function planStream(stream: RowStream, options: BatchOptions): StreamPlan {
  const { batchSize, gradientAccumulation, maxLength } = options;
  const stepsPerEpoch = Math.ceil(Math.ceil(estimatedUnits(stream, options) / batchSize) / gradientAccumulation);
  const steps = stepsPerEpoch === 0 ? 0 : stepsOf(options, stepsPerEpoch);
  let leftOut = 0;

  async function* batches(from: number): AsyncGenerator<StepBatch, void> {
    leftOut = 0;
    let step = 0;
    for (let epoch = 0; step < steps; epoch++) {
      let micro: PackedBatch[] = [];
      let rows: (readonly TokenizedExample[])[] = [];
      /** Micro-batches of the step under way. */
      let full = 0;
      let found = false;
      for await (const unit of units(epoch)) {
        found = true;
        rows.push(unit.examples);
        if (rows.length < batchSize) continue;
        if (step >= from) micro.push(makePackedBatch(rows.flat()));
        rows = [];
        full++;
        if (full < gradientAccumulation) continue;
        if (step >= from) yield stepBatch(step, epoch + unit.progress, micro);
        micro = [];
        full = 0;
        step++;
        if (step === steps) return;
      }
      if (!found) return;
      if (rows.length > 0 || full > 0) {
        if (step >= from) {
          if (rows.length > 0) micro.push(makePackedBatch(rows.flat()));
          yield stepBatch(step, epoch + 1, micro);
        }
        step++;
      }
    }
  }
  async function* units(
    epoch: number,
  ): AsyncGenerator<{ readonly examples: readonly TokenizedExample[]; readonly progress: number }, void> {
    const random = options.shuffle ? epochRandom(options.seed, epoch) : null;
    let visited = 0;
    for (const rows of batchesOf(stream.visit(options, epoch), options.pack ? trlGroup : unpackedGroup)) {
      const { examples, leftOut: bad } = await stream.load(rows);
      if (epoch === 0) leftOut += bad;
      const bins = options.pack
        ? packBfd(
            examples.map(({ ids }) => ids.length),
            maxLength,
            Number.POSITIVE_INFINITY,
          )
        : examples.map((_, index) => [index]);
      const order = random && options.pack ? shuffledOrder(bins.length, random) : bins.keys();
      let done = 0;
      for (const bin of order) {
        done++;
        const progress = (visited + (rows.length * done) / bins.length) / stream.rows;
        yield { examples: (bins[bin] ?? []).flatMap((index) => examples[index] ?? []), progress };
      }
      visited += rows.length;
    }
  }

  return {
    steps,
    stepsPerEpoch,
    maxTokens: batchSize * maxLength,
    maxTargets: batchSize * maxLength,
    maxSegment: maxLength,
    batches: (from = 0) => readAhead(batches(from)),
    leftOutRows: () => leftOut,
  };
}

function estimatedUnits({ rows, sample }: RowStream, { pack, maxLength }: BatchOptions): number {
  if (sample.rows === 0) return 0;
  const units = pack ? packBfd(sample.lengths, maxLength).length : sample.lengths.length;
  return Math.round((units * rows) / sample.rows);
}
