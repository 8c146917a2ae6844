/**
 * Matrices quantized in blocks along the input axis, 4 or 8 bits a value, each block with a scale and perhaps a zero point:
 * what MatMulNBits and GatherBlockQuantized of ONNX Runtime share. Blocks of 32 stay as they lie.
 */
import type { RowRange, WeightData } from "../types";
import type { StoredTensor } from "./storage";
import { notes, type OnnxTensor, readScales } from "./tensor";

export interface BlockParts {
  readonly label: string;
  readonly rows: number;
  readonly columns: number;
  readonly bits: 4 | 8;
  /** A power of two from 16. */
  readonly block: number;
  readonly data: StoredTensor;
  /** Bytes of `data` from one row to the next, at least those of its values. */
  readonly rowBytes: number;
  /** [rows, blocks] */
  readonly scales: StoredTensor;
  /** Codes of `bits` bits; null means `defaultZero`. */
  readonly zeros: StoredTensor | null;
  /** Codes of `zeros` from one row to the next, at least `blocks`. */
  readonly zeroStride: number;
  readonly defaultZero: number;
  /** Codes are two's complement. */
  readonly signed: boolean;
}

/** w = (q − zero) · scale. 4-bit blocks of 32 or multiples become int4, all others int8. */
export function blockTensor(parts: BlockParts): OnnxTensor {
  const { label, rows, columns, bits, block, data, scales, zeros, signed } = parts;
  const form = bits === 4 && block % 32 === 0 ? "int4" : "int8";
  const shift = bits === 4 ? 8 : 128;
  // Signed codes are moved up so that 0 is in the middle, which is what an absent zero point means.
  const middle = signed ? parts.defaultZero === 0 : parts.defaultZero === shift;
  const absent = zeros === null && middle;
  // An int8 of a 4-bit code holds q − zero itself.
  const correction = !absent && (form === "int4" || bits === 8) ? { correction: "zeros" as const } : {};
  return {
    ...{ label, key: data.name, form, shape: [rows, columns], ...correction },
    ...(form === "int8" ? { group: block } : {}),
    bytes: data.bytes + scales.bytes + (zeros?.bytes ?? 0),
    held: notes(
      form === "int4" && block !== 32 && `4-bit blocks of ${block} as blocks of 32`,
      form === "int8" && `${bits}-bit blocks of ${block} as int8 by ${block}`,
      scales.type !== "f32" && `${scales.type} scales as f32`,
    ),
    read: (range) => (form === "int4" ? readInt4(parts, absent, range) : readInt8(parts, absent, range)),
  };
}

async function readInt4(parts: BlockParts, absent: boolean, { first, count }: RowRange): Promise<WeightData> {
  const { columns, block, data, rowBytes, scales, signed } = parts;
  const blocks = Math.ceil(columns / block);
  const narrow = Math.ceil(columns / 32);
  const repeat = block / 32;
  const stored = await data.read(first * rowBytes, (first + count) * rowBytes);
  const given = await readScales(scales, first * blocks, (first + count) * blocks);
  return {
    form: "int4",
    shape: [count, columns],
    data: trimRows(stored, count, rowBytes, narrow * 16, signed ? 0x88 : 0),
    scales: repeat === 1 ? given : spread(given, count, blocks, narrow, repeat),
    zeros: absent ? null : await packedZeros(parts, { first, count }, narrow, repeat),
  };
}

/** Two a byte, low nibble first, rows padded to whole bytes: as they lie where nothing is repeated. */
async function packedZeros(
  parts: BlockParts,
  range: RowRange,
  narrow: number,
  repeat: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { zeros, zeroStride, signed } = parts;
  const { first, count } = range;
  const rowBytes = Math.ceil(narrow / 2);
  if (zeros && repeat === 1 && !signed && zeroStride === rowBytes * 2)
    return zeros.read(first * rowBytes, (first + count) * rowBytes);
  const given = await zeroCodes(parts, range);
  const blocks = given.length / Math.max(count, 1);
  const out = new Uint8Array(count * rowBytes);
  for (let row = 0; row < count; row++) {
    for (let b = 0; b < narrow; b++) {
      const zero = (given[row * blocks + Math.floor(b / repeat)] ?? 0) + (signed ? 8 : 0);
      const at = row * rowBytes + (b >> 1);
      out[at] = (out[at] ?? 0) | (zero << (4 * (b & 1)));
    }
  }
  return out;
}

/** Zero points of rows as numbers, [count, blocks]. */
async function zeroCodes(parts: BlockParts, { first, count }: RowRange): Promise<Int16Array<ArrayBuffer>> {
  const { columns, block, bits, zeros, zeroStride, defaultZero, signed } = parts;
  const blocks = Math.ceil(columns / block);
  const out = new Int16Array(count * blocks).fill(defaultZero);
  if (!zeros) return out;
  const perByte = 8 / bits;
  const start = Math.floor((first * zeroStride) / perByte);
  const end = Math.min(zeros.bytes, Math.ceil(((first + count) * zeroStride) / perByte));
  const bytes = await zeros.read(start, end);
  for (let row = 0; row < count; row++) {
    for (let b = 0; b < blocks; b++) {
      const at = (first + row) * zeroStride + b;
      const byte = bytes[Math.floor(at / perByte) - start] ?? 0;
      out[row * blocks + b] = codeOf(bits === 8 ? byte : (byte >> (4 * (at & 1))) & 15, bits, signed);
    }
  }
  return out;
}

async function readInt8(parts: BlockParts, absent: boolean, range: RowRange): Promise<WeightData> {
  const { columns, bits, block, data, rowBytes, scales, signed } = parts;
  const { first, count } = range;
  const blocks = Math.ceil(columns / block);
  const stored = await data.read(first * rowBytes, (first + count) * rowBytes);
  const zeros = await zeroCodes(parts, range);
  const codes = new Int8Array(count * columns);
  // 8 bits: what brings unsigned codes into the range of int8, subtracted from the zero points too.
  const shift = signed ? 0 : 128;
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      if (bits === 8) codes[at] = codeOf(stored[row * rowBytes + column] ?? 0, 8, signed) - shift;
      else {
        const byte = stored[row * rowBytes + (column >> 1)] ?? 0;
        const zero = zeros[row * blocks + Math.floor(column / block)] ?? 0;
        codes[at] = codeOf((byte >> (4 * (column & 1))) & 15, 4, signed) - zero;
      }
    }
  }
  return {
    form: "int8",
    shape: [count, columns],
    group: block,
    data: new Uint8Array(codes.buffer),
    scales: await readScales(scales, first * blocks, (first + count) * blocks),
    ...(bits === 8 && !absent ? { zeros: Float32Array.from(zeros, (zero) => zero - shift) } : {}),
  };
}

function codeOf(code: number, bits: 4 | 8, signed: boolean): number {
  return signed && code >= 2 ** (bits - 1) ? code - 2 ** bits : code;
}

/** Rows of `to` bytes out of rows of `from` bytes, cut or filled with zeros; `flip` turns the sign bits. */
function trimRows(bytes: Uint8Array<ArrayBuffer>, rows: number, from: number, to: number, flip: number) {
  if (from === to && flip === 0) return bytes;
  const out = new Uint8Array(rows * to);
  for (let row = 0; row < rows; row++) out.set(bytes.subarray(row * from, row * from + Math.min(from, to)), row * to);
  if (flip !== 0) for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) ^ flip;
  return out;
}

/** [rows, blocks] → [rows, narrow], each value `repeat` times. */
function spread(values: Float32Array<ArrayBuffer>, rows: number, blocks: number, narrow: number, repeat: number) {
  const out = new Float32Array(rows * narrow);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < narrow; b++) out[row * narrow + b] = values[row * blocks + Math.floor(b / repeat)] ?? 0;
  }
  return out;
}
