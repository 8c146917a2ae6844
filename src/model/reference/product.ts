/** x·Wᵀ on the CPU in float64, for a frozen W that is read back from the GPU in pieces of rows; and a LoRA pair's share of it. */
import type { Device } from "../../engine/device";
import type { FrozenMatrix } from "../../ops/lib/frozen";
import { readRows, rowsPerPiece } from "./decode";

/** y += scale · B(Ax) */
export interface TwinPair {
  /** [rank, in] */
  readonly a: Float64Array;
  /** [out, rank] */
  readonly b: Float64Array;
  readonly scale: number;
}

export interface Work {
  readonly signal?: AbortSignal | undefined;
  /** Called with the weights that were multiplied since the last call. */
  readonly onWork?: (weights: number) => void;
}

/** x [rows, in] → [rows, out]. Throws the signal's reason when aborted. */
export async function product(
  device: Device,
  matrix: FrozenMatrix,
  x: Float64Array,
  bias: Float64Array | null,
  { signal, onWork }: Work,
): Promise<Float64Array> {
  const { rows: out, columns } = matrix;
  const rows = x.length / columns;
  const y = new Float64Array(rows * out);
  const weights = new Float64Array(columns);
  const step = rowsPerPiece(matrix);
  for (let first = 0; first < out; first += step) {
    signal?.throwIfAborted();
    const count = Math.min(step, out - first);
    const decode = await readRows(device, matrix, first, count);
    for (let row = 0; row < count; row += 1) {
      decode(row, weights);
      dots(x, weights, y, { at: first + row, stride: out, start: bias ? (bias[first + row] as number) : 0 });
    }
    onWork?.(count * columns);
  }
  return y;
}

/** y[t · stride + at] = start + x[t] · weights for every row t; four rows at a time, since a weight then is loaded once. */
function dots(
  x: Float64Array,
  weights: Float64Array,
  y: Float64Array,
  { at, stride, start }: { readonly at: number; readonly stride: number; readonly start: number },
): void {
  const columns = weights.length;
  const rows = x.length / columns;
  const last = (rows - 1) * columns;
  for (let row = 0; row < rows; row += 4) {
    const x0 = row * columns;
    const x1 = Math.min(x0 + columns, last);
    const x2 = Math.min(x1 + columns, last);
    const x3 = Math.min(x2 + columns, last);
    let s0 = start;
    let s1 = start;
    let s2 = start;
    let s3 = start;
    for (let i = 0; i < columns; i += 1) {
      const weight = weights[i] as number;
      s0 += weight * (x[x0 + i] as number);
      s1 += weight * (x[x1 + i] as number);
      s2 += weight * (x[x2 + i] as number);
      s3 += weight * (x[x3 + i] as number);
    }
    y[row * stride + at] = s0;
    if (row + 1 < rows) y[(row + 1) * stride + at] = s1;
    if (row + 2 < rows) y[(row + 2) * stride + at] = s2;
    if (row + 3 < rows) y[(row + 3) * stride + at] = s3;
  }
}

/** Adds a pair's share to rows first … end − 1 of y [rows, out]; x is [rows, in]. */
export function addPair(
  { a, b, scale }: TwinPair,
  x: Float64Array,
  y: Float64Array,
  {
    first,
    end,
    columns,
    out,
  }: { readonly first: number; readonly end: number; readonly columns: number; readonly out: number },
): void {
  const rank = a.length / columns;
  const h = new Float64Array(rank);
  for (let row = first; row < end; row += 1) {
    for (let of = 0; of < rank; of += 1) {
      let sum = 0;
      for (let i = 0; i < columns; i += 1) sum += (a[of * columns + i] as number) * (x[row * columns + i] as number);
      h[of] = scale * sum;
    }
    for (let o = 0; o < out; o += 1) {
      let sum = 0;
      for (let of = 0; of < rank; of += 1) sum += (b[o * rank + of] as number) * (h[of] as number);
      y[row * out + o] = (y[row * out + o] as number) + sum;
    }
  }
}
