/** The base model: which folder, what it holds, and whether its numbers were checked. */
import { createStore } from "zustand/vanilla";
import type { ModelInfo, SelfCheckSummary } from "../../worker/protocol";
import { idle, type Load } from "./load";

export interface ModelState {
  readonly name: string;
  readonly embedded: boolean;
  readonly model: Load<ModelInfo>;
  readonly selfCheck: Load<SelfCheckSummary>;
}

export const createModelStore = (name: string) =>
  createStore<ModelState>(() => ({ name, embedded: true, model: idle, selfCheck: idle }));
