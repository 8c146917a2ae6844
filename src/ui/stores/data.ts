/** The dataset: its file's name and what the worker found in it. The file itself is held by the actions, not here. */
import { createStore } from "zustand/vanilla";
import type { DatasetInfo } from "../../worker/protocol";
import { idle, type Load } from "./load";

export interface DataState {
  readonly name: string | null;
  readonly bytes: number;
  readonly isSample: boolean;
  readonly heldOutName: string | null;
  readonly info: Load<DatasetInfo>;
  /** The last good look at this file, shown while a new one is under way. */
  readonly shown: DatasetInfo | null;
}

export const createDataStore = () =>
  createStore<DataState>(() => ({ name: null, bytes: 0, isSample: false, heldOutName: null, info: idle, shown: null }));
