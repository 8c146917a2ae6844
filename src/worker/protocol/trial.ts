/** Trying a run: answers token by token, and the loss of single rows under the base model and under the tuned one. */
import type { Message } from "../../data/tokenizer";
import type { DataSource } from "./data";
import type { ProgressEvent } from "./progress";

export interface TokenEvent {
  readonly text: string;
}

export interface GenerateRequest {
  /** Text is continued as it is; messages go through the chat template. */
  readonly prompt: string | readonly Message[];
  readonly run: string | null;
  /** Multiplies α/r: 0 is the base model, 1 the adapter as trained. */
  readonly strength: number;
  readonly maxNewTokens: number;
  /** 0: greedy. */
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly seed: number;
}

/** One token as it is, special tokens and white space included. */
export interface TokenPiece {
  readonly id: number;
  readonly text: string;
}

export interface GenerateSummary {
  readonly text: string;
  readonly tokens: number;
  readonly milliseconds: number;
  readonly stopped: "eos" | "length" | "aborted";
  /** What the model was given, the chat template's tokens included. */
  readonly promptTokens: readonly TokenPiece[];
  /** What it wrote, the token that ended it included. */
  readonly answerTokens: readonly TokenPiece[];
}

export interface EvaluateRowsRequest {
  readonly data: DataSource;
  /** Tokens; longer rows lose a part. */
  readonly maxLength: number;
  readonly run: string;
  /** The first so many rows that can be measured. */
  readonly most: number;
}

/** One row's mean cross-entropy in nats over its counted tokens. */
export interface RowLosses {
  /** Number in the dataset, from 0. */
  readonly row: number;
  readonly file: string;
  readonly line: number;
  /** What comes before the answer, and what the loss is counted on: cut to a few hundred characters. */
  readonly prompt: string;
  readonly answer: string;
  readonly countedTokens: number;
  readonly truncated: boolean;
  readonly base: number;
  readonly tuned: number;
}

export type EvaluateRowsEvent =
  | { readonly kind: "progress"; readonly progress: ProgressEvent }
  /** In the order of the dataset, as soon as both losses are known. */
  | { readonly kind: "row"; readonly row: RowLosses };

export interface EvaluatedRows {
  readonly rows: readonly RowLosses[];
  /** Rows in the dataset. */
  readonly totalRows: number;
  /** Rows among the first ones with a problem, which were not measured. */
  readonly leftOutRows: number;
  /** Token-weighted means over the measured rows. */
  readonly base: number;
  readonly tuned: number;
}
