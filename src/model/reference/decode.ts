/**
 * Rows of a frozen matrix, read back from the GPU and decoded on the CPU. Written from the layouts of weights/types.ts and
 * not from the shaders, which it is there to check.
 */
import type { Device } from "../../engine/device";
import type { Tensor } from "../../engine/tensor";
import type { FrozenMatrix } from "../../ops/lib/frozen";
import { ModelError } from "../errors";
import { fp4Values, nf4Values } from "../quantize/codes";

/** Row `row` of a piece, counted from the piece's first, into `into` [columns]. */
export type DecodeRow = (row: number, into: Float64Array) => void;

/** Bytes of a matrix that are on the CPU at once, unless a row is larger. */
const pieceBytes = 8 * 1024 * 1024;

/** Rows that are read at once. */
export function rowsPerPiece({ rows, data, scales, zeros, offsets }: FrozenMatrix): number {
  const bytes = [data, scales, zeros, offsets].reduce((sum, tensor) => sum + (tensor ? bytesOf(tensor) : 0), 0);
  return Math.max(1, Math.floor((pieceBytes * rows) / Math.max(bytes, 1)));
}

/** Rows first … first + count − 1. Throws `DeviceError`, `OutOfMemoryError`. */
export async function readRows(device: Device, matrix: FrozenMatrix, first: number, count: number): Promise<DecodeRow> {
  const { form, columns, group, data } = matrix;
  const values = first * columns;
  const end = values + count * columns;
  const perScale = async (tensor: Tensor | null, from: number, to: number) =>
    tensor && new Float32Array(await readBytes(device, tensor, 4 * from, 4 * to));
  switch (form) {
    case "f32": {
      const floats = new Float32Array(await readBytes(device, data, 4 * values, 4 * end));
      return (row, into) => into.set(floats.subarray(row * columns, (row + 1) * columns));
    }
    case "f16":
    case "bf16": {
      const bits = new Uint16Array(await readBytes(device, data, 2 * values, 2 * end));
      const table = form === "f16" ? halfTable() : bfloatTable();
      return (row, into) => {
        const at = row * columns;
        for (let i = 0; i < columns; i += 1) into[i] = table[bits[at + i] as number] as number;
      };
    }
    case "int8": {
      const groups = Math.ceil(columns / group);
      const codes = new Int8Array(await readBytes(device, data, values, end));
      const range = [first * groups, (first + count) * groups] as const;
      const scales = present(matrix, await perScale(matrix.scales, ...range));
      const zeros = await perScale(matrix.zeros, ...range);
      const offsets = await perScale(matrix.offsets, ...range);
      return (row, into) => {
        for (let of = 0; of < groups; of += 1) {
          const scale = scales[row * groups + of] as number;
          const zero = zeros ? (zeros[row * groups + of] as number) : 0;
          const offset = offsets ? (offsets[row * groups + of] as number) : 0;
          const last = Math.min((of + 1) * group, columns);
          for (let i = of * group; i < last; i += 1) {
            into[i] = ((codes[row * columns + i] as number) - zero) * scale + offset;
          }
        }
      };
    }
    case "int4": {
      const blocks = Math.ceil(columns / 32);
      const zeroBytes = Math.ceil(blocks / 2);
      const codes = new Uint8Array(await readBytes(device, data, 16 * blocks * first, 16 * blocks * (first + count)));
      const range = [first * blocks, (first + count) * blocks] as const;
      const scales = present(matrix, await perScale(matrix.scales, ...range));
      const offsets = await perScale(matrix.offsets, ...range);
      const zeros =
        matrix.zeros &&
        new Uint8Array(await readBytes(device, matrix.zeros, zeroBytes * first, zeroBytes * (first + count)));
      return (row, into) => {
        for (let block = 0; block < blocks; block += 1) {
          const at = row * blocks + block;
          const scale = scales[at] as number;
          const pair = zeros ? (zeros[row * zeroBytes + (block >> 1)] as number) : 0x88;
          const zero = offsets ? 0 : (pair >> (4 * (block & 1))) & 15;
          const offset = offsets ? (offsets[at] as number) : 0;
          const last = Math.min((block + 1) * 32, columns);
          // Columns are multiples of 4, so both values of a byte are there or neither.
          let byteAt = 16 * at;
          for (let i = block * 32; i < last; i += 2) {
            const byte = codes[byteAt] as number;
            into[i] = ((byte & 15) - zero) * scale + offset;
            into[i + 1] = ((byte >> 4) - zero) * scale + offset;
            byteAt += 1;
          }
        }
      };
    }
    case "nf4":
    case "fp4": {
      const book = form === "nf4" ? nf4Values : fp4Values;
      const codes = new Uint8Array(await readBytes(device, data, values / 2, Math.ceil(end / 2)));
      const firstScale = Math.floor(values / group);
      const scales = present(matrix, await perScale(matrix.scales, firstScale, Math.ceil(end / group)));
      return (row, into) => {
        for (let i = 0; i < columns; i += 1) {
          const here = row * columns + i;
          const byte = codes[here >> 1] as number;
          const scale = scales[Math.floor((values + here) / group) - firstScale] as number;
          into[i] = (book[here & 1 ? byte & 15 : byte >> 4] as number) * scale;
        }
      };
    }
  }
}

/** A vector of float32. */
export async function readVector(device: Device, tensor: Tensor): Promise<Float64Array> {
  return Float64Array.from(new Float32Array(await readBytes(device, tensor, 0, bytesOf(tensor))));
}

function bytesOf({ label, shape }: Tensor): number {
  return shape.reduce<number>((product, dim) => {
    if (typeof dim !== "number") throw new ModelError(`The weights of ${label} have no fixed size.`);
    return product * dim;
  }, 4);
}

/** A copy of bytes from … to − 1; the GPU copies whole words only. */
async function readBytes(device: Device, tensor: Tensor, from: number, to: number): Promise<ArrayBuffer> {
  const { storage, label } = tensor;
  if (storage.kind !== "buffer") throw new ModelError(`The weights of ${label} lie in no buffer of their own.`);
  const { buffer, byteOffset } = storage;
  const start = Math.floor(from / 4) * 4;
  const words = await device.read(
    "gpu" in buffer ? buffer.gpu : buffer,
    byteOffset + start,
    Math.ceil((to - start) / 4) * 4,
  );
  return from === start && to - start === words.byteLength ? words : words.slice(from - start, to - start);
}

function present<T>({ label, form }: FrozenMatrix, scales: T | null): T {
  if (!scales) throw new ModelError(`${label} is ${form} and has no scales.`);
  return scales;
}

const tables: { half?: Float64Array; bfloat?: Float64Array } = {};

/** IEEE 754 binary16: a sign, five bits of exponent with bias 15, ten of fraction. */
function halfTable(): Float64Array {
  tables.half ??= Float64Array.from({ length: 65536 }, (_, bits) => {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    const sign = bits & 0x8000 ? -1 : 1;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
  return tables.half;
}

/** The upper half of a float32. */
function bfloatTable(): Float64Array {
  tables.bfloat ??= Float64Array.from(
    new Float32Array(Uint32Array.from({ length: 65536 }, (_, bits) => bits << 16).buffer),
  );
  return tables.bfloat;
}
