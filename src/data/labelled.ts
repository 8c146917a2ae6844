/** A tokenized row before truncation, and how two token lists are compared. */
import { DataError } from "./errors";
import type { RowOrigin } from "./types";

export interface Labelled {
  readonly ids: readonly number[];
  /** Same length as `ids`; 1 where the token is a label. */
  readonly counted: Uint8Array;
}

/** How many leading entries are equal. */
export function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const length = Math.min(a.length, b.length);
  let index = 0;
  while (index < length && a[index] === b[index]) index++;
  return index;
}

/** What a tokenizer threw, as an error of the row that it threw over. What is no refusal of the tokenizer stays as it is. */
export function refusal(cause: unknown, origin: RowOrigin, remedy: string): unknown {
  if (!(cause instanceof Error) || cause.name !== "TokenizerError") return cause;
  return new DataError({ ...origin, problem: cause.message.replace(/[.\s]+$/, ""), remedy }, { cause });
}
