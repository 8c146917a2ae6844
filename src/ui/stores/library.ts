/** The runs kept in this browser. */
import { createStore } from "zustand/vanilla";
import type { ErrorData, RunId, RunSummary } from "../../worker/protocol";

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

export const createLibraryStore = () =>
  createStore<LibraryState>(() => ({
    loaded: false,
    runs: [],
    selected: null,
    confirming: null,
    working: null,
    error: null,
  }));
