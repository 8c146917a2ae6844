/** The data line: file → Conversation → TokenizedExample → PackedBatch → StepBatch. Plain, structured-cloneable values only. */
import type { Message } from "./tokenizer";

/** Where a row came from; every message about a row names it. `line` is 1-based in the file as given. */
export interface RowOrigin {
  readonly file: string;
  readonly line: number;
}

/** One dataset row in canonical form. */
export type Conversation =
  | {
      readonly kind: "messages";
      readonly origin: RowOrigin;
      readonly messages: readonly Message[];
      /** The first `trainFrom` messages are context only (0: every assistant turn is trained). */
      readonly trainFrom: number;
      readonly tools?: readonly unknown[];
    }
  | {
      readonly kind: "completion";
      readonly origin: RowOrigin;
      readonly prompt: string;
      readonly completion: string;
    }
  | {
      readonly kind: "text";
      readonly origin: RowOrigin;
      readonly text: string;
      /** The document goes on in the next row: no end-of-text token follows. */
      readonly continues?: boolean;
      /** The document began in an earlier row: no beginning-of-text token comes first. */
      readonly continued?: boolean;
    }
  | {
      readonly kind: "tokens";
      readonly origin: RowOrigin;
      readonly ids: readonly number[];
      /** Same length as `ids`; −100 where the token carries no loss. */
      readonly labels: readonly number[];
    };

export interface TokenizedExample {
  readonly origin: RowOrigin;
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Same length as `ids`; 1 where the token is a label (−100 elsewhere in Hugging Face terms). Entry 0 never counts. */
  readonly counted: Uint8Array;
  /** Tokens cut off by `maxLength`. */
  readonly truncated: number;
}

/**
 * One micro-batch, padding-free: the rows' documents lie one after another on a single axis of `ids.length` tokens.
 * A document attends only to itself (`segmentStart`, `segmentEnd`) and its positions restart at 0.
 */
export interface PackedBatch {
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly positions: Uint32Array<ArrayBuffer>;
  /** For each token, the index of its document's first token. */
  readonly segmentStart: Uint32Array<ArrayBuffer>;
  /** For each token, one past the index of its document's last token. */
  readonly segmentEnd: Uint32Array<ArrayBuffer>;
  /** Token indices whose next token carries loss; ascending. */
  readonly targetIndices: Uint32Array<ArrayBuffer>;
  /** The token ids predicted there; same length as `targetIndices`. */
  readonly targets: Uint32Array<ArrayBuffer>;
}

/** What one optimizer step consumes. */
export interface StepBatch {
  /** Number of this step, from 0. */
  readonly step: number;
  /** Fraction of epochs finished after this step. */
  readonly epoch: number;
  readonly microBatches: readonly PackedBatch[];
  /** Σ targets over the step's micro-batches: the loss divisor. */
  readonly countedTokens: number;
}
