/** Every form of a frozen matrix that the ops are tested with, and random matrices in it with the values they stand for. */
import type { Device } from "../../src/engine/device";
import { bufferTensor, type Tensor } from "../../src/engine/tensor";
import { fp4Values, nf4Values } from "../../src/model/quantize/codes";
import type { FrozenForm } from "../../src/ops/lib/frozen";
import { type TestMatrix, testMatrix } from "../support/frozen";
import { random } from "../support/random";

export interface FormCase {
  readonly name: string;
  readonly form: FrozenForm;
  readonly group?: number;
  readonly zeros?: boolean;
  readonly offsets?: boolean;
}

export const formCases: readonly FormCase[] = [
  { name: "f32", form: "f32" },
  { name: "f16", form: "f16" },
  { name: "bf16", form: "bf16" },
  { name: "int8 by 32", form: "int8", group: 32 },
  { name: "int8 by 20", form: "int8", group: 20 },
  { name: "int8 by 20 with offsets", form: "int8", group: 20, offsets: true },
  { name: "int8 by 20 with zeros", form: "int8", group: 20, zeros: true },
  { name: "int8 by 128 with zeros", form: "int8", group: 128, zeros: true },
  { name: "int4", form: "int4" },
  { name: "int4 with zeros", form: "int4", zeros: true },
  { name: "int4 with offsets", form: "int4", offsets: true },
  { name: "nf4 by 64", form: "nf4", group: 64 },
  { name: "nf4 by 20", form: "nf4", group: 20 },
  { name: "fp4 by 64", form: "fp4", group: 64 },
];

/** The matrix lives as long as the device. */
export async function formMatrix(
  device: Device,
  { form, group = 32, zeros = false, offsets = false }: FormCase,
  rows: number,
  columns: number,
): Promise<TestMatrix> {
  const coded = form === "nf4" || form === "fp4";
  if (!coded && !(form === "int8" && zeros)) {
    return testMatrix(device, { form, rows, columns, group, zeros, offsets });
  }
  const source = random(7);
  const count = rows * columns;
  const groups = coded ? Math.ceil(count / group) : rows * Math.ceil(columns / group);
  const data = Uint8Array.from({ length: coded ? count / 2 : count }, () => source.integer(0, 255));
  const scales = Float32Array.from({ length: groups }, () => Math.fround(0.01 + 0.1 * source.uniform()));
  const put = async (label: string, words: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>): Promise<Tensor> => {
    const [buffer] = await device.allocate([{ label, bytes: words.byteLength }]);
    if (!buffer) throw new RangeError(`no buffer for ${label}`);
    device.write(buffer, words);
    return bufferTensor(label, label === "scales" ? "f32" : "u32", [buffer.size / 4], buffer);
  };
  const shared = { label: form, form, rows, columns, group, offsets: null };
  const tensors = { data: await put("data", data), scales: await put("scales", scales) };
  const values = new Float64Array(count);
  if (coded) {
    const code = form === "nf4" ? nf4Values : fp4Values;
    values.forEach((_, k) => {
      const byte = data[k >> 1] ?? 0;
      values[k] = (code[k % 2 === 0 ? byte >> 4 : byte & 15] ?? 0) * (scales[Math.floor(k / group)] ?? 0);
    });
    return { matrix: { ...shared, ...tensors, zeros: null }, values };
  }
  const points = Float32Array.from({ length: groups }, () => source.integer(-256, 256));
  const signed = new Int8Array(data.buffer);
  values.forEach((_, k) => {
    const at = Math.floor(k / columns) * Math.ceil(columns / group) + Math.floor((k % columns) / group);
    values[k] = ((signed[k] ?? 0) - (points[at] ?? 0)) * (scales[at] ?? 0);
  });
  return { matrix: { ...shared, ...tensors, zeros: await put("zeros", new Uint8Array(points.buffer)) }, values };
}
