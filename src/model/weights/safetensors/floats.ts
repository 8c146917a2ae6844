/** Rows of a float tensor; those of a transposed one are gathered from slabs of the rows that the file has. */
import { checkFinite, type FloatForm, readSlice } from "../bytes";
import type { RowRange, WeightData } from "../types";
import type { StoredTensor } from "./header";

/** Bytes of the file in memory beside the result. */
const slabBytes = 8 * 1024 * 1024;

export const floatForms: ReadonlyMap<string, FloatForm> = new Map([
  ["F32", "f32"],
  ["F16", "f16"],
  ["BF16", "bf16"],
]);

/** The whole tensor, or some rows of a matrix. Throws `WeightsError` where a value is not finite. */
export async function readFloats(tensor: StoredTensor, form: FloatForm, rows?: RowRange): Promise<WeightData> {
  const { blob, file, name, shape, start, end } = tensor;
  const [, columns = 0] = shape;
  const width = form === "f32" ? 4 : 2;
  const from = rows ? start + rows.first * columns * width : start;
  const data = await readSlice(blob, from, rows ? from + rows.count * columns * width : end, file);
  checkFinite(form, data, file, name, (from - start) / width);
  return { form, shape: rows ? [rows.count, columns] : shape, data };
}

/** Rows of the transpose of a matrix that is stored [in, out]: `shape` is [rows.count, in]. */
export async function readTransposed(tensor: StoredTensor, form: FloatForm, rows: RowRange): Promise<WeightData> {
  const { blob, file, name, shape, start } = tensor;
  const [inputs = 0, outputs = 0] = shape;
  const width = form === "f32" ? 4 : 2;
  const out = new Uint8Array(rows.count * inputs * width);
  const target = form === "f32" ? new Uint32Array(out.buffer) : new Uint16Array(out.buffer);
  const step = Math.max(1, Math.floor(slabBytes / (outputs * width)));
  for (let first = 0; first < inputs && rows.count > 0; first += step) {
    const count = Math.min(step, inputs - first);
    // From the first wanted value to the last: of a row that is a slab by itself, no more than is wanted.
    const from = first * outputs + rows.first;
    const to = (first + count - 1) * outputs + rows.first + rows.count;
    const { buffer } = await readSlice(blob, start + from * width, start + to * width, file);
    const slab = form === "f32" ? new Uint32Array(buffer) : new Uint16Array(buffer);
    for (let row = 0; row < rows.count; row++) {
      const at = row * inputs + first;
      for (let i = 0; i < count; i++) target[at + i] = slab[i * outputs + row] ?? 0;
    }
  }
  checkFinite(form, out, file, name, rows.first * inputs);
  return { form, shape: [rows.count, inputs], data: out };
}
