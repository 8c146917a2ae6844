/** The losses of single rows under the base model and under a run: what is to be measured, and what was. */
import { createStore } from "zustand/vanilla";
import type { DataSource, ErrorData, ModelInfo, ProgressEvent, RowLosses, RunId } from "../../worker/protocol";
import type { DataState } from "./data";
import type { LibraryState } from "./library";
import type { ModelState } from "./model";
import type { RecipeState } from "./recipe";
import { type Sort, worstFirst } from "./row-order";

export const rowLimits = [25, 100, 400] as const;
/** Rows of the table on a page. */
export const pageOfRows = 25;

/** Which rows: the held-out file's, or the dataset's own. */
export type RowsFrom = "heldOut" | "dataset";

/** What rows belong to. */
export interface Origin {
  readonly model: ModelInfo;
  readonly run: RunId;
  readonly runName: string;
  readonly from: RowsFrom;
  readonly dataName: string;
  /** Files and options in one text. */
  readonly data: string;
  /** Tokens that a row is cut to. */
  readonly maxLength: number;
}

export interface RowLossesState {
  /** What the user wants; without a held-out file it is the dataset all the same. */
  readonly from: RowsFrom;
  readonly most: number;
  readonly phase: "idle" | "measuring" | "done" | "stopped";
  readonly progress: ProgressEvent | null;
  /** In the order of the dataset; what was measured stays when measuring ends early. */
  readonly rows: readonly RowLosses[];
  readonly origin: Origin | null;
  /** Rows in the dataset, and those with a problem among the first ones; null before measuring came to its end. */
  readonly whole: { readonly totalRows: number; readonly leftOutRows: number } | null;
  readonly sort: Sort;
  readonly page: number;
  readonly error: ErrorData | null;
}

export const noRows = {
  phase: "idle",
  progress: null,
  rows: [],
  origin: null,
  whole: null,
  page: 0,
  error: null,
} as const;

export const createRowLossesStore = () =>
  createStore<RowLossesState>(() => ({ from: "heldOut", most: 25, sort: worstFirst, ...noRows }));

export const rowsFrom = ({ from }: Pick<RowLossesState, "from">, data: Pick<DataState, "heldOutName">): RowsFrom =>
  data.heldOutName === null ? "dataset" : from;

/** What would be measured now; null where model, run or data is missing. */
export function originOf(
  { model }: Pick<ModelState, "model">,
  { runs, selected }: Pick<LibraryState, "runs" | "selected">,
  { recipe }: Pick<RecipeState, "recipe">,
  from: RowsFrom,
  source: DataSource | null,
): Origin | null {
  const run = runs.find(({ id }) => id === selected);
  if (model.state !== "ready" || run === undefined || source === null) return null;
  return {
    model: model.value,
    run: run.id,
    runName: run.name,
    from,
    dataName: source.name,
    data: identity(source),
    maxLength: (recipe ?? run.recipe).maxLength,
  };
}

/** A file that was edited and chosen again is another one, at the same name and size too. */
const identity = ({ files, options }: DataSource): string =>
  JSON.stringify([
    options,
    files.map(({ name, blob }) => [name, blob.size, blob instanceof File ? blob.lastModified : null]),
  ]);

export const sameOrigin = (a: Origin | null, b: Origin | null): boolean =>
  a !== null &&
  b !== null &&
  a.model === b.model &&
  a.run === b.run &&
  a.from === b.from &&
  a.dataName === b.dataName &&
  a.data === b.data &&
  a.maxLength === b.maxLength;
