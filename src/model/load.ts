/** Puts a model's weights on the GPU piece by piece, in the form that the file has or that the user chose. */
import type { Device } from "../engine/device";
import { pieceOffsets, pieceStep } from "../ops/lib/frozen";
import type { Blueprint } from "./architecture";
import { ModelError } from "./errors";
import { buffersOf, type PlannedModel, type PlannedTensor, planModel } from "./planned-model";
import { type Quantization, quantizeRows } from "./quantize/index";
import { release, toFloat32 } from "./weights/bytes";
import type { RowRange, WeightData, WeightSource } from "./weights/types";

export interface LoadedModel extends PlannedModel {
  /** Frees the weights. */
  readonly destroy: () => void;
}

export interface LoadOptions {
  /** Form for matrices that the file has as floating-point numbers; null or absent leaves them as they are. */
  readonly quantization?: Quantization | null;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of the file that are read at once, unless a tensor cannot be cut so small. Each piece is freed when it is on the GPU. */
const pieceBytes = 4 * 1024 * 1024;

/** Throws `ModelError` for a missing or misshapen tensor, `WeightsError` for broken bytes, `OutOfMemoryError`. */
export async function loadModel(
  device: Device,
  blueprint: Blueprint,
  source: WeightSource,
  options: LoadOptions = {},
): Promise<LoadedModel> {
  const { quantization = null, onProgress, signal } = options;
  const model = planModel(blueprint, source, quantization);
  const buffers = model.tensors.flatMap(buffersOf);
  await device.fulfil(buffers);
  const destroy = () => {
    for (const buffer of buffers) device.free(buffer.gpu);
  };
  try {
    const total = model.tensors.reduce((sum, { info }) => sum + info.bytes, 0);
    let done = 0;
    for (const tensor of model.tensors) {
      for (const rows of pieces(tensor)) {
        signal?.throwIfAborted();
        const piece = await source.read(tensor.info.name, rows ?? undefined);
        write(device, tensor, rows?.first ?? 0, piece);
        free(piece);
        const share = rows ? rows.count / (tensor.spec.shape[0] || 1) : 1;
        done += share * tensor.info.bytes;
        onProgress?.(Math.round(done), total);
      }
    }
  } catch (error) {
    destroy();
    throw error;
  }
  return { ...model, destroy };
}

/** Consecutive runs of rows; null stands for a vector, which is read whole. */
function* pieces({ spec, info, layout }: PlannedTensor): Generator<RowRange | null> {
  const [rows, columns] = spec.shape;
  if (columns === undefined) {
    yield null;
    return;
  }
  const step = commonMultiple(pieceStep(layout, columns), info.rowStep ?? 1);
  const affordable = Math.floor((pieceBytes * rows) / Math.max(info.bytes, 1) / step) * step;
  const count = Math.max(affordable, step);
  for (let first = 0; first < rows; first += count) yield { first, count: Math.min(count, rows - first) };
}

function write(
  device: Device,
  { spec, layout, data, scales, zeros }: PlannedTensor,
  first: number,
  read: WeightData,
): void {
  const columns = spec.shape[1];
  if (columns === undefined) {
    device.write(data.gpu, floats(spec.name, read));
    return;
  }
  const piece = read.form === layout.form ? read : quantizeRows(quantizationOf(layout.form), read, spec.name);
  const at = pieceOffsets(layout, columns, first);
  device.write(data.gpu, piece.data, at.data);
  if (!("scales" in piece)) return;
  if (scales) device.write(scales.gpu, piece.scales, at.scales);
  const correction = piece.form === "int8" || piece.form === "int4" ? (piece.offsets ?? piece.zeros) : null;
  if (zeros && correction) device.write(zeros.gpu, correction, at.zeros);
  if (piece !== read) free(piece);
}

function free(piece: WeightData): void {
  release(piece.data);
  if ("scales" in piece) release(piece.scales);
  if ("zeros" in piece) release(piece.zeros);
  if ("offsets" in piece) release(piece.offsets);
}

function quantizationOf(form: string): Quantization {
  if (form === "int8" || form === "int4" || form === "nf4") return form;
  throw new ModelError(`Matrices cannot be held as ${form}.`);
}

function floats(name: string, weight: WeightData): Float32Array<ArrayBuffer> {
  if (weight.form === "f32" || weight.form === "f16" || weight.form === "bf16") {
    return toFloat32(weight.form, weight.data);
  }
  throw new ModelError(`${name} is stored as ${weight.form}; vectors must be floating-point numbers.`);
}

function commonMultiple(a: number, b: number): number {
  let [divisor, rest] = [a, b];
  while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  return (a / divisor) * b;
}
