/** 8-bit matrices with a scale and a zero point for the whole or for each output row, as `DequantizeLinear` defines them. */
import { WeightsError } from "../../errors";
import type { RowRange } from "../types";
import { ColumnReader } from "./columns";
import type { StoredTensor } from "./storage";
import { notes, type OnnxTensor, readScales } from "./tensor";

export interface ScaledParts {
  /** "onnx/model_int8.onnx: node …". */
  readonly label: string;
  /** u8 or i8, two dims. */
  readonly data: StoredTensor;
  /** The matrix lies [in, out]. */
  readonly transposed: boolean;
  /** One value, or one for each output row. */
  readonly scales: StoredTensor;
  /** As many as scales, of the data's type; null means 0. */
  readonly zeros: StoredTensor | null;
}

/** w = (q − zero) · scale. Throws `WeightsError` where parts do not fit each other. */
export async function scaledTensor(parts: ScaledParts): Promise<OnnxTensor> {
  const { label, data, transposed, scales, zeros } = parts;
  const unsigned = data.type === "u8";
  if (!unsigned && data.type !== "i8")
    throw new WeightsError(`${label} has weights of type ${data.type}; they must be int8 or uint8, use another file.`);
  const [rows = 1, columns = 1] = transposed ? data.shape.toReversed() : data.shape;
  if (scales.count !== 1 && scales.count !== rows) {
    throw new WeightsError(
      `${label} is [${rows}, ${columns}], so it must have 1 or ${rows} scales, not ${scales.count}; quantize the model per tensor or per output channel.`,
    );
  }
  if (zeros && (zeros.type !== data.type || (zeros.count !== 1 && zeros.count !== rows))) {
    throw new WeightsError(
      `${label} must have 1 or ${rows} zero points of type ${data.type}, not ${zeros.count} of type ${zeros.type}; the file is damaged.`,
    );
  }
  const shift = unsigned ? 128 : 0;
  /** Zero points of rows, after the values have been moved into the range of int8. */
  const zerosOf = async ({ first, count }: RowRange): Promise<Float32Array<ArrayBuffer>> => {
    if (!zeros) return new Float32Array(count).fill(-shift);
    const bytes = zeros.count === 1 ? await zeros.read() : await zeros.read(first, first + count);
    const values = unsigned ? bytes : new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    return Float32Array.from({ length: count }, (_, row) => (values[zeros.count === 1 ? 0 : row] ?? 0) - shift);
  };
  // Symmetric quantization, the usual one for int8, stores zero points that are all 0.
  const plain = (await zerosOf({ first: 0, count: zeros?.count ?? 1 })).every((zero) => zero === 0);
  const group = Math.max(4, Math.ceil(columns / 4) * 4);
  const reader = transposed ? new ColumnReader(data) : null;
  return {
    ...{ label, key: data.name, form: "int8" as const, shape: [rows, columns], group },
    bytes: data.bytes + scales.bytes + (zeros?.bytes ?? 0),
    ...(plain ? {} : { correction: "zeros" as const }),
    held: notes(
      unsigned && "uint8 as int8, zero points less 128",
      scales.type !== "f32" && `${scales.type} scales as f32`,
    ),
    async read(range) {
      const { first, count } = range;
      const codes = reader ? await reader.read(range) : await data.read(first * columns, (first + count) * columns);
      if (unsigned) for (let i = 0; i < codes.length; i++) codes[i] = (codes[i] ?? 0) ^ 128;
      const single = scales.count === 1;
      const given = single ? await readScales(scales, 0, 1) : await readScales(scales, first, first + count);
      return {
        form: "int8",
        shape: [count, columns],
        group,
        data: codes,
        scales: single ? new Float32Array(count).fill(given[0] ?? 0) : given,
        ...(plain ? {} : { zeros: await zerosOf(range) }),
      };
    },
  };
}
