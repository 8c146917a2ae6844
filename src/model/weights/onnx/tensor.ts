/** A weight as the graph gives it, seen the way Hugging Face names promise: matrices [out, in], read by rows. */
import { WeightsError } from "../../errors";
import { checkFinite, toFloat32 } from "../bytes";
import type { RowRange, WeightData, WeightInfo } from "../types";
import { quoted } from "./file";
import type { StoredTensor } from "./storage";

export interface OnnxTensor extends Omit<WeightInfo, "name"> {
  /** "onnx/model_q4.onnx: node …", for messages. */
  readonly label: string;
  /** The initializer that holds the values, for telling two uses of one from two tensors. */
  readonly key: string;
  /** What is held in another form than the file's. */
  readonly held?: string | undefined;
  /** Rows of a matrix, elements of a vector; the range is one that `checkRange` lets through. */
  read(rows: RowRange): Promise<WeightData>;
}

/** Throws `WeightsError` for a range that does not lie in the tensor or cuts a block. */
export function checkRange({ label, shape, rowStep = 1 }: OnnxTensor, { first, count }: RowRange): void {
  const rows = shape[0] ?? 0;
  const end = first + count;
  const whole = first % rowStep === 0 && (end % rowStep === 0 || end === rows);
  if (Number.isSafeInteger(first) && Number.isSafeInteger(count) && first >= 0 && count >= 0 && end <= rows && whole)
    return;
  throw new WeightsError(
    `${label} has ${rows} rows in blocks of ${rowStep}; rows ${first} to ${end} cannot be read on their own, export the model without packed matrices.`,
  );
}

/** Scales [start, end) as float32. Throws `WeightsError` where one is NaN or infinite. */
export async function readScales(scales: StoredTensor, start: number, end: number): Promise<Float32Array<ArrayBuffer>> {
  const { type } = scales;
  if (type !== "f32" && type !== "f16" && type !== "bf16") {
    throw new WeightsError(
      `${scales.file}: the scales ${quoted(scales.name)} have type ${type}; they must be float or float16, export the model again.`,
    );
  }
  const width = scales.bytes / scales.count;
  const bytes = await scales.read(start * width, end * width);
  checkFinite(type, bytes, scales.file, quoted(scales.name).slice(1, -1));
  return toFloat32(type, bytes);
}

export const isFloat = (type: StoredTensor["type"]): type is "f32" | "f16" | "bf16" =>
  type === "f32" || type === "f16" || type === "bf16";

/** Joins what is said about a tensor's form, or undefined where nothing is. */
export function notes(...parts: readonly (string | false | null)[]): string | undefined {
  const said = parts.filter((part) => typeof part === "string");
  return said.length > 0 ? said.join(", ") : undefined;
}
