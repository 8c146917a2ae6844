/** The base model: which one, what it holds, and whether its numbers were checked. */
import { createStore } from "zustand/vanilla";
import type { ModelInfo, ReaderInfo, SelfCheckSummary } from "../../worker/protocol";
import { strings } from "../strings";
import { idle, type Load } from "./load";

export interface ModelState {
  readonly name: string;
  readonly embedded: boolean;
  readonly model: Load<ModelInfo>;
  /** While the weights of a chosen one come in: the model that it replaces, so that what is shown of it does not jump. */
  readonly standing: ModelInfo | null;
  readonly selfCheck: Load<SelfCheckSummary>;
  /** Where no device opens: what reads the rows instead of a model. */
  readonly reader: Load<ReaderInfo>;
}

export const createModelStore = (name: string) =>
  createStore<ModelState>(() => ({
    name,
    embedded: true,
    model: idle,
    standing: null,
    selfCheck: idle,
    reader: idle,
  }));

/** What rows are read with: the open model, or its tokenizer alone. Null where there is neither yet. */
export function readerOf({ model, reader }: Pick<ModelState, "model" | "reader">): ReaderInfo | null {
  if (model.state === "ready") return model.value;
  return reader.state === "ready" ? reader.value : null;
}

/** Why the open model is not trained, as one sentence: a check of its numbers failed. Null where none did. */
export function distrust({ model, selfCheck }: Pick<ModelState, "model" | "selfCheck">): string | null {
  if (model.state !== "ready") return null;
  const { agrees, reason } = model.value.kernelCheck;
  if (!agrees) return reason ?? `${strings.model.kernelsWrong}.`;
  return selfCheck.state === "ready" && !selfCheck.value.agrees ? strings.model.disagrees : null;
}
