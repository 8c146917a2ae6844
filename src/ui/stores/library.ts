/** The runs kept in this browser. */
import { createStore } from "zustand/vanilla";
import type { ErrorData, ModelInfo, RunId, RunSummary } from "../../worker/protocol";
import type { Load } from "./load";

export interface LibraryState {
  readonly loaded: boolean;
  readonly runs: readonly RunSummary[];
  readonly selected: RunId | null;
  /** The run whose deletion waits for a yes. */
  readonly confirming: RunId | null;
  /** The run that is being downloaded or deleted. */
  readonly working: RunId | null;
  readonly error: ErrorData | null;
}

/** Does the run belong to the open model? Without one there is nothing to differ from. */
export const fits = (run: RunSummary, model: Load<ModelInfo>): boolean =>
  model.state !== "ready" || run.model === model.value.name;

/** The wanted run, or else the newest, of those that fit the open model. */
export function pickRun(runs: readonly RunSummary[], wanted: RunId | null, model: Load<ModelInfo>): RunId | null {
  const fitting = runs.filter((run) => fits(run, model));
  return (fitting.find(({ id }) => id === wanted) ?? fitting[0])?.id ?? null;
}

export const createLibraryStore = () =>
  createStore<LibraryState>(() => ({
    loaded: false,
    runs: [],
    selected: null,
    confirming: null,
    working: null,
    error: null,
  }));
