/** What the settings lead to: sizes of the model's modules, the measured speed, and what would free memory. */
import { createStore } from "zustand/vanilla";
import type { Calls, TargetModule } from "../../worker/protocol";
import { idle, type Load } from "./load";
import type { RecipeForm } from "./recipe-form";

export interface Speed extends Pick<Calls["calibrate"]["out"], "millisecondsPerStep" | "tokensPerSecond"> {
  /** What it was measured with: other settings that bear on it make it out of date. */
  readonly key: string;
}

export const knobs = ["gradientCheckpointing", "maxLength", "batchSize", "rank", "pack"] as const;
export type Knob = (typeof knobs)[number];

/** One setting turned. */
export interface Relief {
  readonly knob: Knob;
  /** Of the GPU's memory. */
  readonly freed: number;
  readonly total: number;
  /** The texts and switches that turning it sets. */
  readonly text: Readonly<Partial<RecipeForm["text"]>>;
  readonly flags: Readonly<Partial<RecipeForm["flags"]>>;
}

export interface ConsequencesState {
  /** In the model's order; empty before one is open. */
  readonly modules: readonly TargetModule[];
  /** The last good measurement; it stays while the next one is under way. */
  readonly speed: Speed | null;
  readonly measuring: Load<null>;
  /** Most freed first; null while nothing has to be freed. */
  readonly reliefs: readonly Relief[] | null;
}

export const createConsequencesStore = () =>
  createStore<ConsequencesState>(() => ({ modules: [], speed: null, measuring: idle, reliefs: null }));
