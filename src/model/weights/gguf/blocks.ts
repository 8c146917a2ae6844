/**
 * Decodes ggml's quantized blocks into integers with one scale (and offset) a group. Nothing is rounded: scales are products
 * of two factors of at most 11 and 8 bits, exact in float32. Source: ggml-common.h and ggml-quants.c of ggml.
 */
import { float16Values } from "../bytes";
import type { TensorType } from "./tensor-types";

/** Blocks of one matrix, row-major. */
export interface Decoded {
  /** int8: one byte a weight; int4: 16 bytes for 32 weights, low nibble first. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly scales: Float32Array<ArrayBuffer>;
  readonly offsets: Float32Array<ArrayBuffer> | null;
}

/** A block of the file, at `at`, into block `index` of `out`. */
type Decoder = (view: DataView, at: number, index: number, out: Decoded) => void;

const float16 = (view: DataView, at: number): number => float16Values()[view.getUint16(at, true)] ?? Number.NaN;

/** Scale and minimum of the eight groups of a Q4_K or Q5_K block, six bits each in twelve bytes. */
function setScales(view: DataView, at: number, index: number, { scales, offsets }: Decoded): void {
  const scale = float16(view, at);
  const minimum = float16(view, at + 2);
  for (let group = 0; group < 8; group++) {
    const byte = (offset: number) => view.getUint8(at + 4 + offset);
    const low = group < 4;
    const s = low ? byte(group) & 63 : (byte(group + 4) & 15) | ((byte(group - 4) >> 6) << 4);
    const m = low ? byte(group + 4) & 63 : (byte(group + 4) >> 4) | ((byte(group) >> 6) << 4);
    scales[8 * index + group] = scale * s;
    if (offsets) offsets[8 * index + group] = -(minimum * m);
  }
}

/** 16 bytes that hold weights i (low) and i + 16 (high) become 16 bytes that hold neighbours. */
function interleave(view: DataView, from: number, data: Uint8Array, to: number): void {
  for (let k = 0; k < 8; k++) {
    const even = view.getUint8(from + 2 * k);
    const odd = view.getUint8(from + 2 * k + 1);
    data[to + k] = (even & 15) | ((odd & 15) << 4);
    data[to + 8 + k] = (even >> 4) | (odd & 0xf0);
  }
}

/** Five-bit codes: four bits in `quants`, the fifth of weight i in bit i of a word; `zero` is taken off. */
function fiveBits(view: DataView, quants: number, high: number, data: Uint8Array, to: number, zero: number): void {
  for (let i = 0; i < 16; i++) {
    const byte = view.getUint8(quants + i);
    data[to + i] = ((byte & 15) | (((high >>> i) & 1) << 4)) - zero;
    data[to + 16 + i] = ((byte >> 4) | (((high >>> (i + 16)) & 1) << 4)) - zero;
  }
}

const decoders: Readonly<Record<string, Decoder>> = {
  Q4_0(view, at, index, { data, scales }) {
    scales[index] = float16(view, at);
    interleave(view, at + 2, data, 16 * index);
  },
  Q4_1(view, at, index, { data, scales, offsets }) {
    scales[index] = float16(view, at);
    if (offsets) offsets[index] = float16(view, at + 2);
    interleave(view, at + 4, data, 16 * index);
  },
  Q5_0(view, at, index, { data, scales }) {
    scales[index] = float16(view, at);
    fiveBits(view, at + 6, view.getUint32(at + 2, true), data, 32 * index, 16);
  },
  Q5_1(view, at, index, { data, scales, offsets }) {
    scales[index] = float16(view, at);
    if (offsets) offsets[index] = float16(view, at + 2);
    fiveBits(view, at + 8, view.getUint32(at + 4, true), data, 32 * index, 0);
  },
  Q8_0(view, at, index, { data, scales }) {
    scales[index] = float16(view, at);
    for (let i = 0; i < 32; i++) data[32 * index + i] = view.getUint8(at + 2 + i);
  },
  Q4_K(view, at, index, out) {
    setScales(view, at, index, out);
    const { data } = out;
    // 32 bytes hold two groups of 32: one in the low nibbles, one in the high ones.
    for (let pair = 0; pair < 4; pair++) {
      const from = at + 16 + 32 * pair;
      const to = 128 * index + 32 * pair;
      for (let k = 0; k < 16; k++) {
        const even = view.getUint8(from + 2 * k);
        const odd = view.getUint8(from + 2 * k + 1);
        data[to + k] = (even & 15) | ((odd & 15) << 4);
        data[to + 16 + k] = (even >> 4) | (odd & 0xf0);
      }
    }
  },
  Q5_K(view, at, index, out) {
    setScales(view, at, index, out);
    const { data } = out;
    for (let group = 0; group < 8; group++) {
      const from = at + 48 + 32 * (group >> 1);
      const to = 256 * index + 32 * group;
      const shift = 4 * (group & 1);
      for (let i = 0; i < 32; i++) {
        data[to + i] = ((view.getUint8(from + i) >> shift) & 15) | (((view.getUint8(at + 16 + i) >> group) & 1) << 4);
      }
    }
  },
  Q6_K(view, at, index, { data, scales }) {
    const scale = float16(view, at + 208);
    for (let group = 0; group < 16; group++) scales[16 * index + group] = scale * view.getInt8(at + 192 + group);
    // Each half of 128 weights: quarter q has its low bits in nibble q >> 1 of bytes (q & 1) · 32 …, its high bits in bits 2q.
    for (let half = 0; half < 2; half++) {
      const low = at + 64 * half;
      const high = at + 128 + 32 * half;
      for (let quarter = 0; quarter < 4; quarter++) {
        const to = 256 * index + 128 * half + 32 * quarter;
        const from = low + 32 * (quarter & 1);
        const shift = 4 * (quarter >> 1);
        for (let i = 0; i < 32; i++) {
          data[to + i] =
            (((view.getUint8(from + i) >> shift) & 15) | (((view.getUint8(high + i) >> (2 * quarter)) & 3) << 4)) - 32;
        }
      }
    }
  },
};

/** Where a block's float16 factors lie. */
const factorsAt: Readonly<Record<string, readonly number[]>> = {
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
};

/**
 * `count` blocks of `bytes` from block `from` on into `out` from block `to` on. Returns the index within `bytes` of the first
 * block with a factor that is NaN or infinite, or −1.
 */
export function decodeBlocks(
  type: TensorType,
  bytes: Uint8Array<ArrayBuffer>,
  from: number,
  count: number,
  out: Decoded,
  to: number,
): number {
  const decode = decoders[type.name];
  const factors = factorsAt[type.name] ?? [];
  if (!decode) return from;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < count; i++) {
    const at = (from + i) * type.bytes;
    for (const offset of factors) {
      if ((view.getUint16(at + offset, true) & 0x7c00) === 0x7c00) return from + i;
    }
    decode(view, at, to + i, out);
  }
  return -1;
}
