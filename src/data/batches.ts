/** Which rows each optimizer step sees, and how large its micro-batches get. Epochs and steps are counted as the HF Trainer does. */
import { DataError } from "./errors";
import { epochRandom, shuffled } from "./order";
import { countTargets, makePackedBatch } from "./packed-batch";
import { packBfd, trlGroup } from "./packing";
import type { PackedBatch, StepBatch, TokenizedExample } from "./types";

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

/** What counts as one row of a micro-batch: the documents of a bin, or a single row. */
type Unit = readonly TokenizedExample[];

export interface StepPlan extends BatchBounds {
  /** Optimizer steps of the run. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** The steps from number `from` to the last, each made when it is asked for. The same `from` always gives the same steps. */
  batches(from?: number): IterableIterator<StepBatch>;
}

export interface EvaluationBatches extends BatchBounds, Iterable<PackedBatch> {}

/**
 * An epoch's last step takes what is left: fewer micro-batches, the last one perhaps smaller. Without `shuffle`, rows come
 * in file order and bins in TRL's order. With it, rows are shuffled, packed as one group and the bins shuffled again, since
 * packing sorts by length; how many bins there are depends on the lengths alone, so every epoch has as many steps.
 */
export function planSteps(examples: readonly TokenizedExample[], options: BatchOptions): StepPlan {
  refuseLongRows(examples, options.maxLength);
  const { batchSize, gradientAccumulation } = options;
  const firstEpoch = epochUnits(examples, options, 0);
  const microBatches = Math.ceil(firstEpoch.length / batchSize);
  const stepsPerEpoch = Math.ceil(microBatches / gradientAccumulation);
  const steps = examples.length === 0 ? 0 : (options.steps ?? Math.max(1, Math.ceil(options.epochs * stepsPerEpoch)));

  function* batches(from = 0): Generator<StepBatch, undefined> {
    let epoch = 0;
    let units = firstEpoch;
    for (let step = from; step < steps; step++) {
      const stepEpoch = Math.floor(step / stepsPerEpoch);
      if (stepEpoch !== epoch) {
        epoch = stepEpoch;
        units = epochUnits(examples, options, epoch);
      }
      const first = (step % stepsPerEpoch) * gradientAccumulation;
      const last = Math.min(first + gradientAccumulation, microBatches);
      const packed: PackedBatch[] = [];
      for (let micro = first; micro < last; micro++) {
        packed.push(makePackedBatch(units.slice(micro * batchSize, (micro + 1) * batchSize).flat()));
      }
      const countedTokens = packed.reduce((sum, batch) => sum + batch.targets.length, 0);
      yield { step, epoch: epoch + last / microBatches, microBatches: packed, countedTokens };
    }
  }

  return { steps, stepsPerEpoch, ...bounds(firstEpoch, options), batches };
}

/** One pass in file order for a held-out loss: as many whole rows per batch as `tokensPerBatch` holds, at least one. */
export function evaluationBatches(examples: readonly TokenizedExample[], tokensPerBatch: number): EvaluationBatches {
  const groups: TokenizedExample[][] = [];
  let group: TokenizedExample[] = [];
  let tokens = 0;
  for (const example of examples) {
    if (group.length > 0 && tokens + example.ids.length > tokensPerBatch) {
      groups.push(group);
      group = [];
      tokens = 0;
    }
    group.push(example);
    tokens += example.ids.length;
  }
  if (group.length > 0) groups.push(group);
  return {
    maxTokens: largest(groups, tokenCount),
    maxTargets: largest(groups, countTargets),
    maxSegment: longest(examples),
    *[Symbol.iterator]() {
      for (const rows of groups) yield makePackedBatch(rows);
    },
  };
}

/** The epoch in visiting order. Each unit counts as one row of a micro-batch: a bin, or a single row. */
function epochUnits(examples: readonly TokenizedExample[], options: BatchOptions, epoch: number): Unit[] {
  const { pack, maxLength, seed } = options;
  if (!options.shuffle) return pack ? binsOf(examples, maxLength, trlGroup) : examples.map((example) => [example]);
  const random = epochRandom(seed, epoch);
  const rows = shuffled(examples, random);
  if (!pack) return rows.map((row) => [row]);
  return shuffled(binsOf(rows, maxLength, Number.POSITIVE_INFINITY), random);
}

function binsOf(examples: readonly TokenizedExample[], maxLength: number, groupSize: number): Unit[] {
  const bins = packBfd(examples.map(tokenCount), maxLength, groupSize);
  return bins.map((bin) => bin.flatMap((row) => examples[row] ?? []));
}

/**
 * Exact without `shuffle`. With it, the fullest units may meet in one micro-batch, and in a bin a row may stand for any other
 * of its length (the packer sees lengths only), so each counts with the most targets that a row of its length has.
 */
function bounds(units: readonly Unit[], options: BatchOptions): BatchBounds {
  const most = new Map<number, number>();
  for (const example of units.flat()) {
    const length = tokenCount(example);
    most.set(length, Math.max(most.get(length) ?? 0, countTargets(example)));
  }
  const targetCount =
    options.shuffle && options.pack ? (example: TokenizedExample) => most.get(tokenCount(example)) ?? 0 : countTargets;
  const worst = (size: (example: TokenizedExample) => number) => {
    const total = (unit: Unit) => unit.reduce((sum, example) => sum + size(example), 0);
    const ordered = options.shuffle ? units.toSorted((a, b) => total(b) - total(a)) : units;
    const groups: Unit[] = [];
    for (let start = 0; start < ordered.length; start += options.batchSize) {
      groups.push(ordered.slice(start, start + options.batchSize).flat());
    }
    return largest(groups, size);
  };
  return { maxTokens: worst(tokenCount), maxTargets: worst(targetCount), maxSegment: longest(units.flat()) };
}

function largest(groups: readonly Unit[], size: (example: TokenizedExample) => number): number {
  const total = (group: Unit) => group.reduce((sum, example) => sum + size(example), 0);
  return groups.reduce((most, group) => Math.max(most, total(group)), 0);
}

function longest(examples: readonly TokenizedExample[]): number {
  return examples.reduce((most, example) => Math.max(most, tokenCount(example)), 0);
}

function tokenCount({ ids }: TokenizedExample): number {
  return ids.length;
}

function refuseLongRows(examples: readonly TokenizedExample[], maxLength: number): void {
  const long = examples.find(({ ids }) => ids.length > maxLength);
  if (long === undefined) return;
  const problem = `the row has ${long.ids.length} tokens, more than max length ${maxLength}`;
  throw new DataError({ ...long.origin, problem, remedy: "tokenize the dataset again with this max length" });
}
