/** Held-out rows that the training data has too, by the hash of their tokens. */
import type { Survey } from "./survey";
import { contains } from "./token-hash";

const fewRows = 20;

export interface CommonRows {
  /** Held-out rows that were compared, and how many of them a trained row equals. */
  readonly compared: number;
  readonly count: number;
  /** The first of them. */
  readonly rows: readonly number[];
}

/** Surveyed rows of the held-out data whose tokens a surveyed row that is trained on has too. */
export function commonRows(heldOut: Survey, trained: Survey): CommonRows {
  const rows: number[] = [];
  let compared = 0;
  let count = 0;
  for (const { row, hash } of heldOut.hashedRows()) {
    compared++;
    if (!contains(trained.hashes, hash)) continue;
    count++;
    if (rows.length < fewRows) rows.push(row);
  }
  return { compared, count, rows };
}
