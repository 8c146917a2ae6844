/**
 * Columns of a stored matrix as rows: exporters lay the right side of a product [in, out], which here is [out, in]. Only
 * slabs of the file are in memory, and the next rows are turned together with the ones asked for.
 */
import type { RowRange } from "../types";
import type { StoredTensor } from "./storage";

/** Bytes of the file in memory at once. */
const slabBytes = 8 * 1024 * 1024;
/** Turned rows kept for the next call. */
const aheadBytes = 24 * 1024 * 1024;
/** A run of one stored row that is worth a read of its own. */
const runBytes = 4 * 1024;
const parallelReads = 32;
const tile = 32;

type Words = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

export class ColumnReader {
  readonly #tensor: StoredTensor;
  /** Stored rows and columns. */
  readonly #height: number;
  readonly #across: number;
  readonly #width: number;
  #turned: { readonly first: number; readonly count: number; readonly bytes: Uint8Array<ArrayBuffer> } | null = null;

  /** `tensor` is [in, out], its elements 1, 2 or 4 bytes wide. */
  constructor(tensor: StoredTensor) {
    this.#tensor = tensor;
    [this.#height = 0, this.#across = 0] = tensor.shape;
    this.#width = tensor.count > 0 ? tensor.bytes / tensor.count : 1;
  }

  /** [count, in], row-major. */
  async read({ first, count }: RowRange): Promise<Uint8Array<ArrayBuffer>> {
    const rowBytes = this.#height * this.#width;
    let held = this.#turned;
    if (!held || first < held.first || first + count > held.first + held.count) {
      this.#turned = null;
      const more = Math.max(count, Math.floor(aheadBytes / Math.max(rowBytes, 1)));
      const rows = { first, count: Math.min(more, this.#across - first) };
      held = { ...rows, bytes: await this.#turn(rows) };
    }
    const rest = held.first + held.count > first + count;
    this.#turned = rest ? held : null;
    if (first === held.first && count === held.count) return held.bytes;
    const from = (first - held.first) * rowBytes;
    return held.bytes.slice(from, from + count * rowBytes);
  }

  async #turn({ first, count }: RowRange): Promise<Uint8Array<ArrayBuffer>> {
    const [height, across, width] = [this.#height, this.#across, this.#width];
    const out = new Uint8Array(count * height * width);
    const runs = across * width > slabBytes || (count * width >= runBytes && count * 2 < across);
    const stride = runs ? count : across;
    const step = Math.max(1, Math.floor(slabBytes / Math.max(stride * width, 1)));
    for (let top = 0; top < height; top += step) {
      const rows = Math.min(step, height - top);
      const slab = runs
        ? await this.#runs(top, rows, first, count)
        : await this.#tensor.read(top * across * width, (top + rows) * across * width);
      turn(words(slab, width), { rows, stride, offset: runs ? 0 : first }, words(out, width), { count, height, top });
    }
    return out;
  }

  /** Columns `first` … of stored rows `top` …, [rows, count]. */
  async #runs(top: number, rows: number, first: number, count: number): Promise<Uint8Array<ArrayBuffer>> {
    const [across, width] = [this.#across, this.#width];
    const slab = new Uint8Array(rows * count * width);
    for (let row = 0; row < rows; row += parallelReads) {
      const batch = Array.from({ length: Math.min(parallelReads, rows - row) }, async (_, i) => {
        const at = ((top + row + i) * across + first) * width;
        slab.set(await this.#tensor.read(at, at + count * width), (row + i) * count * width);
      });
      await Promise.all(batch);
    }
    return slab;
  }
}

function words(bytes: Uint8Array<ArrayBuffer>, width: number): Words {
  if (width === 4) return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  if (width === 2) return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return bytes;
}

/** out[c · height + top + r] = slab[r · stride + offset + c], tile by tile, so that both sides stay in the cache. */
function turn(
  slab: Words,
  { rows, stride, offset }: { readonly rows: number; readonly stride: number; readonly offset: number },
  out: Words,
  { count, height, top }: { readonly count: number; readonly height: number; readonly top: number },
): void {
  for (let left = 0; left < count; left += tile) {
    const right = Math.min(left + tile, count);
    for (let low = 0; low < rows; low += tile) {
      const high = Math.min(low + tile, rows);
      for (let c = left; c < right; c++) {
        for (let r = low; r < high; r++) out[c * height + top + r] = slab[r * stride + offset + c] ?? 0;
      }
    }
  }
}
