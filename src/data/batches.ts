/** Which rows each optimizer step sees, and how large its micro-batches get. Epochs and steps are counted as the HF Trainer does. */
import { DataError } from "./errors";
import type { ExampleTable } from "./example-table";
import { epochRandom, shuffledOrder } from "./order";
import { makePackedBatch } from "./packed-batch";
import { packBfd, trlGroup } from "./packing";
import { readAhead } from "./read-ahead";
import type { PackedBatch, StepBatch } from "./types";

/** A training recipe has all of these. */
export interface BatchOptions {
  /** Rows (bins where `pack`) per micro-batch. */
  readonly batchSize: number;
  /** Micro-batches per optimizer step. */
  readonly gradientAccumulation: number;
  /** Tokens per row, and per bin where `pack`. */
  readonly maxLength: number;
  readonly pack: boolean;
  readonly shuffle: boolean;
  readonly seed: number;
  /** Optimizer steps; null: as many as `epochs` gives. */
  readonly steps: number | null;
  /** May be fractional. */
  readonly epochs: number;
}

/** No micro-batch exceeds these. */
export interface BatchBounds {
  readonly maxTokens: number;
  readonly maxTargets: number;
  /** Tokens of the longest document. */
  readonly maxSegment: number;
}

export interface StepPlan extends BatchBounds {
  /** Optimizer steps of the run. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** The steps from number `from` to the last, each made when it is asked for. The same `from` always gives the same steps. */
  batches(from?: number): AsyncGenerator<StepBatch, void>;
}

/**
 * One epoch in visiting order. Unit u, the examples from `starts[u]` up to `starts[u + 1]` in `examples`, counts as one row
 * of a micro-batch: a bin, or a single row.
 */
interface Epoch {
  readonly examples: Uint32Array<ArrayBuffer>;
  readonly starts: Uint32Array<ArrayBuffer>;
}

/**
 * An epoch's last step takes what is left: fewer micro-batches, the last one perhaps smaller. Without `shuffle`, rows come
 * in file order and bins in TRL's order. With it, rows are shuffled, packed as one group and the bins shuffled again, since
 * packing sorts by length; how many bins there are depends on the lengths alone, so every epoch has as many steps.
 */
export function planSteps(table: ExampleTable, options: BatchOptions): StepPlan {
  refuseLongRows(table, options.maxLength);
  const { batchSize, gradientAccumulation } = options;
  const firstEpoch = epochOf(table, options, 0);
  const units = firstEpoch.starts.length - 1;
  const microBatches = Math.ceil(units / batchSize);
  const stepsPerEpoch = Math.ceil(microBatches / gradientAccumulation);
  const steps = table.count === 0 ? 0 : stepsOf(options, stepsPerEpoch);

  async function* batches(from = 0): AsyncGenerator<StepBatch, void> {
    let number = 0;
    let epoch = firstEpoch;
    for (let step = from; step < steps; step++) {
      const stepEpoch = Math.floor(step / stepsPerEpoch);
      if (stepEpoch !== number) {
        number = stepEpoch;
        epoch = epochOf(table, options, number);
      }
      const { examples, starts } = epoch;
      const first = (step % stepsPerEpoch) * gradientAccumulation;
      const last = Math.min(first + gradientAccumulation, microBatches);
      const startOf = (micro: number) => starts[Math.min(micro * batchSize, units)] ?? 0;
      const start = startOf(first);
      const rows = await table.load(examples.subarray(start, startOf(last)));
      const packed: PackedBatch[] = [];
      for (let micro = first; micro < last; micro++) {
        packed.push(makePackedBatch(rows.slice(startOf(micro) - start, startOf(micro + 1) - start)));
      }
      yield stepBatch(step, number + last / microBatches, packed);
    }
  }

  return { steps, stepsPerEpoch, ...bounds(table, firstEpoch, options), batches: (from) => readAhead(batches(from)) };
}

/** Steps of a run whose epoch has `stepsPerEpoch`. */
export function stepsOf({ steps, epochs }: BatchOptions, stepsPerEpoch: number): number {
  return steps ?? Math.max(1, Math.ceil(epochs * stepsPerEpoch));
}

export function stepBatch(step: number, epoch: number, microBatches: readonly PackedBatch[]): StepBatch {
  const countedTokens = microBatches.reduce((sum, batch) => sum + batch.targets.length, 0);
  return { step, epoch, microBatches, countedTokens };
}

function epochOf(table: ExampleTable, options: BatchOptions, epoch: number): Epoch {
  const { pack, maxLength, seed, shuffle } = options;
  const random = shuffle ? epochRandom(seed, epoch) : null;
  const order = random
    ? shuffledOrder(table.count, random)
    : Uint32Array.from({ length: table.count }, (_, row) => row);
  if (!pack) return { examples: order, starts: Uint32Array.from({ length: table.count + 1 }, (_, unit) => unit) };
  const lengths = Array.from(order, (example) => table.length(example));
  const bins = packBfd(lengths, maxLength, random ? Number.POSITIVE_INFINITY : trlGroup);
  const visited = random ? Array.from(shuffledOrder(bins.length, random), (bin) => bins[bin] ?? []) : bins;
  const examples = new Uint32Array(visited.reduce((sum, bin) => sum + bin.length, 0));
  const starts = new Uint32Array(visited.length + 1);
  let end = 0;
  for (const [unit, bin] of visited.entries()) {
    for (const row of bin) examples[end++] = order[row] ?? 0;
    starts[unit + 1] = end;
  }
  return { examples, starts };
}

/**
 * Exact without `shuffle`. With it, the fullest units may meet in one micro-batch, and in a bin a row may stand for any other
 * of its length (the packer sees lengths only), so each counts with the most targets that a row of its length has.
 */
function bounds(table: ExampleTable, { examples, starts }: Epoch, options: BatchOptions): BatchBounds {
  const length = (example: number) => table.length(example);
  let targets = (example: number) => table.targets(example);
  if (options.shuffle && options.pack) {
    const most = new Map<number, number>();
    for (const example of examples) {
      most.set(length(example), Math.max(most.get(length(example)) ?? 0, table.targets(example)));
    }
    targets = (example) => most.get(length(example)) ?? 0;
  }
  const worst = (size: (example: number) => number) => {
    const totals = new Float64Array(starts.length - 1);
    for (let unit = 0; unit < totals.length; unit++) {
      const end = starts[unit + 1] ?? 0;
      for (let at = starts[unit] ?? 0; at < end; at++) totals[unit] = (totals[unit] ?? 0) + size(examples[at] ?? 0);
    }
    if (options.shuffle) totals.sort().reverse();
    let largest = 0;
    // Shuffled, the first micro-batch holds the fullest units already.
    const stop = options.shuffle ? Math.min(totals.length, 1) : totals.length;
    for (let unit = 0; unit < stop; unit += options.batchSize) {
      const total = totals.subarray(unit, unit + options.batchSize).reduce((sum, value) => sum + value, 0);
      largest = Math.max(largest, total);
    }
    return largest;
  };
  const maxSegment = examples.reduce((longest, example) => Math.max(longest, length(example)), 0);
  return { maxTokens: worst(length), maxTargets: worst(targets), maxSegment };
}

function refuseLongRows(table: ExampleTable, maxLength: number): void {
  for (let example = 0; example < table.count; example++) {
    const length = table.length(example);
    if (length <= maxLength) continue;
    throw new DataError({
      file: "the dataset",
      problem: `a row has ${length} tokens, more than max length ${maxLength}`,
      remedy: "tokenize the dataset again with this max length",
    });
  }
}
