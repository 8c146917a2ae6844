/** The dataset: what was chosen, how it is read, what the worker found, and which of its rows are shown. The files are held by the actions. */
import { createStore } from "zustand/vanilla";
import { dataDefaults } from "../../worker/client";
import type { Calls, DataOptions, DatasetInfo, ErrorData, ProblemKind, RowView } from "../../worker/protocol";
import { idle, type Load } from "./load";

export const rowTabs = ["table", "chat", "tokens"] as const;
export type RowTab = (typeof rowTabs)[number];

/** Rows on a page of the views. */
export const pageRows = 10;

export interface RowsState {
  readonly tab: RowTab;
  /** Only rows with this problem; null: all rows. */
  readonly problem: ProblemKind | null;
  /** First row of the page, counted among those that are shown. */
  readonly from: number;
  /** The page read last; it stays while the next one is under way. */
  readonly rows: readonly RowView[];
  readonly total: number;
  readonly busy: boolean;
  readonly error: ErrorData | null;
}

export type Overlap = Calls["overlap"]["out"];

export interface DataState {
  readonly name: string | null;
  readonly bytes: number;
  /** Id of the sample that it is; null for the user's own. */
  readonly sample: string | null;
  readonly options: DataOptions;
  readonly heldOutName: string | null;
  /** Files of the last choice that were not taken, by path: of the dataset, of the held-out rows. */
  readonly leftOut: readonly string[];
  readonly heldOutLeftOut: readonly string[];
  /** Why the last choice was not taken; what was chosen before it stays. */
  readonly choiceError: ErrorData | null;
  readonly info: Load<DatasetInfo>;
  /** When the present phase of the look began, in milliseconds since 1970; what is left is told from it. */
  readonly since: number;
  /** The first rows, while the rest is read. */
  readonly head: readonly RowView[];
  /** The user stopped the look. */
  readonly stopped: boolean;
  /** The last good look at these files, and the options that it was made with. */
  readonly shown: DatasetInfo | null;
  readonly shownOptions: DataOptions;
  readonly view: RowsState;
  /** Rows of the held-out file that are training rows too. */
  readonly overlap: Load<Overlap>;
}

const firstPage: RowsState = {
  tab: "chat",
  problem: null,
  from: 0,
  rows: [],
  total: 0,
  busy: false,
  error: null,
};

/** What goes with the files that are replaced. The tab stays as the user left it. */
export const nothingSeen = ({ tab }: RowsState) =>
  ({
    info: idle,
    since: 0,
    head: [],
    stopped: false,
    shown: null,
    view: { ...firstPage, tab },
    overlap: idle,
  }) as const;

export const createDataStore = () =>
  createStore<DataState>(() => ({
    name: null,
    bytes: 0,
    sample: null,
    options: dataDefaults,
    heldOutName: null,
    leftOut: [],
    heldOutLeftOut: [],
    choiceError: null,
    ...nothingSeen(firstPage),
    shownOptions: dataDefaults,
  }));
