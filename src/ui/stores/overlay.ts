/** What lies over the page on a key's word, one at a time, and what was said of a key last. */
import { createStore } from "zustand/vanilla";

export type Overlay = "palette" | "keys" | "paste";

export interface OverlayState {
  readonly shown: Overlay | null;
  /** Empty for nothing. */
  readonly said: string;
}

export const nothingOver: OverlayState = { shown: null, said: "" };

/** One for the page: it holds nothing of a person's work. */
export const overlay = createStore<OverlayState>(() => nothingOver);

export const show = (shown: Overlay | null): void => overlay.setState({ shown });
export const say = (said: string): void => overlay.setState({ said });
