/** Delimited tables: CSV, TSV and their relatives with semicolons or bars. UTF-8; cells stay strings. */
import { DataError, shorten } from "../errors";
import { splitCells } from "./csv/cells";
import { chooseSurvey, survey } from "./csv/dialect";
import { CsvScanner } from "./csv/scanner";
import { headBytes, type SlicedFormat } from "./types";

const tableName = /\.(csv|tsv|tab|psv)$/i;

export const format: SlicedFormat = {
  id: "csv",
  label: "CSV or TSV",
  access: "sliced",
  lineBreaks: "any",
  match(head, name) {
    if (head.includes(0)) return 0;
    const named = tableName.test(name);
    if (/^\uFEFF?\s*[[{]/u.test(new TextDecoder("utf-8", { ignoreBOM: true }).decode(head.subarray(0, 1024)))) {
      return named ? 0.2 : 0;
    }
    if (named) return looksDelimited(head, ["\t", ",", ";", "|"], 2) ? 0.9 : 0.6;
    // Without the name only what prose never looks like: the same number of cells line after line, no space after delimiters.
    if (looksDelimited(head, ["\t"], 2)) return 0.55;
    return looksDelimited(head, [",", ";"], 3) && !spaced(head) ? 0.5 : 0;
  },
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

function looksDelimited(head: Uint8Array, delimiters: readonly string[], records: number): boolean {
  const complete = head.length < headBytes;
  const best = chooseSurvey(delimiters.map((delimiter) => survey(head, delimiter, complete)));
  return best !== null && best.share >= 0.95 && best.count >= records;
}

/** Whether a space follows most commas and semicolons, as in prose. */
function spaced(head: Uint8Array): boolean {
  let delimiters = 0;
  let spaces = 0;
  for (let i = 0; i < head.length; i++) {
    if (head[i] !== 0x2c && head[i] !== 0x3b) continue;
    delimiters++;
    if (head[i + 1] === 0x20 || head[i + 1] === 0x0a || head[i + 1] === 0x0d) spaces++;
  }
  return spaces * 2 > delimiters;
}
