/** The measured rows in order, and what they say as a whole. Pure. */
import type { RowLosses } from "../../worker/protocol";

export const sortKeys = ["row", "base", "tuned", "difference"] as const;
export type SortKey = (typeof sortKeys)[number];

export interface Sort {
  readonly by: SortKey;
  readonly descending: boolean;
}

/** Where tuning did most harm, or least good, comes first. */
export const worstFirst: Sort = { by: "difference", descending: true };

/** Nats; negative where the tuned model expects the answer more than the base model does. */
export const difference = ({ base, tuned }: Pick<RowLosses, "base" | "tuned">): number => tuned - base;

export type Verdict = "better" | "worse" | "same";

/** What three digits after the point do not show is no difference. */
export function verdict(row: Pick<RowLosses, "base" | "tuned">): Verdict {
  const change = difference(row);
  if (Math.abs(change) < 5e-4) return "same";
  return change < 0 ? "better" : "worse";
}

/** A new array; equal rows stay in the dataset's order. A loss that is no number counts as the largest. */
export function sortRows(rows: readonly RowLosses[], { by, descending }: Sort): readonly RowLosses[] {
  const value = (row: RowLosses): number => {
    const of = by === "difference" ? difference(row) : row[by];
    return Number.isNaN(of) ? Number.POSITIVE_INFINITY : of;
  };
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [value(a), value(b)];
    return left === right ? a.row - b.row : left < right ? -sign : sign;
  });
}

/** The same column again turns round; a new one begins with its largest values, and rows with the first. */
export const nextSort = (sort: Sort, by: SortKey): Sort =>
  sort.by === by ? { by, descending: !sort.descending } : { by, descending: by !== "row" };

export interface RowsSummary extends Readonly<Record<Verdict, number>> {
  readonly rows: number;
  /** Means over all counted tokens. */
  readonly base: number;
  readonly tuned: number;
}

/** Null without rows. */
export function summarize(rows: readonly RowLosses[]): RowsSummary | null {
  const tokens = rows.reduce((sum, { countedTokens }) => sum + countedTokens, 0);
  if (tokens === 0) return null;
  const mean = (of: "base" | "tuned"): number =>
    rows.reduce((sum, row) => sum + row[of] * row.countedTokens, 0) / tokens;
  const among = (wanted: Verdict): number => rows.filter((row) => verdict(row) === wanted).length;
  return {
    rows: rows.length,
    base: mean("base"),
    tuned: mean("tuned"),
    better: among("better"),
    worse: among("worse"),
    same: among("same"),
  };
}
