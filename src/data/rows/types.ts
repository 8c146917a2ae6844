/** A dataset's files as numbered rows: what indexing gives and everything after it reads. Types only. */
import type { DataError } from "../errors";
import type { FileContext } from "../formats/types";
import type { RowOrigin } from "../types";

export interface DataFile {
  readonly name: string;
  readonly blob: Blob;
}

/** A row as the file has it. What cannot be parsed is an error of this row, not of the file. */
export type RawRow =
  | { readonly row: number; readonly origin: RowOrigin; readonly value: unknown }
  | {
      readonly row: number;
      readonly origin: RowOrigin;
      readonly error: DataError;
      /** The row's beginning as the file has it, for people; absent where it is no text. */
      readonly text?: string;
    };

export interface SourceFile {
  readonly name: string;
  readonly bytes: number;
  /** First row of this file in the numbering of the whole source. */
  readonly firstRow: number;
  readonly rows: number;
  readonly format: string;
  /** Ids of the formats that may read this file, best first. */
  readonly candidates: readonly string[];
  readonly context: FileContext;
}

export interface RowSource {
  /** Of all files, numbered through in the order given. */
  readonly rows: number;
  readonly bytes: number;
  readonly files: readonly SourceFile[];
  /** Sentences on what the files hold and every row leaves out, such as a column of images. */
  readonly notes: readonly string[];
  /** Bytes that the row takes where it is read: in its file, or in the spool. */
  size(row: number): number;
  /** The rows in the order asked for; neighbours share one read of the disk. Throws `DataError` when a file cannot be read any more. */
  read(rows: ArrayLike<number>): Promise<RawRow[]>;
  /** Gives the spool's space back; afterwards nothing may be read. */
  close(): Promise<void>;
}

/** A place on disk for rows of formats that cannot be sliced. The bytes live as long as the page. */
export interface Spool {
  create(): Promise<SpoolFile>;
}

export interface SpoolFile {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** What was written. Nothing may be written afterwards. */
  finish(): Promise<Blob>;
  /** Gives the space back; before or after `finish`. */
  discard(): Promise<void>;
}

/** Keeps indexes of files seen before. Values are structured-cloneable. */
export interface IndexCache {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
}

export interface OpenRowsOptions {
  /** Id of a format, for every file; null: the best match. */
  readonly format: string | null;
  readonly spool: Spool;
  readonly cache: IndexCache | null;
  readonly signal: AbortSignal | null;
  /** The most that one file may take in the spool, decompressed. Default: 16 GB. */
  readonly maxBytes?: number;
  /** Bytes done and in all, rows found so far. */
  readonly onProgress?: (done: number, total: number, rows: number) => void;
  /** Once, with the first rows (at most `headRows`), long before a large file's index is done. */
  readonly onHead?: (rows: readonly RawRow[]) => void;
}

export const headRows = 20;
