/** The one error of the data line: a dataset, a row or a field cannot be used, and what to do about it. */

const longestExcerpt = 60;

/** What is wrong, as the page groups and words it (`strings.ts` has a title for each). */
export const problemKinds = [
  /** The file as a whole: empty, unreadable, of no known format. */
  "file",
  /** A line, record or element that the format cannot parse. */
  "syntax",
  /** Bytes or characters that are no text: broken UTF-8, half a surrogate pair. */
  "encoding",
  /** The row's columns fit no known shape, or not the chosen one. */
  "shape",
  /** A field has the wrong type or value. */
  "field",
  /** A field that must hold text is empty. */
  "empty",
  /** No assistant turn, completion or label to learn. */
  "no-answer",
  /** The chat template is missing or refuses the row. */
  "template",
  /** A trained turn whose end-of-turn token carries no loss: the model would never learn to stop. */
  "no-end",
  /** More tokens than the limit, under the policy "error". */
  "too-long",
  /** Nothing to learn is left (everything masked or cut off). */
  "nothing-counted",
  /** A token that the model does not have. */
  "unknown-token",
] as const;
export type ProblemKind = (typeof problemKinds)[number];

export interface DataProblem {
  /** Default: "file" without a line, "field" with one. */
  readonly kind?: ProblemKind;
  readonly file: string;
  /** 1-based; null where the whole file is meant. */
  readonly line?: number | null;
  /** 1-based, in characters; null where unknown. */
  readonly column?: number | null;
  /** Path inside the row, such as `messages[2].role`; null where the whole row is meant. */
  readonly field?: string | null;
  /** What is wrong, with the offending value; no final full stop. */
  readonly problem: string;
  /** What to do; no final full stop. */
  readonly remedy: string;
}

/** `message` is one sentence: where, what, remedy. */
export class DataError extends Error {
  override readonly name = "DataError";
  readonly file: string;
  readonly kind: ProblemKind;
  readonly line: number | null;
  readonly column: number | null;
  readonly field: string | null;
  /** The sentence without its place: the same for the same mistake in another row, values apart. */
  readonly problem: string;
  readonly remedy: string;

  constructor(problem: DataProblem, options?: ErrorOptions) {
    const line = problem.line ?? null;
    const field = problem.field ?? null;
    const place = `${problem.file}${line === null ? "" : ` line ${line}`}${field === null ? "" : `, ${field}`}`;
    super(`${place}: ${problem.problem}; ${problem.remedy}.`, options);
    this.kind = problem.kind ?? (line === null ? "file" : "field");
    this.file = problem.file;
    this.line = line;
    this.column = problem.column ?? null;
    this.field = field;
    this.problem = problem.problem;
    this.remedy = problem.remedy;
  }
}

/** A number that is none of a list's: a fault of the caller, never of the data. */
export class IndexFault extends Error {
  override readonly name = "IndexFault";
  constructor(index: number, size: number) {
    super(`${index} is no index of ${size} entries`);
  }
}

/**
 * A value as an error message shows it, at most 60 characters. Lists and objects are only summed up: printing a hostile,
 * deeply nested one would overflow the stack.
 */
export function excerpt(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return `"${shorten(value, longestExcerpt - 2)}"`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

/** The text's first characters, an ellipsis where some are left out; control characters become spaces. */
export function shorten(text: string, length = longestExcerpt): string {
  const line = text.slice(0, length + 1).replace(/[\p{Cc}\s]+/gu, " ");
  return text.length > length || line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
