/** The runs kept in this browser, which of them are chosen, and what is being done to them. */
import { createStore } from "zustand/vanilla";
import type { Recipe } from "../../training/recipe";
import type { Calls, ErrorData, ModelInfo, ProgressEvent, RunId, RunSummary } from "../../worker/protocol";
import type { Load } from "./load";

export type RunLog = Calls["runLog"]["out"];

export interface LibraryState {
  readonly loaded: boolean;
  /** Newest first. */
  readonly runs: readonly RunSummary[];
  /** The run that answers under Try. */
  readonly selected: RunId | null;
  /** Ticked, to be compared or deleted together. */
  readonly chosen: readonly RunId[];
  /** The runs whose deletion waits for a yes; empty for none. */
  readonly confirming: readonly RunId[];
  /** Deleted a moment ago: they can be brought back. */
  readonly deleted: readonly RunSummary[];
  /** The run whose settings were put into the form last, and these settings. */
  readonly duplicated: { readonly name: string; readonly recipe: Recipe | null } | null;
  /** The run that is being downloaded. */
  readonly working: RunId | null;
  /** All runs are being packed into one file. */
  readonly packing: ProgressEvent | null;
  readonly comparing: boolean;
  readonly logs: Readonly<Record<RunId, Load<RunLog>>>;
  readonly importing: boolean;
  /** Why nothing, or not everything, could be imported. */
  readonly importError: ErrorData | null;
  /** What was done last, for all to see and hear. */
  readonly said: string;
  readonly error: ErrorData | null;
}

/** More curves than this cannot be told apart. */
export const mostCompared = 8;

/** Does the run belong to the open model? Without one there is nothing to differ from. */
export const fits = (run: RunSummary, model: Load<ModelInfo>): boolean =>
  model.state !== "ready" || run.model === model.value.name;

/** The wanted run, or else the newest, of those that fit the open model. */
export function pickRun(runs: readonly RunSummary[], wanted: RunId | null, model: Load<ModelInfo>): RunId | null {
  const fitting = runs.filter((run) => fits(run, model));
  return (fitting.find(({ id }) => id === wanted) ?? fitting[0])?.id ?? null;
}

/** The chosen runs that are still there, in the order of the list. */
export const chosenRuns = ({ runs, chosen }: Pick<LibraryState, "runs" | "chosen">): readonly RunSummary[] =>
  runs.filter(({ id }) => chosen.includes(id));

/** What the kept runs take, adapters and curves; sample answers and the browser's own overhead are not known. */
export const takenBytes = (runs: readonly RunSummary[]): number =>
  runs.reduce((sum, { adapterBytes, losses }) => sum + adapterBytes + bytesOfStep * losses.length, 0);
/** About what the log and the summary hold for a step. */
const bytesOfStep = 120;

export const createLibraryStore = () =>
  createStore<LibraryState>(() => ({
    loaded: false,
    runs: [],
    selected: null,
    chosen: [],
    confirming: [],
    deleted: [],
    duplicated: null,
    working: null,
    packing: null,
    comparing: false,
    logs: {},
    importing: false,
    importError: null,
    said: "",
    error: null,
  }));
