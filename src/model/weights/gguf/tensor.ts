/** One tensor of a GGUF file, or some rows of it: read in pieces, rows put in order, blocks decoded. */
import { WeightsError } from "../../errors";
import { checkFinite, type FloatForm, readSlice, toFloat32 } from "../bytes";
import type { RowRange, WeightData } from "../types";
import type { TensorPlace } from "./architecture";
import { type Decoded, decodeBlocks } from "./blocks";
import type { GgufTensor } from "./header";
import type { HeldBlocks } from "./tensor-types";

/** Bytes of the file in memory beside the result; rows that are put in order may lie in twice as many. */
const pieceBytes = 4 * 1024 * 1024;

/** Row `first` of `bytes` and the `count − 1` after it are rows `to` and after of the result. */
type OnRun = (bytes: Uint8Array<ArrayBuffer>, first: number, count: number, to: number) => void;

interface Reading {
  readonly blob: Blob;
  readonly file: string;
  readonly tensor: GgufTensor;
  readonly place: TensorPlace;
  readonly range: RowRange;
  /** Of the file. */
  readonly rowBytes: number;
}

/** Throws `WeightsError` for short bytes, for values that are not finite, and for rows that the tensor lacks. */
export function readTensor(
  blob: Blob,
  file: string,
  tensor: GgufTensor,
  place: TensorPlace,
  rows?: RowRange,
): Promise<WeightData> {
  const all = tensor.shape[0] ?? 1;
  const range = rows ?? { first: 0, count: all };
  const { first, count } = range;
  if (!Number.isInteger(first) || !Number.isInteger(count) || first < 0 || count < 1 || first + count > all) {
    throw new WeightsError(
      `${file}: tensor "${tensor.name}" has ${all} rows, but ${count} from row ${first} on were asked for; use another copy of the model.`,
    );
  }
  const reading = { blob, file, tensor, place, range, rowBytes: (tensor.end - tensor.start) / all };
  const { held } = tensor.type;
  return typeof held === "string" ? readFloats(reading, held) : readBlocks(reading, held);
}

async function readFloats(reading: Reading, form: FloatForm): Promise<WeightData> {
  const { file, tensor, place, range, rowBytes } = reading;
  const data = new Uint8Array(range.count * rowBytes);
  await eachRun(reading, (bytes, first, count, to) => {
    data.set(bytes.subarray(first * rowBytes, (first + count) * rowBytes), to * rowBytes);
  });
  const shape = [range.count, ...tensor.shape.slice(1)];
  const perRow = shape.slice(1).reduce((product, size) => product * size, 1);
  checkFinite(form, data, file, tensor.name, range.first * perRow);
  if (!place.shift) return { form, shape, data };
  const { add } = place.shift;
  const values = toFloat32(form, data).map((value) => value + add);
  return { form: "f32", shape, data: new Uint8Array(values.buffer) };
}

async function readBlocks(reading: Reading, { form, group, offsets }: HeldBlocks): Promise<WeightData> {
  const { file, tensor, range } = reading;
  const { type, name } = tensor;
  const columns = tensor.shape[1] ?? 1;
  const values = range.count * columns;
  const out: Decoded = {
    data: new Uint8Array(form === "int4" ? values / 2 : values),
    scales: new Float32Array(values / group),
    offsets: offsets ? new Float32Array(values / group) : null,
  };
  const perRow = columns / type.block;
  await eachRun(reading, (bytes, first, count, to) => {
    const bad = decodeBlocks(type, bytes, first * perRow, count * perRow, out, to * perRow);
    if (bad < 0) return;
    const row = range.first + to + Math.floor(bad / perRow) - first;
    throw new WeightsError(
      `${file}: tensor "${name}" holds NaN or infinity in row ${row}; the file is damaged or the model diverged, use another copy.`,
    );
  });
  const shape = [range.count, columns] as const;
  const extra = out.offsets ? { offsets: out.offsets } : {};
  return form === "int4"
    ? { form, shape, data: out.data, scales: out.scales, zeros: null, ...extra }
    : { form, shape, group, data: out.data, scales: out.scales, ...extra };
}

/** Rows that lie one after another in the file, piece by piece; a row longer than a piece is a piece of its own. */
async function eachRun(reading: Reading, onRun: OnRun): Promise<void> {
  const { place, range, rowBytes } = reading;
  const unit = place.order?.step ?? 1;
  const fitting = Math.max(1, Math.floor(pieceBytes / rowBytes));
  const step = fitting < unit ? fitting : fitting - (fitting % unit);
  for (let done = 0; done < range.count; done += step) {
    await readPiece(reading, done, Math.min(done + step, range.count), onRun);
  }
}

/** Rows `from` to `to` of the result. */
async function readPiece(reading: Reading, from: number, to: number, onRun: OnRun): Promise<void> {
  const { place, range, rowBytes } = reading;
  const source = (row: number) => place.order?.source(range.first + row) ?? range.first + row;
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (let row = from; row < to; row++) {
    low = Math.min(low, source(row));
    high = Math.max(high, source(row) + 1);
  }
  // Rows that lie far apart are read run by run.
  const together = high - low === to - from || (high - low) * rowBytes <= 2 * pieceBytes;
  const bytes = together ? await readRows(reading, low, high) : null;
  for (let row = from, next = from; row < to; row = next) {
    const first = source(row);
    next = row + 1;
    while (next < to && source(next) === first + next - row) next++;
    if (bytes) onRun(bytes, first - low, next - row, row);
    else onRun(await readRows(reading, first, first + next - row), 0, next - row, row);
  }
}

const readRows = ({ blob, file, tensor, rowBytes }: Reading, from: number, to: number) =>
  readSlice(blob, tensor.start + from * rowBytes, tensor.start + to * rowBytes, file);
