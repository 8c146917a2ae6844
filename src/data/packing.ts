/** Packing of rows into bins by best-fit decreasing, bin for bin as TRL's `packing_strategy="bfd"`. */

/** TRL packs through `datasets.map`, whose batches hold this many rows; a row never shares a bin across them. */
export const trlGroup = 1000;

/**
 * Row indices per bin; no bin's lengths sum to more than `maxLength`. Rows are taken by falling length, equal ones in order;
 * each goes to the bin with the least room that suffices (of several, the one that came to this room first) or opens a bin.
 * Rows longer than `maxLength` count as `maxLength`; empty rows are left out. Bins come in the order of their opening.
 */
export function packBfd(lengths: readonly number[], maxLength: number, groupSize: number = trlGroup): number[][] {
  const bins: number[][] = [];
  for (let start = 0; start < lengths.length; start += groupSize) {
    packGroup(lengths, start, Math.min(start + groupSize, lengths.length), maxLength, bins);
  }
  return bins;
}

function packGroup(lengths: readonly number[], start: number, stop: number, maxLength: number, bins: number[][]): void {
  const lengthOf = (row: number) => Math.min(lengths[row] ?? 0, maxLength);
  const rows: number[] = [];
  for (let row = start; row < stop; row++) if (lengthOf(row) > 0) rows.push(row);
  rows.sort((a, b) => lengthOf(b) - lengthOf(a));

  /** Room left → bins with exactly that room, first come first served; `rooms` holds its keys, ascending. */
  const open = new Map<number, Queue>();
  const rooms: number[] = [];
  for (const row of rows) {
    const length = lengthOf(row);
    const at = lowerBound(rooms, length);
    const room = rooms[at];
    let bin: number[] | undefined;
    if (room !== undefined) {
      const queue = open.get(room);
      bin = queue?.take();
      if (queue?.size === 0) {
        open.delete(room);
        rooms.splice(at, 1);
      }
    }
    if (bin === undefined) {
      bin = [];
      bins.push(bin);
    }
    bin.push(row);
    const left = (room ?? maxLength) - length;
    if (left === 0) continue;
    let queue = open.get(left);
    if (queue === undefined) {
      queue = new Queue();
      open.set(left, queue);
      rooms.splice(lowerBound(rooms, left), 0, left);
    }
    queue.add(bin);
  }
}

/** First in, first out, both ends in constant time (`Array.shift` is linear). */
class Queue {
  private readonly bins: number[][] = [];
  private taken = 0;

  get size(): number {
    return this.bins.length - this.taken;
  }

  add(bin: number[]): void {
    this.bins.push(bin);
  }

  take(): number[] | undefined {
    return this.bins[this.taken++];
  }
}

/** Index of the first entry ≥ `value`, or the length. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
