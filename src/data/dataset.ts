/** A dataset as a run uses it: what its rows hold, and its steps, in memory or streamed. */
import { type BatchOptions, planSteps, type StepPlan } from "./batches";
import { DataError } from "./errors";
import { type EvaluationBatches, evaluationBatches, streamedEvaluation } from "./evaluation-batches";
import { partOf } from "./example-table";
import type { DataOptions } from "./options";
import { refusalOfRow } from "./refusal";
import type { RowSource } from "./rows/types";
import { planStream, type RowStream } from "./stream-batches";
import type { Reading, ReadRow } from "./survey/read-row";
import { readRows } from "./survey/row-reader";
import { type Sums, type Survey, type SurveyOptions, surveyRows } from "./survey/survey";
import { withChosenTemplate } from "./templates/index";
import type { Tokenizer } from "./tokenizer";
import type { TokenizedExample } from "./types";

export interface Dataset {
  readonly name: string;
  readonly source: RowSource;
  readonly reading: Reading;
  readonly survey: Survey;
  readonly figures: DatasetFigures;
}

/** For all rows of the dataset; estimated where the survey is a sample. Rows are those of the files. */
export interface DatasetFigures {
  /** Of rows that are trained on. */
  readonly examples: number;
  readonly tokens: number;
  /** Tokens that carry loss. */
  readonly countedTokens: number;
  readonly truncatedRows: number;
  readonly droppedRows: number;
  readonly splitRows: number;
  /** A sample finds only some of them, so that there it is the least that there can be. */
  readonly duplicateRows: number;
  readonly heldOutRows: number;
  /** Held-out rows that a trained row equals; of a sample the least that there can be. */
  readonly sharedHeldOutRows: number;
  /** Tokens of the longest example. */
  readonly longestRow: number;
}

/** How rows become examples. Throws `DataError` for a chat template that cannot be used. */
export function readingOf(
  tokenizer: Tokenizer,
  options: Pick<DataOptions, "mapping" | "template" | "lossOn" | "tooLong">,
  maxLength: number,
  unknownToken: Reading["unknownToken"] = () => null,
): Reading {
  const { mapping, lossOn, tooLong } = options;
  return {
    tokenizer: withChosenTemplate(tokenizer, options.template),
    mapping,
    lossOn,
    tooLong,
    maxLength,
    unknownToken,
  };
}

/** Throws `DataError` for a dataset without rows or a file that is gone, and the signal's reason. */
export async function openDataset(
  name: string,
  source: RowSource,
  reading: Reading,
  options: SurveyOptions,
): Promise<Dataset> {
  if (source.rows === 0) {
    throw new DataError({ file: name, problem: "the file has no rows", remedy: "choose a file with at least one row" });
  }
  const survey = await surveyRows(source, reading, options);
  return { name, source, reading, survey, figures: figuresOf(source, survey) };
}

function figuresOf(source: RowSource, survey: Survey): DatasetFigures {
  const { store, sums, split, trained, heldOut } = survey;
  const ofAll = (count: number) => inAllRows({ source, survey }, count);
  const ofTrained = (count: number) => {
    return survey.trainedRows === 0 ? 0 : Math.round((count * split.trained) / survey.trainedRows);
  };
  const sum = (size: (example: number) => number) => trained.reduce((total, example) => total + size(example), 0);
  const longest = (examples: Uint32Array) => {
    return examples.reduce((most, example) => Math.max(most, store.length(example)), 0);
  };
  return {
    examples: ofTrained(trained.length),
    tokens: ofTrained(sum((example) => store.length(example))),
    countedTokens: ofTrained(sum((example) => store.targets(example))),
    truncatedRows: ofAll(sums.truncatedRows),
    droppedRows: ofAll(sums.droppedRows),
    splitRows: ofAll(sums.splitRows),
    duplicateRows: survey.duplicateRows,
    heldOutRows: split.heldOut,
    sharedHeldOutRows: survey.sharedHeldOutRows,
    longestRow: Math.max(longest(trained), longest(heldOut)),
  };
}

/** How many rows of the whole dataset a count of surveyed rows stands for. */
export function inAllRows({ source, survey }: Pick<Dataset, "source" | "survey">, count: number): number {
  return survey.sums.rows === 0 ? 0 : Math.round((count * source.rows) / survey.sums.rows);
}

export interface TrainingSteps extends StepPlan {
  /** Rows with a problem that the run has left out so far. */
  leftOutRows(): number;
}

/**
 * The trained rows' steps. Rows with problems are left out: ask `refusalOf` first. Of a large dataset it knows a sample
 * only, so that steps throw a `DataError` where they meet a row with a problem that is not skipped.
 */
export function planTraining(dataset: Dataset, options: BatchOptions, skip: readonly string[] = []): TrainingSteps {
  const { survey } = dataset;
  if (!survey.exact) return planStream(trainedRows(dataset, skip), options);
  const plan = planSteps(partOf(survey.store, survey.trained), options);
  return { ...plan, leftOutRows: () => survey.sums.problemRows };
}

/** The rows that `evalShare` held out, of a large dataset an even sample of them; null where none are. */
export function heldOutBatches({ survey }: Dataset, tokensPerBatch: number): EvaluationBatches | null {
  if (survey.heldOut.length === 0) return null;
  return evaluationBatches(partOf(survey.store, survey.heldOut), tokensPerBatch);
}

/** A dataset that serves to measure a run before and after: all its rows, of a large one an even sample. */
export function measuredBatches({ survey }: Dataset, tokensPerBatch: number): EvaluationBatches {
  return evaluationBatches(survey.store, tokensPerBatch);
}

/** What the batches of `heldOutBatches` or `measuredBatches` leave out or cut; figures of the sample where `sampled`. */
export interface HeldOutRows {
  /** Rows that are measured. */
  readonly rows: number;
  /** Of those, rows longer than the max length, which lost a part. */
  readonly truncatedRows: number;
  /** Rows longer than the max length that are not measured. */
  readonly droppedRows: number;
  /** Rows with a problem, which are not measured. */
  readonly leftOutRows: number;
  /** True where not all rows were looked at, but a seeded sample of them. */
  readonly sampled: boolean;
}

/** Of the rows that `evalShare` held out; null where none are. */
export function heldOutRows({ survey }: Dataset): HeldOutRows | null {
  return survey.split.heldOut === 0 ? null : rowsOf(survey.heldOutSums, survey);
}

/** Of all rows. */
export function measuredRows({ survey }: Dataset): HeldOutRows {
  return rowsOf(survey.sums, survey);
}

function rowsOf({ rows, truncatedRows, droppedRows, problemRows }: Sums, { exact }: Survey): HeldOutRows {
  return {
    rows: rows - problemRows - droppedRows,
    truncatedRows,
    droppedRows,
    leftOutRows: problemRows,
    sampled: !exact,
  };
}

export interface MeasuredRows {
  readonly rows: number;
  readonly truncatedRows: number;
  /** Rows with a problem. */
  readonly leftOutRows: number;
}

/**
 * Every row in file order, each visited once however large the dataset is. `counts` is complete after the pass. Of a large
 * dataset, throws a `DataError` for a row with a problem that is not skipped.
 */
export function allBatches(
  { source, reading, survey }: Dataset,
  tokensPerBatch: number,
  signal: AbortSignal,
  skip: readonly string[] = [],
): { readonly batches: EvaluationBatches; counts(): MeasuredRows } {
  const { sums } = survey;
  if (survey.exact) {
    const { truncatedRows, problemRows: leftOutRows } = sums;
    const rows = sums.rows - leftOutRows - sums.droppedRows;
    return {
      batches: evaluationBatches(survey.store, tokensPerBatch),
      counts: () => ({ rows, truncatedRows, leftOutRows }),
    };
  }
  let counted = { rows: 0, truncatedRows: 0, leftOutRows: 0 };
  async function* examples(): AsyncGenerator<TokenizedExample, void> {
    counted = { rows: 0, truncatedRows: 0, leftOutRows: 0 };
    for await (const read of readRows(source, source.rows, reading, signal)) {
      if (isLeftOut(read, skip)) counted.leftOutRows++;
      else if (!read.dropped) counted.rows++;
      if (read.examples.some(({ truncated }) => truncated > 0)) counted.truncatedRows++;
      yield* read.examples;
    }
  }
  return { batches: streamedEvaluation(examples, reading.maxLength, tokensPerBatch), counts: () => counted };
}

/** Throws the row's problem where it is not skipped. */
function isLeftOut({ problem }: ReadRow, skip: readonly string[]): boolean {
  if (problem && !skip.includes(problem.kind)) throw refusalOfRow(problem);
  return problem !== null;
}

function trainedRows({ source, reading, survey }: Dataset, skip: readonly string[]): RowStream {
  const { split, store, trained } = survey;
  return {
    rows: split.trained,
    sample: { rows: survey.trainedRows, lengths: Array.from(trained, (example) => store.length(example)) },
    visit: split.visit,
    async load(rows) {
      const examples: TokenizedExample[] = [];
      let leftOut = 0;
      for await (const read of readRows(source, rows, reading)) {
        examples.push(...read.examples);
        if (isLeftOut(read, skip)) leftOut++;
      }
      return { examples, leftOut };
    },
  };
}
