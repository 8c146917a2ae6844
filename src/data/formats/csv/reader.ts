/** A delimited table's rows: where they lie, and each one's cells. UTF-8; cells stay strings. */
import { DataError, shorten } from "../../errors";
import type { SlicedReader } from "../types";
import { splitCells } from "./cells";
import { CsvScanner } from "./scanner";

export const reader: SlicedReader = {
  lineBreaks: "any",
  scanner: (name) => new CsvScanner(name),
  parse(text, context, { file, line }) {
    const { columns, delimiter, quotes } = context;
    if (columns === null || delimiter === null) {
      throw new DataError({ file, problem: "the table has no first line", remedy: "open the file again" });
    }
    const { cells, openQuote } = splitCells(text, delimiter, quotes ?? true);
    if (cells === null) throw badQuote(text, openQuote, file, line);
    if (cells.length === columns.length) {
      if (cells.every((cell, index) => cell.replace(/^\uFEFF/, "").trim() === columns[index])) {
        const problem = "the row repeats the table's first line";
        throw new DataError({ kind: "syntax", file, line, problem, remedy: "leave it out" });
      }
      // Own properties whatever the name, "__proto__" too.
      return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ""]));
    }
    const names = shorten(columns.join(", "));
    const problem = `the row has ${count(cells.length, "cell")} where ${columns.length} are expected (${names})`;
    const mark = delimiter === "\t" ? "a tab" : `a "${delimiter}"`;
    const remedy =
      cells.length < columns.length
        ? `write the missing ${count(columns.length - cells.length, "cell")}, empty ones too`
        : `put quotation marks around a cell that contains ${mark}`;
    throw new DataError({ kind: "syntax", file, line, problem, remedy });
  },
};

function badQuote(text: string, index: number, file: string, line: number): DataError {
  const lineBreak = /\r\n|\r|\n/g;
  const opened = line + (text.slice(0, index).match(lineBreak)?.length ?? 0);
  const swallowed = text.slice(index).match(lineBreak)?.length ?? 0;
  const reach = swallowed === 0 ? "" : ` and takes in the next ${count(swallowed, "line")}`;
  const problem = `the quotation mark opened in line ${opened} is not closed before the end of its cell${reach}`;
  const remedy = 'close it before the delimiter, or write "" for a mark inside a quoted cell';
  return new DataError({ kind: "syntax", file, line, problem, remedy });
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
