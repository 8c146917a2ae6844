/** How a dataset is read and which of its tokens carry loss. Plain data; frozen into the run. */

/** What becomes of a row with more tokens than the limit. */
export const tooLongPolicies = ["truncate-right", "truncate-left", "drop", "split", "error"] as const;
export type TooLong = (typeof tooLongPolicies)[number];

/** Which tokens of a conversation carry loss: every assistant turn, the last one, completions only, or everything. */
export const lossChoices = ["assistant", "last", "completion", "all"] as const;
export type LossOn = (typeof lossChoices)[number];

/** A chat template: the model's own, one of `data/templates/` by id, or Jinja text of the user's. */
export type TemplateChoice =
  | { readonly kind: "model" }
  | { readonly kind: "named"; readonly id: string }
  | { readonly kind: "own"; readonly jinja: string };

/** Which column holds which field of a shape: `{ shape: "instruction", columns: { instruction: "question", output: "answer" } }`. */
export interface ColumnMapping {
  /** An id of `data/shapes/`. */
  readonly shape: string;
  /** Field of the shape → column of the file. */
  readonly columns: Readonly<Record<string, string>>;
}

export interface DataOptions {
  /** Id of a dataset format; null: the best match for each file. */
  readonly format: string | null;
  /** null: detected, row by row. */
  readonly mapping: ColumnMapping | null;
  readonly template: TemplateChoice;
  readonly lossOn: LossOn;
  readonly tooLong: TooLong;
  /** Problem kinds whose rows are left out; a row with any other problem refuses the run. */
  readonly skip: readonly string[];
  /** Share of the rows held out by seed, 0 to 0.5; 0 where an eval file is given or none is wanted. */
  readonly evalShare: number;
}

export const dataDefaults: DataOptions = {
  format: null,
  mapping: null,
  template: { kind: "model" },
  lossOn: "assistant",
  tooLong: "truncate-right",
  skip: [],
  evalShare: 0,
};
