/** What a table's first bytes look like under one delimiter or another. */
import { quoting, RecordWalker } from "./records";

const surveyed = 50;

/** A delimiter tried on the first bytes. */
interface Survey {
  readonly delimiter: string;
  readonly quotes: boolean;
  /** Of the first records, as bytes; at most `surveyed` of them. */
  readonly records: readonly { readonly start: number; readonly end: number }[];
  /** Records seen, and the share of them that have as many cells as the first and sound quotation marks. */
  readonly count: number;
  readonly share: number;
  readonly cells: number;
  readonly malformed: boolean;
}

/** What the records look like under one delimiter. The last, unfinished record counts only when the file is complete. */
export function survey(body: Uint8Array, delimiter: string, complete: boolean): Survey {
  const quoted = surveyWith(body, delimiter, complete, true);
  if (delimiter !== "\t" || !quoted.malformed) return quoted;
  const literal = surveyWith(body, delimiter, complete, false);
  return literal.share === 1 && literal.cells > 1 ? literal : quoted;
}

function surveyWith(body: Uint8Array, delimiter: string, complete: boolean, quotes: boolean): Survey {
  const records: { start: number; end: number }[] = [];
  const walker = new RecordWalker(delimiter.charCodeAt(0), quotes);
  let count = 0;
  let agreeing = 0;
  let firstCells = 0;
  let malformed = false;
  const sink = (start: number, end: number, _line: number, cells: number, marks: number) => {
    if (count === 0) firstCells = cells;
    count++;
    const sound = marks === quoting.none || marks === quoting.sound;
    if (!sound) malformed = true;
    if (sound && cells === firstCells) agreeing++;
    if (records.length < surveyed) records.push({ start, end });
  };
  walker.feed(body, sink);
  if (complete) walker.finish(sink);
  return { delimiter, quotes, records, count, share: count === 0 ? 0 : agreeing / count, cells: firstCells, malformed };
}

/** The one under which most records agree with the first; null where none has two cells in its first record. */
export function chooseSurvey(surveys: readonly Survey[]): Survey | null {
  let best: Survey | null = null;
  for (const candidate of surveys) {
    if (candidate.cells > 1 && candidate.share > (best?.share ?? 0)) best = candidate;
  }
  return best;
}
