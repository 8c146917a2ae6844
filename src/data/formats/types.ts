/** What a dataset format is. One file per format in this folder; `index.ts` collects them. */
import type { DataError } from "../errors";

/** Where a format stands on a file, so that a row's bytes can be parsed on their own. Structured-cloneable: it is kept with the index. */
export interface FileContext {
  /** Column names of a table, in order; null where rows name their own. */
  readonly columns: readonly string[] | null;
  /** The byte or string between two cells of a table; null elsewhere. */
  readonly delimiter: string | null;
  /** False where a table's quotation marks are ordinary characters; default: cells may be quoted. */
  readonly quotes?: boolean;
}

export const noContext: FileContext = { columns: null, delimiter: null };

/**
 * Row by row: bytes [start, end) of the file and the 1-based line of `start`. Starts ascend and rows do not overlap.
 * `continues` is true where the row is a piece of a document that goes on in the next row.
 */
export type RowSink = (start: number, end: number, line: number, continues?: boolean) => void;

/** Finds rows in a file's bytes as they come. Makes no object per row: a pass over a gigabyte must not feed the collector. */
export interface RowScanner {
  /** `chunk` follows what was fed before; its buffer is used again afterwards, so nothing of it may be kept. Throws `DataError` for a file that cannot be in this format. */
  feed(chunk: Uint8Array, sink: RowSink): void;
  /** After the last chunk. */
  finish(sink: RowSink): void;
  /** Known after the first row at the latest. */
  readonly context: FileContext;
}

export type LineBreaks = "lf" | "any";

interface FormatBase {
  /** The file's name without `.ts`. */
  readonly id: string;
  /** As a person knows it: "JSON Lines". */
  readonly label: string;
  /** How surely the file is in this format, 0 (no) to 1, from its first bytes (up to `headBytes`, decompressed, UTF-8) and its name. */
  match(head: Uint8Array, name: string): number;
}

/** Every row is a run of bytes: the file is indexed once and any row is one slice of it. UTF-8, no byte order mark. */
export interface SlicedFormat extends FormatBase {
  readonly access: "sliced";
  /** What is large loads here, when a file in this format is met. */
  reader(): Promise<SlicedReader>;
}

export interface SlicedReader {
  /** What its scanner counts as the end of a line: a line feed, or also a carriage return alone. Default: "lf". */
  readonly lineBreaks?: LineBreaks;
  scanner(name: string): RowScanner;
  /**
   * One row's value from its text: an object of columns, or whatever the file holds there. `continued` is true where the row
   * before it `continues` in this one. Throws `DataError` (kind "syntax").
   */
  parse(
    text: string,
    context: FileContext,
    origin: { readonly file: string; readonly line: number },
    continues?: boolean,
    continued?: boolean,
  ): unknown;
}

/** Rows have no bytes of their own (column stores, YAML): they are written once as JSON Lines into a spool and sliced there. */
export interface SpooledFormat extends FormatBase {
  readonly access: "spooled";
  /** The rows in file order. Throws `DataError`. `onNote` hears a sentence about what is left out of every row, once per column. */
  rows(
    blob: Blob,
    name: string,
    signal: AbortSignal | null,
    onNote?: (sentence: string) => void,
  ): AsyncIterable<SpooledRow>;
}

export interface SpooledRow {
  /** A JSON value; null beside an error. */
  readonly value: unknown;
  /** What is wrong with this row alone. */
  readonly error?: DataError;
  /** 1-based; the row's number where the format has no lines. */
  readonly line: number;
  /** Bytes of the file that this row covers, as nearly as the format can tell. */
  readonly bytes: number;
}

export type DatasetFormat = SlicedFormat | SpooledFormat;

/** How much of a file `match` sees. */
export const headBytes = 65_536;
