/** Datasets as they cross between page and worker. */
import type { ProblemKind } from "../../data/errors";
import type { ColumnMapping, DataOptions } from "../../data/options";
import type { DataFile } from "../../data/rows/types";
import type { LengthHistogram } from "../../data/survey/histogram";
import type { ProblemExample } from "../../data/survey/problems";
import type { RowView } from "../../data/survey/row-view";
import type { ProgressEvent } from "./progress";

export type { ColumnMapping, DataFile, DataOptions, LengthHistogram, ProblemKind, RowView };

export interface DataSource {
  /** What the dataset is called: its file's name, or "3 files". */
  readonly name: string;
  /** In the order of their rows. */
  readonly files: readonly DataFile[];
  readonly options: DataOptions;
}

/** A choice among several by id, worded for a person. */
export interface Choice {
  readonly id: string;
  readonly label: string;
}

/** A shape that rows can have, as the mapping dialog shows it. */
export interface ShapeInfo extends Choice {
  readonly fields: readonly { readonly name: string; readonly label: string; readonly required: boolean }[];
}

export interface DatasetProblems {
  readonly kind: ProblemKind;
  /** Rows with this problem; estimated for all rows where the dataset's figures are no `exact` ones. */
  readonly rows: number;
  /** True where the options skip them. */
  readonly skipped: boolean;
  /** The first few. */
  readonly examples: readonly ProblemExample[];
}

export interface DatasetInfo {
  readonly name: string;
  readonly bytes: number;
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly rows: number;
    readonly format: Choice;
  }[];
  /** Formats that may read these files, best first. */
  readonly formats: readonly Choice[];
  /** Rows in the files. */
  readonly rows: number;
  /** Columns of the first rows; empty where rows are no objects. */
  readonly columns: readonly string[];
  /** What the rows were taken for; null where none fits, so that a mapping is needed. */
  readonly shape: Choice | null;
  readonly shapes: readonly ShapeInfo[];
  /** A guess from the column names where `shape` is null or guessed: the mapping dialog begins with it. */
  readonly suggestion: ColumnMapping | null;
  readonly templates: readonly Choice[];
  /** One sentence where the chosen template does not suit the model. */
  readonly templateWarning?: string | null;
  /** Rows that were tokenized for the figures below; fewer than `rows` where the dataset is too large to look at all of it. */
  readonly surveyedRows: number;
  /** True where every row was looked at. Otherwise the figures below are for all rows, estimated from a seeded sample. */
  readonly exact: boolean;
  /** Tokenized rows that a run sees: rows less the dropped ones, plus the parts of split ones; the held-out share excepted. */
  readonly examples: number;
  readonly tokens: number;
  readonly countedTokens: number;
  readonly truncatedRows: number;
  readonly droppedRows: number;
  readonly splitRows: number;
  /** Rows whose tokens an earlier row has too; where not `exact`, those among the surveyed rows. */
  readonly duplicateRows: number;
  /** Rows held out by `evalShare`. */
  readonly heldOutRows: number;
  /** Held-out rows whose tokens a trained row has too: they measure what was learned by heart. Counted as `duplicateRows`. */
  readonly sharedHeldOutRows: number;
  /** Longest row in tokens, after the policy for long rows. */
  readonly longestRow: number;
  /** Of the surveyed rows, in tokens, before the policy for long rows. */
  readonly histogram: LengthHistogram;
  /** The recipe's, or the smaller one that was asked for with `fitMaxLength`. */
  readonly maxLength: number;
  /** By falling count of rows. */
  readonly problems: readonly DatasetProblems[];
  /** What of the files is not read, one sentence each. */
  readonly notes: readonly string[];
  /** Null: a run may start. Otherwise one sentence: what stands in its way and what to do. */
  readonly refusal: string | null;
  /** Optimizer steps that the recipe gives on these rows. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** The first rows as the model will see them. */
  readonly preview: readonly RowView[];
}

export type InspectEvent =
  | { readonly kind: "progress"; readonly progress: ProgressEvent }
  /** The first rows, long before a large file has been gone through. */
  | { readonly kind: "head"; readonly rows: readonly RowView[] };
