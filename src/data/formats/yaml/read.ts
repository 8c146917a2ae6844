/** The rows of a YAML file, which is read as a whole. */
import { type Document, isNode, LineCounter, parseAllDocuments } from "yaml";
import { DataError, shorten } from "../../errors";
import type { SpooledRow } from "../types";
import { BudgetFault, Converter, RowFault } from "./convert";
import { rowsOf, type YamlRow } from "./rows";

const largestFile = 32 * 1024 * 1024;
/** Line breaks, commas and opening brackets: what a file needs to hold many nodes, which take far more memory than its text. */
const mostMarks = 4_000_000;
const tooDeep = "it is nested too deeply";

/** Throws `DataError`, and the signal's reason. */
export async function* readYaml(blob: Blob, name: string, signal: AbortSignal | null): AsyncGenerator<SpooledRow> {
  const text = await readText(blob, name);
  signal?.throwIfAborted();
  const lines = new LineCounter();
  const documents = parse(text, lines, name);
  const bytesPerCharacter = blob.size / Math.max(1, text.length);
  let covered = 0;
  for (const doc of documents) {
    for (const row of documentRows(doc, lines, name)) {
      signal?.throwIfAborted();
      const end = Math.max(covered, Math.min(blob.size, Math.floor(row.end * bytesPerCharacter)));
      yield { ...spooledRow(row, name), bytes: end - covered };
      covered = end;
    }
  }
}

async function readText(blob: Blob, file: string): Promise<string> {
  if (blob.size > largestFile) {
    const problem = `the YAML file has ${blob.size} bytes, and at most ${largestFile / 1024 / 1024} MB can be read as a whole`;
    throw new DataError({ file, problem, remedy: "save it as JSON Lines, or as several files" });
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await blob.arrayBuffer());
  } catch (cause) {
    const problem = "the file is not valid UTF-8";
    throw new DataError({ kind: "encoding", file, problem, remedy: "save it with UTF-8 encoding" }, { cause });
  }
  let marks = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x0a || code === 0x2c || code === 0x5b || code === 0x7b) marks++;
  }
  if (marks > mostMarks) {
    throw new DataError({ file, problem: "the YAML file has too many entries", remedy: "save it as JSON Lines" });
  }
  return text;
}

function parse(text: string, lines: LineCounter, file: string): readonly Document[] {
  let documents: readonly Document[];
  try {
    // Keys are compared by the converter: the parser's own comparison takes time by the square of their number.
    const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    documents = "empty" in parsed ? [] : parsed;
  } catch (cause) {
    const what = cause instanceof RangeError ? tooDeep : shorten(String(cause), 100);
    throw unreadable(file, null, what, cause);
  }
  for (const { errors } of documents) {
    const [error] = errors;
    if (error === undefined) continue;
    const { line, col } = lines.linePos(error.pos[0]);
    // The parser reports its own exhausted stack as an error of the document.
    const overflow = /call stack|recursion/.test(error.message);
    throw unreadable(file, line, overflow ? tooDeep : `${shorten(error.message, 100)} (column ${col})`, error);
  }
  return documents;
}

interface PlacedRow extends YamlRow {
  readonly line: number;
  /** Where the row ends, in characters. */
  readonly end: number;
}

function documentRows(doc: Document, lines: LineCounter, file: string): readonly PlacedRow[] {
  const root = doc.contents;
  // A document of comments only, or of nothing.
  if (root === null || (isNode(root) && "value" in root && root.value === null)) return [];
  try {
    return rowsOf(root, new Converter(doc)).map((row) => {
      const range = isNode(row.node) ? row.node.range : null;
      return { ...row, line: lines.linePos(range?.[0] ?? 0).line, end: range?.[2] ?? 0 };
    });
  } catch (cause) {
    if (cause instanceof RangeError) throw unreadable(file, null, tooDeep, cause);
    if (!(cause instanceof RowFault)) throw cause;
    const line = lines.linePos((isNode(root) ? root.range?.[0] : null) ?? 0).line;
    throw new DataError({
      kind: "file",
      file,
      line,
      problem: `the text cannot be used: ${cause.message}`,
      remedy: cause.remedy,
    });
  }
}

function spooledRow({ value, line }: PlacedRow, file: string): Omit<SpooledRow, "bytes"> {
  try {
    return { value: value(), line };
  } catch (cause) {
    if (cause instanceof RowFault) {
      const error = new DataError({ kind: "syntax", file, line, problem: cause.message, remedy: cause.remedy });
      return { value: null, error, line };
    }
    if (cause instanceof BudgetFault) throw unreadable(file, line, cause.message, cause);
    throw cause;
  }
}

function unreadable(file: string, line: number | null, what: string, cause: unknown): DataError {
  const problem = `not valid YAML: ${what}`;
  return new DataError(
    { kind: "file", file, line, problem, remedy: "correct it, or save the data as JSON Lines" },
    { cause },
  );
}
