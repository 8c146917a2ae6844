/** The prompt, how it is answered, and the two answers under it. */
import { createStore } from "zustand/vanilla";
import type { ErrorData, GenerateSummary, ModelInfo, RunSummary } from "../../worker/protocol";
import { strings } from "../strings";
import type { Load } from "./load";
import { type SamplingText, samplingDefaults } from "./sampling";
import type { Sampling } from "./sampling-fields";

export type Side = "base" | "tuned";

export interface Answer {
  readonly state: "empty" | "waiting" | "writing" | "done";
  readonly text: string;
  readonly summary: Omit<GenerateSummary, "text"> | null;
}

/** What the shown answers were made with; the controls may say something else by now. */
export interface Asked {
  readonly prompt: string;
  /** Whose prompt went through the chat template. */
  readonly chat: Readonly<Record<Side, boolean>>;
  readonly model: string;
  /** The name that the run had; null where only the base model answered. */
  readonly run: string | null;
  readonly strength: number;
  readonly maxNewTokens: number;
  readonly sampling: Sampling;
}

export interface TrialState {
  readonly prompt: string;
  /** What the user wants; a side without a chat template takes the prompt as text all the same. */
  readonly asChat: boolean;
  readonly strength: number;
  readonly maxNewTokens: number;
  readonly sampling: SamplingText;
  readonly view: "text" | "tokens";
  readonly running: boolean;
  readonly base: Answer;
  readonly tuned: Answer;
  readonly asked: Asked | null;
  readonly error: ErrorData | null;
}

export const mostStrength = 1.5;
/** Tokens of the longest answer; a model with fewer positions ends earlier. */
export const answerLengths = [16, 32, 64, 128, 256, 512, 1024] as const;

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
    sampling: samplingDefaults,
    view: "text",
    running: false,
    base: noAnswer,
    tuned: noAnswer,
    asked: null,
    error: null,
  }));
