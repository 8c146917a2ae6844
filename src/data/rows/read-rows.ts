/** Rows by number: neighbours share a read, every row is a value or an error of its own. */
import { DataError } from "../errors";
import type { LineBreaks } from "../formats/types";
import { countLines, readSlice } from "./bytes";
import { noSuchRow, type RowIndex, type RowSpan } from "./row-index";
import type { RawRow } from "./types";

/** A file whose rows can be read, also while its index grows. */
export interface IndexedFile {
  readonly name: string;
  readonly blob: Blob;
  readonly index: RowIndex;
  readonly firstRow: number;
  /** How the lines of its index were counted. */
  readonly lineBreaks: LineBreaks;
  /** Throws `DataError` for a row that is not in the format. */
  parse(
    text: string,
    origin: { readonly file: string; readonly line: number },
    continues: boolean,
    continued: boolean,
  ): unknown;
}

/** A longer row is a file that is no row data: it never comes into memory. */
const longestRow = 32 * 1024 * 1024;
/** Neighbours are read at once up to this size, with no more than this between them. */
const groupBytes = 4 * 1024 * 1024;
const gapBytes = 65_536;
/** Bytes that are read ahead of parsing: disks and browsers answer several requests sooner than one by one. */
const windowBytes = 32 * 1024 * 1024;
const windowGroups = 16;
/** Characters of a bad row that its error shows. */
const shownText = 2_000;

interface Wanted {
  /** Where the row goes in the result. */
  readonly position: number;
  readonly row: number;
  /** Within the file. */
  readonly local: number;
  readonly span: RowSpan;
}

interface Group {
  readonly file: IndexedFile;
  /** First byte to read: the first row's, or an earlier one from which its line is counted. */
  readonly begin: number;
  /** Line at `begin`; null where it must be asked for. */
  readonly line: number | null;
  end: number;
  readonly wanted: Wanted[];
}

/** Throws `DataError` when a file cannot be read any more. */
export async function readRows(files: readonly IndexedFile[], rows: ArrayLike<number>): Promise<RawRow[]> {
  const result = new Array<RawRow>(rows.length);
  let waiting: Group[] = [];
  let bytes = 0;
  const flush = async () => {
    const groups = waiting;
    waiting = [];
    bytes = 0;
    await Promise.all(groups.map((group) => readGroup(group, result)));
  };
  for (const group of groupsOf(files, rows)) {
    waiting.push(group);
    bytes += group.end - group.begin;
    if (bytes >= windowBytes || waiting.length >= windowGroups) await flush();
  }
  await flush();
  return result;
}

function* groupsOf(files: readonly IndexedFile[], rows: ArrayLike<number>): Generator<Group> {
  const order = Array.from(rows, (row, position) => ({ row, position })).sort((a, b) => a.row - b.row);
  let group: Group | null = null;
  let at = 0;
  for (const { row, position } of order) {
    const file = fileAt(files, row, at);
    at = file.at;
    const local = row - file.file.firstRow;
    const span = file.file.index.span(local);
    const wanted = { position, row, local, span };
    const joins =
      group !== null &&
      group.file === file.file &&
      span.start - group.end <= gapBytes &&
      span.end - group.begin <= groupBytes;
    if (group !== null && joins) {
      group.end = Math.max(group.end, span.end);
      group.wanted.push(wanted);
    } else {
      if (group !== null) yield group;
      group = openGroup(file.file, wanted);
    }
  }
  if (group !== null) yield group;
}

function fileAt(files: readonly IndexedFile[], row: number, from: number): { file: IndexedFile; at: number } {
  for (let at = from; ; at++) {
    const file = files[at];
    if (file === undefined || !Number.isSafeInteger(row) || row < 0) throw noSuchRow(row, rowsOf(files));
    if (row - file.firstRow < file.index.rows) return { file, at };
  }
}

/** Bytes of the row. */
export function rowSize(files: readonly IndexedFile[], row: number): number {
  const { file } = fileAt(files, row, 0);
  const { start, end } = file.index.span(row - file.firstRow);
  return end - start;
}

function rowsOf(files: readonly IndexedFile[]): number {
  return files.reduce((sum, { index }) => sum + index.rows, 0);
}

function openGroup(file: IndexedFile, wanted: Wanted): Group {
  const { start, end } = wanted.span;
  const line = file.index.knownLine(wanted.local);
  const anchor = file.index.anchor(wanted.local);
  if (end - start > longestRow) return { file, begin: start, end: start, line, wanted: [wanted] };
  // One read gives the row and the line breaks before it.
  if (line === null && start - anchor.offset <= groupBytes) {
    return { file, begin: anchor.offset, end, line: anchor.line, wanted: [wanted] };
  }
  return { file, begin: start, end, line, wanted: [wanted] };
}

async function readGroup({ file, begin, end, line: known, wanted }: Group, result: RawRow[]): Promise<void> {
  const [first] = wanted;
  if (first === undefined) return;
  let line = known ?? (await file.index.line(first.local, file.blob, file.name, file.lineBreaks));
  if (end === begin) {
    result[first.position] = tooLong(file.name, first.row, line);
    return;
  }
  const bytes = await readSlice(file.blob, begin, end, file.name);
  let counted = 0;
  for (const { position, row, local, span } of wanted) {
    const from = span.start - begin;
    const stored = file.index.knownLine(local);
    if (stored === null) line += countLines(bytes, counted, from, file.lineBreaks);
    else line = stored;
    counted = from;
    result[position] = readRow(file, bytes.subarray(from, span.end - begin), row, local, line);
  }
}

function readRow(file: IndexedFile, bytes: Uint8Array, row: number, local: number, line: number): RawRow {
  const origin = { file: file.name, line };
  let text: string;
  try {
    text = strictDecoder.decode(bytes);
  } catch (cause) {
    const problem = "the line is not valid UTF-8";
    const remedy = "save the file with UTF-8 encoding";
    const at = line + badLine(bytes, file.lineBreaks);
    const error = new DataError({ kind: "encoding", file: file.name, line: at, problem, remedy }, { cause });
    return { row, origin, error, text: new TextDecoder().decode(bytes.subarray(0, shownText)) };
  }
  try {
    const { continues } = file.index.span(local);
    const continued = local > 0 && file.index.span(local - 1).continues;
    return { row, origin, value: file.parse(text, origin, continues, continued) };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { row, origin, error, text: text.slice(0, shownText) };
  }
}

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Line breaks before the first line that is no UTF-8. */
function badLine(bytes: Uint8Array, breaks: LineBreaks): number {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.subarray(start).findIndex((byte) => byte === 0x0a || (byte === 0x0d && breaks === "any"));
    const end = found === -1 ? bytes.length : start + found;
    try {
      strictDecoder.decode(bytes.subarray(start, end));
    } catch {
      return countLines(bytes, 0, start, breaks);
    }
    start = end + 1;
  }
  return 0;
}

function tooLong(file: string, row: number, line: number): RawRow {
  const problem = `the row is longer than ${longestRow / 1024 / 1024} MB`;
  const remedy = "check that the file is in the format it was taken for, or split the row";
  const error = new DataError({ kind: "syntax", file, line, problem, remedy });
  return { row, origin: { file, line }, error };
}
