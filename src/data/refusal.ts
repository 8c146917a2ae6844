/** What stands in the way of a run on a dataset, as one sentence with its remedy. */
import { DataError } from "./errors";
import type { RowSource } from "./rows/types";
import type { Sums, Survey } from "./survey/survey";

/** What of a dataset decides. */
interface Looked {
  readonly name: string;
  readonly source: Pick<RowSource, "rows">;
  readonly survey: Survey;
}

/**
 * What an unskipped problem or an empty dataset says to a run, or held-out rows of which none can be measured; null where a
 * run may start.
 */
export function refusalOf({ name, source, survey }: Looked, skip: readonly string[]): DataError | null {
  const found = survey.problems.unskipped(skip);
  if (found) {
    const { first, rows } = found;
    const all = rows === survey.sums.rows;
    const looked = survey.exact ? `${survey.sums.rows} rows` : `the ${survey.sums.rows} rows looked at`;
    const others = rows === 1 ? "" : ` (${all ? "all" : `${rows} of`} ${looked} have problems)`;
    return all ? saidOf(first, others, "") : refusalOfRow(first, others);
  }
  const { sums, heldOutSums, split } = survey;
  if (survey.trained.length === 0) {
    return new DataError({
      file: name,
      problem: `none of the ${source.rows} rows can be used${lost(sums)}`,
      remedy:
        sums.problemRows > 0
          ? "mend the rows or choose other data"
          : "raise the max length, or truncate or split long rows",
    });
  }
  if (split.heldOut > 0 && survey.heldOut.length === 0) {
    return new DataError({
      file: name,
      problem: `none of the ${split.heldOut} held-out rows can be measured${lost(heldOutSums)}`,
      remedy: "hold a larger share out, choose another seed, or mend the rows",
    });
  }
  return null;
}

/** A row whose problem is not skipped, met when its turn came. */
export function refusalOfRow(problem: DataError, others = ""): DataError {
  return saidOf(problem, others, ", or skip the rows with problems");
}

function saidOf(row: DataError, others: string, more: string): DataError {
  const { kind, file, line, column, field, problem, remedy } = row;
  return new DataError(
    { kind, file, line, column, field, problem: problem + others, remedy: remedy + more },
    { cause: row },
  );
}

function lost({ problemRows, droppedRows }: Sums): string {
  const reasons = [
    problemRows > 0 ? `${problemRows} have problems` : "",
    droppedRows > 0 ? `${droppedRows} are longer than the limit and dropped` : "",
  ].filter((reason) => reason !== "");
  return reasons.length > 0 ? `: ${reasons.join(", ")}` : "";
}
