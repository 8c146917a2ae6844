/** The prompt box and the two answers under it. */
import { createStore } from "zustand/vanilla";
import type { ErrorData, GenerateSummary, ModelInfo, RunSummary } from "../../worker/protocol";
import { strings } from "../strings";
import type { Load } from "./load";

export type Side = "base" | "tuned";

export interface Answer {
  readonly state: "empty" | "waiting" | "writing" | "done";
  readonly text: string;
  readonly summary: Omit<GenerateSummary, "text"> | null;
}

export interface TrialState {
  readonly prompt: string;
  /** What the user wants; a side without a chat template takes the prompt as text all the same. */
  readonly asChat: boolean;
  readonly strength: number;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly running: boolean;
  readonly base: Answer;
  readonly tuned: Answer;
  /** Name of the run that wrote `tuned`. */
  readonly tunedBy: string | null;
  readonly error: ErrorData | null;
}

/** Who has a chat template: the model, and the tuned side, which may bring its run's own. */
export function chatSides(model: Load<ModelInfo>, run: RunSummary | undefined): Readonly<Record<Side, boolean>> {
  const base = model.state === "ready" && model.value.hasChatTemplate;
  return { base, tuned: run !== undefined && (base || (run.dataOptions?.template.kind ?? "model") !== "model") };
}

export const noAnswer: Answer = { state: "empty", text: "", summary: null };

export const createTrialStore = () =>
  createStore<TrialState>(() => ({
    prompt: strings.trial.promptDefault,
    asChat: true,
    strength: 1,
    maxNewTokens: 64,
    temperature: 0,
    running: false,
    base: noAnswer,
    tuned: noAnswer,
    tunedBy: null,
    error: null,
  }));
