/**
 * What a dataset holds: every row read and tokenized once, or, where that is too much, a seeded random sample. Of each row
 * some 25 bytes are kept, never all its tokens.
 */

import { type ProblemKind, problemKinds } from "../errors";
import type { RowSource } from "../rows/types";
import { float64Column, uint8Column, uint32Column } from "./column";
import { ExampleStore } from "./example-store";
import { type LengthHistogram, lengthHistogram } from "./histogram";
import { Problems } from "./problems";
import type { Reading, ReadRow } from "./read-row";
import { readRows } from "./row-reader";
import { type Split, splitRows } from "./split";
import { contains, repeats, tokenHash } from "./token-hash";

/** Up to here every row is looked at. */
export interface SurveyLimits {
  /** Bytes of the files. */
  readonly bytes: number;
  /** Tokens before the policy for long rows: files may be compressed. */
  readonly tokens: number;
  /** Rows of a sample, held-out rows apart, … */
  readonly sampleRows: number;
  readonly heldOutRows: number;
  /** … and its tokens. */
  readonly sampleTokens: number;
}

export const surveyLimits: SurveyLimits = {
  bytes: 32 * 1024 * 1024,
  tokens: 32_000_000,
  sampleRows: 4000,
  heldOutRows: 1000,
  sampleTokens: 8_000_000,
};

export interface SurveyOptions {
  readonly evalShare: number;
  readonly seed: number;
  readonly limits?: SurveyLimits;
  readonly signal?: AbortSignal | null;
  /** Rows done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Sums over rows, as found: of all rows where `exact`, of the sample otherwise. */
export interface Sums {
  rows: number;
  problemRows: number;
  droppedRows: number;
  splitRows: number;
  truncatedRows: number;
}

export interface Survey {
  /** True where every row was looked at. */
  readonly exact: boolean;
  readonly split: Split;
  /** Of all surveyed rows. */
  readonly sums: Readonly<Sums>;
  /** Of those of them that are held out. */
  readonly heldOutSums: Readonly<Sums>;
  /** Surveyed rows that are trained on, those with problems and dropped ones included. */
  readonly trainedRows: number;
  /** Surveyed examples, and those of them that are trained on or held out. */
  readonly store: ExampleStore;
  readonly trained: Uint32Array<ArrayBuffer>;
  readonly heldOut: Uint32Array<ArrayBuffer>;
  readonly problems: Problems;
  readonly histogram: LengthHistogram;
  /** Of the surveyed rows that are trained on and gave examples, in ascending order. */
  readonly hashes: Float64Array<ArrayBuffer>;
  /** Surveyed rows whose tokens an earlier one has too. */
  readonly duplicateRows: number;
  /** Surveyed held-out rows whose tokens a surveyed row that is trained on has too. */
  readonly sharedHeldOutRows: number;
  /** Surveyed rows with a problem of this kind. */
  rowsWith(kind: ProblemKind): number[];
  /** Surveyed rows that gave examples, with the hash of their tokens. */
  hashedRows(): Generator<{ readonly row: number; readonly hash: number }, void>;
}

/** Throws `DataError` when a file cannot be read any more, and the signal's reason. */
export async function surveyRows(source: RowSource, reading: Reading, options: SurveyOptions): Promise<Survey> {
  const { limits = surveyLimits } = options;
  const split = splitRows(source.rows, options.evalShare, options.seed);
  const whole = source.bytes <= limits.bytes ? await surveyWhole(source, reading, split, limits, options) : null;
  return whole ?? surveySample(source, reading, split, limits, options);
}

/** Null where the rows turn out to hold too many tokens. */
async function surveyWhole(
  source: RowSource,
  reading: Reading,
  split: Split,
  limits: SurveyLimits,
  { signal, onProgress }: SurveyOptions,
): Promise<Survey | null> {
  const tally = new Tally(source, reading, split);
  const progress = rationed(onProgress, source.rows);
  for await (const read of readRows(source, source.rows, reading, signal)) {
    tally.add(read);
    progress(tally.rows);
    const projected = tally.rows < limits.sampleRows ? tally.tokens : (tally.tokens / tally.rows) * source.rows;
    if (projected > limits.tokens) return null;
  }
  return tally.result(true);
}

/** Held-out and trained rows are drawn evenly, each side on its own. */
async function surveySample(
  source: RowSource,
  reading: Reading,
  split: Split,
  limits: SurveyLimits,
  { signal, onProgress }: SurveyOptions,
): Promise<Survey> {
  const tally = new Tally(source, reading, split);
  const sides = [
    { rows: Math.min(split.heldOut, limits.heldOutRows), row: split.heldOutRow },
    { rows: Math.min(split.trained, limits.sampleRows), row: split.trainedRow },
  ];
  const total = sides.reduce((sum, { rows }) => sum + rows, 0);
  const progress = rationed(onProgress, total);
  for (const side of sides) {
    const before = tally.tokens;
    const rows = Array.from({ length: side.rows }, (_, index) => side.row(index));
    for await (const read of readRows(source, rows, reading, signal)) {
      tally.add(read);
      progress(tally.rows);
      if (tally.tokens - before > limits.sampleTokens) break;
    }
  }
  return tally.result(false);
}

class Tally {
  readonly #split: Split;
  readonly #store: ExampleStore;
  readonly #sums = noRows();
  readonly #heldOutSums = noRows();
  readonly #problems = new Problems();
  readonly #rows = uint32Column();
  /** For each row 0, or 1 + the number of its problem's kind. */
  readonly #kinds = uint8Column();
  /** For each row, −1 where it gave no example. */
  readonly #hashes = float64Column();
  readonly #lengths = uint32Column();
  readonly #trained = uint32Column();
  readonly #heldOut = uint32Column();
  #trainedRows = 0;
  tokens = 0;

  constructor(source: RowSource, reading: Reading, split: Split) {
    this.#split = split;
    this.#store = new ExampleStore(source, reading);
  }

  get rows(): number {
    return this.#sums.rows;
  }

  add(read: ReadRow): void {
    const { raw, examples, length, problem } = read;
    const heldOut = this.#split.isHeldOut(raw.row);
    countRow(this.#sums, read);
    if (heldOut) countRow(this.#heldOutSums, read);
    else this.#trainedRows++;
    this.tokens += length;
    this.#rows.push(raw.row);
    this.#kinds.push(problem ? 1 + problemKinds.indexOf(problem.kind) : 0);
    this.#hashes.push(examples.length > 0 ? tokenHash(examples) : -1);
    if (problem) {
      this.#problems.add(read);
      return;
    }
    this.#lengths.push(length);
    const side = heldOut ? this.#heldOut : this.#trained;
    for (let index = 0; index < examples.length; index++) side.push(this.#store.count + index);
    this.#store.add(raw.row, examples);
  }

  result(exact: boolean): Survey {
    const rows = this.#rows;
    const kinds = this.#kinds;
    const hashes = this.#hashes;
    function* hashedRows(): Generator<{ readonly row: number; readonly hash: number }, void> {
      for (let index = 0; index < rows.count; index++) {
        const hash = hashes.at(index);
        if (hash >= 0) yield { row: rows.at(index), hash };
      }
    }
    const split = this.#split;
    const trainedHashes = float64Column();
    const heldOutHashes = float64Column();
    for (const { row, hash } of hashedRows()) (split.isHeldOut(row) ? heldOutHashes : trainedHashes).push(hash);
    const sorted = trainedHashes.values().sort();
    const heldOut = heldOutHashes.values();
    const all = hashes
      .values()
      .filter((hash) => hash >= 0)
      .sort();
    return {
      exact,
      split,
      sums: this.#sums,
      heldOutSums: this.#heldOutSums,
      trainedRows: this.#trainedRows,
      store: this.#store,
      trained: this.#trained.values(),
      heldOut: this.#heldOut.values(),
      problems: this.#problems,
      histogram: lengthHistogram(this.#lengths.values()),
      hashes: sorted,
      duplicateRows: repeats(all),
      sharedHeldOutRows: heldOut.reduce((count, hash) => count + (contains(sorted, hash) ? 1 : 0), 0),
      rowsWith(kind) {
        const wanted = 1 + problemKinds.indexOf(kind);
        const found: number[] = [];
        for (let index = 0; index < rows.count; index++) if (kinds.at(index) === wanted) found.push(rows.at(index));
        return found;
      },
      hashedRows,
    };
  }
}

const noRows = (): Sums => ({ rows: 0, problemRows: 0, droppedRows: 0, splitRows: 0, truncatedRows: 0 });

function countRow(sums: Sums, { examples, dropped, problem }: ReadRow): void {
  sums.rows++;
  if (problem) sums.problemRows++;
  if (dropped) sums.droppedRows++;
  if (examples.length > 1) sums.splitRows++;
  if (examples.some(({ truncated }) => truncated > 0)) sums.truncatedRows++;
}

/** At most a hundred reports, and the last one. */
function rationed(report: SurveyOptions["onProgress"], total: number): (done: number) => void {
  const every = Math.max(1, Math.floor(total / 100));
  return (done) => {
    if (done % every === 0 || done === total) report?.(done, total);
  };
}
