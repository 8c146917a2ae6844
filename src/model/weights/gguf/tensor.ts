/** One tensor of a GGUF file: read in pieces, rows put in order, blocks decoded. */
import { WeightsError } from "../../errors";
import { checkFinite, type FloatForm, readSlice } from "../bytes";
import type { WeightData } from "../types";
import { type Decoded, decodeBlocks } from "./blocks";
import type { GgufTensor } from "./header";
import type { HeldBlocks } from "./tensor-types";

/** Bytes of the file in memory beside the result. */
const pieceBytes = 4 * 1024 * 1024;

type RowOrder = ((row: number) => number) | null;

/** Rows `first` to `first + count` of the file. */
type OnRows = (bytes: Uint8Array<ArrayBuffer>, first: number, count: number) => void;

/** `order(r)` is the file's row that becomes row r. Throws `WeightsError` for short bytes and for values that are not finite. */
export function readTensor(blob: Blob, file: string, tensor: GgufTensor, order: RowOrder): Promise<WeightData> {
  const { held } = tensor.type;
  return typeof held === "string"
    ? readFloats(blob, file, tensor, held, order)
    : readBlocks(blob, file, tensor, held, order);
}

async function readFloats(
  blob: Blob,
  file: string,
  tensor: GgufTensor,
  form: FloatForm,
  order: RowOrder,
): Promise<WeightData> {
  const { shape, start, end } = tensor;
  const data = new Uint8Array(end - start);
  const rowBytes = data.length / (shape[0] ?? 1);
  const target = order && targets(order, shape[0] ?? 1);
  await eachPiece(blob, file, tensor, rowBytes, (bytes, first, count) => {
    if (!target) return data.set(bytes, first * rowBytes);
    for (let row = 0; row < count; row++) {
      data.set(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), (target[first + row] ?? 0) * rowBytes);
    }
  });
  checkFinite(form, data, file, tensor.name);
  return { form, shape, data };
}

async function readBlocks(
  blob: Blob,
  file: string,
  tensor: GgufTensor,
  { form, group, offsets }: HeldBlocks,
  order: RowOrder,
): Promise<WeightData> {
  const { type, name } = tensor;
  const [rows = 1, columns = 1] = tensor.shape;
  const count = rows * columns;
  const out: Decoded = {
    data: new Uint8Array(form === "int4" ? count / 2 : count),
    scales: new Float32Array(count / group),
    offsets: offsets ? new Float32Array(count / group) : null,
  };
  const perRow = columns / type.block;
  const target = order && targets(order, rows);
  await eachPiece(blob, file, tensor, perRow * type.bytes, (bytes, first, pieceRows) => {
    for (let row = 0; row < pieceRows; row++) {
      const to = (target?.[first + row] ?? first + row) * perRow;
      const bad = decodeBlocks(type, bytes, row * perRow, perRow, out, to);
      if (bad >= 0) {
        throw new WeightsError(
          `${file}: tensor "${name}" holds NaN or infinity in row ${first + row}; the file is damaged or the model diverged, use another copy.`,
        );
      }
    }
  });
  const shape = [rows, columns] as const;
  const extra = out.offsets ? { offsets: out.offsets } : {};
  return form === "int4"
    ? { form, shape, data: out.data, scales: out.scales, zeros: null, ...extra }
    : { form, shape, group, data: out.data, scales: out.scales, ...extra };
}

/** Whole rows in the file's order; a row longer than a piece is a piece of its own. */
async function eachPiece(
  blob: Blob,
  file: string,
  { start, shape }: GgufTensor,
  rowBytes: number,
  onRows: OnRows,
): Promise<void> {
  const rows = shape[0] ?? 1;
  const step = Math.max(1, Math.floor(pieceBytes / rowBytes));
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    const from = start + first * rowBytes;
    onRows(await readSlice(blob, from, from + count * rowBytes, file), first, count);
  }
}

/** Where each row of the file goes. */
function targets(order: (row: number) => number, rows: number): Uint32Array {
  const target = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) target[order(row)] = row;
  return target;
}
