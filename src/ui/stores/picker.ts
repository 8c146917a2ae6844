/** Choosing another model: by which way, which one, in which form, and how far its opening is. The files are held by the actions. */
import { createStore } from "zustand/vanilla";
import type {
  CatalogueModel,
  ErrorData,
  FoundModel,
  ModelOutline,
  ProgressEvent,
  Quantization,
} from "../../worker/protocol";
import { idle, type Load } from "./load";

export const ways = ["catalogue", "hub", "own", "stored"] as const;
export type Way = (typeof ways)[number];

export type Choice =
  | { readonly kind: "files"; readonly name: string; readonly files: number; readonly bytes: number }
  /** `variant` null: none of them can be used. */
  | { readonly kind: "found"; readonly found: FoundModel; readonly variant: string | null };

export type Opening =
  | { readonly state: "idle" }
  | { readonly state: "busy"; readonly progress: ProgressEvent | null; readonly stopping: boolean }
  /** By the user, before it was open. */
  | { readonly state: "stopped" }
  | { readonly state: "failed"; readonly error: ErrorData };

/** What was asked for, from which place of the page. */
export interface Asked {
  readonly way: Way;
  readonly address: string;
}

export type LookUp =
  | { readonly state: "idle" }
  | ({ readonly state: "busy" } & Asked)
  | ({ readonly state: "failed"; readonly error: ErrorData } & Asked);

export interface Budget {
  /** Gigabytes, as typed. */
  readonly text: string;
  /** The last good one, in bytes. */
  readonly bytes: number;
  readonly error: string | null;
}

export interface PickerState {
  /** The way that is unfolded. */
  readonly way: Way | null;
  /** As typed. */
  readonly address: string;
  readonly lookUp: LookUp;
  readonly catalogue: Load<null>;
  /** The last answer; it stays while the next one is under way. The same for `outline`. */
  readonly entries: readonly CatalogueModel[];
  readonly choice: Choice | null;
  readonly outlining: Load<null>;
  readonly outline: ModelOutline | null;
  readonly quantization: Quantization | null;
  readonly opening: Opening;
  readonly budget: Budget;
}

/** What goes with the choice. */
export const noChoice = {
  choice: null,
  outlining: idle,
  outline: null,
  quantization: null,
  opening: idle,
} as const;

export const createPickerStore = (budget: Budget) =>
  createStore<PickerState>(() => ({
    way: null,
    address: "",
    lookUp: idle,
    catalogue: idle,
    entries: [],
    ...noChoice,
    budget,
  }));
