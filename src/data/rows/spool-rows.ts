/**
 * Rows without bytes of their own → JSON Lines in the spool, with the lines that they had in their file. A line of the spool
 * is `[value]`, or `[null, fault]` for a row that could not be read, so that its reason is known when the row is asked for.
 */
import { DataError } from "../errors";
import type { SpooledFormat } from "../formats/types";
import { RowIndex } from "./row-index";
import { headRows, type RawRow, type Spool, type SpoolFile } from "./types";

/** Written at once. */
const batchBytes = 1024 * 1024;

export interface SpoolJob {
  readonly spool: Spool;
  readonly maxBytes: number;
  readonly signal: AbortSignal | null;
  /** Bytes of the file done and rows so far; throws when the user stops. */
  readonly onRows: (done: number, rows: number) => Promise<void>;
  readonly onHead: (rows: readonly RawRow[]) => void;
  /** What is left out of every row. */
  readonly onNote: (sentence: string) => void;
}

export interface SpooledRows {
  readonly blob: Blob;
  readonly index: RowIndex;
  readonly spooled: SpoolFile;
}

/** Throws what the format throws, and `DataError` where the rows take more than `maxBytes`. */
export async function spoolRows(
  blob: Blob,
  file: string,
  format: SpooledFormat,
  { spool, maxBytes, signal, onRows, onHead, onNote }: SpoolJob,
): Promise<SpooledRows> {
  const spooled = await spool.create();
  const index = new RowIndex({ keepLines: true });
  const encoder = new TextEncoder();
  const head: RawRow[] = [];
  let text: string[] = [];
  let waiting = 0;
  let written = 0;
  const flush = async () => {
    if (waiting > 0) await spooled.write(encoder.encode(text.join("")));
    text = [];
    waiting = 0;
  };
  try {
    let done = 0;
    for await (const { value, error, line, bytes } of format.rows(blob, file, signal, onNote)) {
      done += bytes;
      const json = `${JSON.stringify(error === undefined ? [value] : [null, faultOf(error)])}\n`;
      const length = utf8Length(json);
      if (written + length > maxBytes) {
        const problem = `written out, the rows take more than ${maxBytes} bytes`;
        throw new DataError({ file, line, problem, remedy: "split the file" });
      }
      if (!index.add(written, written + length - 1, line)) {
        throw new DataError({ file, line, problem: "64 rows take more than 4 GB", remedy: "split the file" });
      }
      const origin = { file, line };
      if (head.length < headRows) head.push({ row: head.length, origin, ...(error ? { error } : { value }) });
      if (head.length === headRows) onHead(head);
      text.push(json);
      written += length;
      waiting += length;
      if (waiting >= batchBytes) await flush();
      await onRows(Math.min(done, blob.size), index.rows);
    }
    await flush();
    return { blob: await spooled.finish(), index, spooled };
  } catch (error) {
    await spooled.discard();
    throw error;
  }
}

type Fault = Pick<DataError, "kind" | "line" | "column" | "field" | "problem" | "remedy">;

function faultOf({ kind, line, column, field, problem, remedy }: DataError): Fault {
  return { kind, line, column, field, problem, remedy };
}

/** A line of the spool as the row's value. Throws the row's `DataError`. */
export function parseSpooled(text: string, { file }: { readonly file: string }): unknown {
  // Written by `spoolRows` a moment ago and read by nobody else.
  const [value, fault]: readonly [unknown, Fault?] = JSON.parse(text);
  if (fault !== undefined) throw new DataError({ file, ...fault });
  return value;
}

/** JSON text has no half surrogate pairs: `JSON.stringify` escapes them. */
function utf8Length(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    // Two units of a pair make four bytes: two more.
    length += code < 0x800 || (code & 0xf800) === 0xd800 ? 1 : 2;
  }
  return length;
}
