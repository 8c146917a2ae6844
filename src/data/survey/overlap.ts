/** Rows that two datasets have in common, by the hash of their tokens. */
import type { Survey } from "./survey";
import { contains } from "./token-hash";

const fewRows = 20;

/** Surveyed rows of `survey` whose tokens a surveyed row of `other` has too: how many, and the first of them. */
export function commonRows(
  survey: Survey,
  other: Survey,
): { readonly count: number; readonly rows: readonly number[] } {
  const rows: number[] = [];
  let count = 0;
  for (const { row, hash } of survey.hashedRows()) {
    if (!contains(other.hashes, hash)) continue;
    count++;
    if (rows.length < fewRows) rows.push(row);
  }
  return { count, rows };
}
