/** Which step of the page is shown. The address's hash says it, so that back, forward and links work. */
import { createStore } from "zustand/vanilla";
import type { Field } from "./recipe-form";

export const steps = ["model", "data", "train", "try", "library"] as const;
/** "start" is where the page opens: all that is chosen, and one button. */
export type Step = "start" | (typeof steps)[number];

export interface RouteState {
  readonly step: Step;
  /** Times that the person came to another step; 0 at the page's opening, which takes no focus. */
  readonly turns: number;
  /** The setting that takes the focus on arrival at Train, in place of the heading. */
  readonly field: Field | null;
}

export const hashOf = (step: Step): string => (step === "start" ? "#/" : `#/${step}`);

/** Null where the hash is no step's, such as that of a link to settings. */
export function stepOf(hash: string): Step | null {
  const name = /^#\/([a-z]*)$/.exec(hash)?.[1];
  if (hash === "" || hash === "#" || name === "") return "start";
  return steps.find((step) => step === name) ?? null;
}

export const createRouteStore = (hash: string) =>
  createStore<RouteState>(() => ({ step: stepOf(hash) ?? "start", turns: 0, field: null }));
