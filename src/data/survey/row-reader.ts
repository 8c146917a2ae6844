/** Rows of a source through `readRow`, a few at a time: bounded memory, and other events of the thread get their turn. */
import type { RowSource } from "../rows/types";
import { type Reading, type ReadRow, readRow } from "./read-row";

/** Bytes of rows that are read at once (a longer row comes alone), and rows at most. */
const batchBytes = 1024 * 1024;
const batchRows = 512;
/** Milliseconds of work between two turns of the event loop (an abort, above all). */
const turn = 50;

/** These rows in the order given, or, for a number, the first ones in file order. Throws `DataError` when a file cannot be read any more, and the signal's reason. */
export async function* readRows(
  source: RowSource,
  rows: Iterable<number> | number,
  reading: Reading,
  signal: AbortSignal | null = null,
): AsyncGenerator<ReadRow, void> {
  let turned = performance.now();
  for (const batch of boundedBatches(typeof rows === "number" ? firstRows(rows) : rows, source)) {
    signal?.throwIfAborted();
    for (const raw of await source.read(batch)) {
      yield readRow(raw, reading);
      if (performance.now() - turned < turn) continue;
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
      turned = performance.now();
    }
  }
}

function* firstRows(count: number): Generator<number, void> {
  for (let row = 0; row < count; row++) yield row;
}

/** By the rows' own sizes: in a file whose average row is short, neighbours may all be long. */
function* boundedBatches(rows: Iterable<number>, source: RowSource): Generator<number[], void> {
  let batch: number[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = source.size(row);
    if (batch.length === batchRows || (batch.length > 0 && bytes + size > batchBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

export function* batchesOf(rows: Iterable<number>, size: number): Generator<number[], void> {
  let batch: number[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
