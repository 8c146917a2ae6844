/** A tokenized row before the policy for long rows, and how two token lists are compared. */
import { DataError, type ProblemKind } from "./errors";
import type { RowOrigin } from "./types";

export interface Labelled {
  readonly ids: readonly number[];
  /** Same length as `ids`; 1 where the token is a label. */
  readonly counted: Uint8Array;
}

/** How many leading entries of `a` are those of `b` from `offset` on. */
export function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>, offset = 0): number {
  const length = Math.min(a.length, b.length - offset);
  let index = 0;
  while (index < length && a[index] === b[offset + index]) index++;
  return index;
}

/** What a tokenizer threw, as an error of the row that it threw over. What is no refusal of the tokenizer stays as it is. */
export function refusal(cause: unknown, origin: RowOrigin, kind: ProblemKind, remedy: string): unknown {
  if (!(cause instanceof Error) || cause.name !== "TokenizerError") return cause;
  return new DataError({ ...origin, kind, problem: cause.message.replace(/[.\s]+$/, ""), remedy }, { cause });
}
