/** The one error of the data line: a dataset, a row or a field cannot be used, and what to do about it. */

const longestExcerpt = 60;

export interface DataProblem {
  readonly file: string;
  /** 1-based; null where the whole file is meant. */
  readonly line?: number | null;
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
  readonly line: number | null;
  readonly field: string | null;

  constructor(problem: DataProblem, options?: ErrorOptions) {
    const line = problem.line ?? null;
    const field = problem.field ?? null;
    const place = `${problem.file}${line === null ? "" : ` line ${line}`}${field === null ? "" : `, ${field}`}`;
    super(`${place}: ${problem.problem}; ${problem.remedy}.`, options);
    this.file = problem.file;
    this.line = line;
    this.field = field;
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
