/** Reading a file's bytes and finding lines in them. */
import { DataError } from "../errors";
import type { LineBreaks } from "../formats/types";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Line breaks in [from, to), which neither begins nor ends between the two bytes of a CR LF. */
export function countLines(bytes: Uint8Array, from: number, to: number, breaks: LineBreaks): number {
  let count = 0;
  for (let at = bytes.indexOf(lineFeed, from); at !== -1 && at < to; at = bytes.indexOf(lineFeed, at + 1)) count++;
  if (breaks === "lf") return count;
  for (let at = bytes.indexOf(carriageReturn, from); at !== -1 && at < to; at = bytes.indexOf(carriageReturn, at + 1)) {
    if (at + 1 === to || bytes[at + 1] !== lineFeed) count++;
  }
  return count;
}

/** Throws `DataError` when the file changed or vanished since it was chosen. */
export async function readSlice(
  blob: Blob,
  start: number,
  end: number,
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
  } catch (cause) {
    throw unreadable(file, cause);
  }
  if (bytes.length !== Math.min(end, blob.size) - start) throw unreadable(file, null);
  return bytes;
}

export function unreadable(file: string, cause: unknown): DataError {
  const problem = "the file cannot be read";
  return new DataError({ file, problem, remedy: "check that it still exists and choose it again" }, { cause });
}

/** Read at once while indexing. */
const pieceBytes = 1024 * 1024;

/**
 * The file's bytes in order; the next piece is on its way while one is worked on. A piece is overwritten once the
 * next one is asked for: two buffers carry a file of any size.
 */
export async function* piecesOf(blob: Blob, file: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = pieceReader(blob);
  const read = () => {
    const piece = reader.read();
    // Whoever stops in the middle never asks for it.
    piece.catch(() => undefined);
    return piece;
  };
  try {
    let done = 0;
    for (let next = read(); ; ) {
      let bytes: Uint8Array<ArrayBuffer> | null;
      try {
        bytes = await next;
      } catch (cause) {
        throw unreadable(file, cause);
      }
      if (bytes === null) break;
      next = read();
      done += bytes.length;
      yield bytes;
    }
    if (done !== blob.size) throw unreadable(file, null);
  } finally {
    // Also reached when the consumer stops early: the stream must let go of the file.
    await reader.cancel();
  }
}

interface PieceReader {
  /** Null at the end. */
  read(): Promise<Uint8Array<ArrayBuffer> | null>;
  cancel(): Promise<void>;
}

function pieceReader(blob: Blob): PieceReader {
  const stream = blob.stream();
  let filled: ReadableStreamBYOBReader;
  try {
    filled = stream.getReader({ mode: "byob" });
  } catch {
    // Where blobs are no byte streams every piece is a new buffer, and the collector's.
    const reader = stream.getReader();
    return {
      read: async () => (await reader.read()).value ?? null,
      cancel: () => reader.cancel().catch(() => undefined),
    };
  }
  /** Least recently filled first: one is worked on while the other is filled. */
  const free: ArrayBuffer[] = [new ArrayBuffer(pieceBytes), new ArrayBuffer(pieceBytes)];
  return {
    async read() {
      const { value, done } = await filled.read(new Uint8Array(free.shift() ?? new ArrayBuffer(pieceBytes)));
      if (done || value === undefined) return null;
      free.push(value.buffer);
      return value;
    },
    cancel: () => filled.cancel().catch(() => undefined),
  };
}
