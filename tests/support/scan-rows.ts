/** Reads a sliced format's rows as the data line does: bytes in chunks through the scanner, then each row's slice parsed. */
import type { DataError } from "../../src/data/errors";
import type { SlicedReader } from "../../src/data/formats/types";

export interface ScannedRow {
  readonly line: number;
  readonly value: unknown;
  /** The message, where the row cannot be parsed. */
  readonly error: string | null;
}

/** `chunkSizes` are used in turn, again and again. */
export function scanRows(
  reader: SlicedReader,
  bytes: Uint8Array,
  name: string,
  chunkSizes: readonly number[] = [65_536],
): ScannedRow[] {
  const scanner = reader.scanner(name);
  const slices: { start: number; end: number; line: number; continues: boolean }[] = [];
  const sink = (start: number, end: number, line: number, continues = false) => {
    slices.push({ start, end, line, continues });
  };
  let offset = 0;
  for (let turn = 0; offset < bytes.length; turn++) {
    const size = Math.max(1, chunkSizes[turn % chunkSizes.length] ?? bytes.length);
    // A fresh buffer, wiped after use: a scanner that keeps a view of it reads zeros.
    const chunk = new Uint8Array(bytes.subarray(offset, offset + size));
    scanner.feed(chunk, sink);
    chunk.fill(0);
    offset += size;
  }
  scanner.finish(sink);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return slices.map(({ start, end, line, continues }) => {
    const text = decoder.decode(bytes.subarray(start, end));
    try {
      return { line, value: reader.parse(text, scanner.context, { file: name, line }, continues), error: null };
    } catch (cause) {
      return { line, value: null, error: (cause as DataError).message };
    }
  });
}
