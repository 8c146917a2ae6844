/** Random frozen matrices in every stored form, with the float64 values that they stand for. */
import { setFloat16 } from "@petamoriken/float16";
import type { Device } from "../../src/engine/device";
import { bufferTensor, type Tensor } from "../../src/engine/tensor";
import type { FrozenForm, FrozenMatrix } from "../../src/ops/lib/frozen";
import { random } from "./random";

export interface TestMatrix {
  readonly matrix: FrozenMatrix;
  /** Row-major, decoded. */
  readonly values: Float64Array;
}

export interface MatrixOptions {
  readonly form: FrozenForm;
  readonly rows: number;
  readonly columns: number;
  /** int4: with stored zero points. */
  readonly zeros?: boolean;
  /** int4, int8: with an offset for each scale. */
  readonly offsets?: boolean;
  /** int8: columns per scale. */
  readonly group?: number;
  readonly seed?: number;
}

/** The matrix lives as long as the device. */
export async function testMatrix(device: Device, options: MatrixOptions): Promise<TestMatrix> {
  const { form, rows, columns, group = 32 } = options;
  const source = random(options.seed ?? 7);
  const values = new Float64Array(rows * columns);
  const put = async (label: string, data: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): Promise<Tensor> => {
    const [buffer] = await device.allocate([{ label, bytes: data.byteLength }]);
    if (!buffer) throw new Error(`no buffer for ${label}`);
    device.write(buffer, data);
    return bufferTensor(label, data instanceof Float32Array ? "f32" : "u32", [buffer.size / 4], buffer);
  };
  const made = async (
    data: Uint8Array<ArrayBuffer>,
    scales?: Float32Array<ArrayBuffer>,
    zeros?: Uint8Array<ArrayBuffer>,
    offsets?: Float32Array<ArrayBuffer>,
  ) => ({
    matrix: {
      label: form,
      form,
      rows,
      columns,
      group,
      data: await put(form, data),
      scales: scales ? await put("scales", scales) : null,
      zeros: zeros ? await put("zeros", zeros) : null,
      offsets: offsets ? await put("offsets", new Uint8Array(offsets.buffer)) : null,
    },
    values,
  });
  const each = (write: (row: number, column: number) => number) => {
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) values[row * columns + column] = write(row, column);
    }
  };
  const scaleOf = () => Math.fround(0.01 + 0.1 * source.uniform());

  const offsetsFor = (scales: Float32Array) =>
    Float32Array.from(scales, () => (options.offsets ? Math.fround(source.uniform() - 0.5) : 0));

  if (form === "int4") {
    const blocks = Math.ceil(columns / 32);
    const zeroBytes = Math.ceil(blocks / 2);
    // Padding nibbles are random too: they must not count.
    const data = Uint8Array.from({ length: rows * blocks * 16 }, () => source.integer(0, 255));
    const scales = Float32Array.from({ length: rows * blocks }, scaleOf);
    const zeros = Uint8Array.from({ length: rows * zeroBytes }, () => source.integer(0, 255));
    const offsets = offsetsFor(scales);
    const nibble = (byte: number, index: number) => (index % 2 === 0 ? byte & 15 : byte >> 4);
    each((row, column) => {
      const block = Math.floor(column / 32);
      const code = nibble(data[(row * blocks + block) * 16 + Math.floor((column % 32) / 2)] as number, column);
      const stored = options.zeros ? nibble(zeros[row * zeroBytes + Math.floor(block / 2)] as number, block) : 8;
      const at = row * blocks + block;
      return (code - (options.offsets ? 0 : stored)) * (scales[at] as number) + (offsets[at] as number);
    });
    return made(data, scales, options.zeros ? zeros : undefined, options.offsets ? offsets : undefined);
  }
  if (form === "int8") {
    const groups = Math.ceil(columns / group);
    const data = Uint8Array.from({ length: rows * columns }, () => source.integer(0, 255));
    const scales = Float32Array.from({ length: rows * groups }, scaleOf);
    const offsets = offsetsFor(scales);
    const signed = new Int8Array(data.buffer);
    each((row, column) => {
      const at = row * groups + Math.floor(column / group);
      return (signed[row * columns + column] as number) * (scales[at] as number) + (offsets[at] as number);
    });
    return made(data, scales, undefined, options.offsets ? offsets : undefined);
  }
  const bytes = form === "f32" ? 4 : 2;
  const view = new DataView(new ArrayBuffer(rows * columns * bytes));
  each((row, column) => {
    const at = (row * columns + column) * bytes;
    const value = Math.fround(source.normal());
    if (form === "f32") {
      view.setFloat32(at, value, true);
      return value;
    }
    // Multiples of 1/16 up to ±8 fit into 8 bits of mantissa: both half forms hold them exactly.
    const exact = Math.max(-8, Math.min(8, Math.round(value * 16) / 16));
    if (form === "f16") setFloat16(view, at, exact, true);
    else {
      const single = new DataView(new ArrayBuffer(4));
      single.setFloat32(0, exact, true);
      view.setUint16(at, single.getUint16(2, true), true);
    }
    return exact;
  });
  return made(new Uint8Array(view.buffer));
}
