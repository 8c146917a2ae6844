/** One record's text as its cells. */
import Papa from "papaparse";

type Cells =
  | { readonly cells: readonly string[]; readonly openQuote: null }
  /** `openQuote`: where in the text the cell begins whose quotation marks do not match. */
  | { readonly cells: null; readonly openQuote: number };

interface ParsedRecords {
  readonly data: readonly (readonly string[])[];
  readonly errors: readonly { readonly index?: number }[];
}

/** `text` is one record without its line break. */
export function splitCells(text: string, delimiter: string, quotes: boolean): Cells {
  if (!quotes) return { cells: text.split(delimiter), openQuote: null };
  // The parser below `Papa.parse`, which would take a byte order mark out of the first cell.
  const parser = new Papa.Parser({ delimiter, newline: "\n", preview: 1 });
  // With a line break behind it, spaces after the last closing mark are dropped as they are before a delimiter.
  const { data, errors }: ParsedRecords = parser.parse(`${text}\n`, 0, false);
  const [first] = errors;
  if (first !== undefined) return { cells: null, openQuote: Math.max(0, (first.index ?? 1) - 1) };
  return { cells: data[0] ?? [], openQuote: null };
}
