/** How a delimited table is written, decided from its first bytes: delimiter, quotation marks, header, column names. */
import { DataError, excerpt, shorten } from "../../errors";
import { splitCells } from "./cells";
import { chooseSurvey, survey } from "./survey";

interface Dialect {
  readonly delimiter: string;
  readonly quotes: boolean;
  /** Whether the first record names the columns. */
  readonly header: boolean;
  readonly columns: readonly string[];
  /** Bytes before the first record: a byte order mark, a "sep=" line. */
  readonly skip: number;
  /** Line of the first record. */
  readonly line: number;
}

export const maxColumns = 1000;
/** So many bytes are waited for while one delimiter sees no end of the first record. */
const patience = 1024 * 1024;
/** Longer is no column name. */
const longestName = 60;
const delimiters = ["\t", ",", ";", "|"];

const knownNames = new Set(
  `text prompt completion instruction input output question answer response label labels category system messages
   conversations conversation context content message title id source target history chosen rejected query reply`.split(
    /\s+/,
  ),
);

/**
 * The dialect of a file that begins with `head`; null where more bytes are needed (`complete`: there are none). Throws
 * `DataError` for a header that names a column twice or has too many.
 *
 * - The delimiter is the one of tab, comma, semicolon and bar that cuts most records into as many cells as the first, two
 *   or more. A first line `sep=;`, as spreadsheets write it, decides by itself.
 * - Quotation marks are ordinary characters in a tab-separated file in which they would not match but all records have the
 *   same number of cells without them. In any other file a mark that does not match is an error of its row.
 * - The first record is the header, unless one of its cells is longer than 60 characters; or, where none of them is a usual
 *   column name, unless one is a number or stands in its column again below.
 */
export function chooseDialect(head: Uint8Array, complete: boolean, file: string): Dialect | null {
  const opening = readOpening(head);
  const body = head.subarray(opening.skip);
  const choices = opening.delimiter === null ? delimiters : [opening.delimiter];
  const surveys = choices.map((delimiter) => survey(body, delimiter, complete));
  // No record where others see some: a long quoted cell, which the others take for text.
  if (!complete && surveys.some(({ count }) => count === 0) && head.length < patience) return null;
  const usual = opening.delimiter ?? (/\.(tsv|tab)$/i.test(file) ? "\t" : ",");
  const chosen = chooseSurvey(surveys) ?? survey(body, usual, complete);
  if (!complete && chosen.count === 0) return null;
  const line = opening.skip > 3 ? 2 : 1;
  const decoder = new TextDecoder();
  const records = chosen.records.map(({ start, end }) => {
    const { cells } = splitCells(decoder.decode(body.subarray(start, end)), chosen.delimiter, chosen.quotes);
    return cells;
  });
  const [first = [], ...following] = records;
  if (first === null) {
    const problem = "a quotation mark in the first record is not closed before the end of its cell";
    const remedy = 'close it before the delimiter, or write "" for a mark inside a quoted cell';
    throw new DataError({ kind: "file", file, line, problem, remedy });
  }
  const header = isHeader(
    first,
    following.filter((cells) => cells !== null),
  );
  const columns = nameColumns(header ? first : first.map(() => ""), file, line);
  return { delimiter: chosen.delimiter, quotes: chosen.quotes, header, columns, skip: opening.skip, line };
}

function readOpening(head: Uint8Array): { readonly skip: number; readonly delimiter: string | null } {
  const mark = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
  const separator = /^sep=([\t,;|])(\r\n|\r|\n)/i.exec(new TextDecoder().decode(head.subarray(mark, mark + 8)));
  if (separator === null) return { skip: mark, delimiter: null };
  return { skip: mark + separator[0].length, delimiter: separator[1] ?? null };
}

function isHeader(first: readonly string[], following: readonly (readonly string[])[]): boolean {
  if (first.some((cell) => cell.length > longestName)) return false;
  if (first.some((cell) => knownNames.has(cell.trim().toLowerCase()))) return true;
  if (first.some((cell) => /^\s*[-+]?\d+([.,]\d+)*\s*$/.test(cell))) return false;
  return !following.some(
    // A record that repeats the first as a whole is a second header: files put together from several have it.
    (record) =>
      record.some((cell, column) => cell !== "" && cell === first[column]) &&
      !record.every((cell, column) => cell === first[column]),
  );
}

function nameColumns(cells: readonly string[], file: string, line: number): string[] {
  if (cells.length > maxColumns) {
    const problem = `the first record has ${cells.length} cells`;
    throw new DataError({ kind: "file", file, line, problem, remedy: `give a table of at most ${maxColumns} columns` });
  }
  const columns = cells.map((cell, index) => cell.replace(/^\uFEFF/, "").trim() || `column ${index + 1}`);
  const seen = new Map<string, number>();
  for (const [index, column] of columns.entries()) {
    const earlier = seen.get(column);
    if (earlier !== undefined) {
      const problem = `columns ${earlier + 1} and ${index + 1} are both named ${excerpt(shorten(column))}`;
      throw new DataError({
        kind: "file",
        file,
        line,
        problem,
        remedy: "give every column a name of its own in the first line",
      });
    }
    seen.set(column, index);
  }
  return columns;
}
