/** What every weight format shares: reading slices of a file, element counts that cannot overflow, finiteness, half floats. */
import { getFloat16 } from "@petamoriken/float16";
import { WeightsError } from "../errors";

export type FloatForm = "f32" | "f16" | "bf16";

/** Number of elements of a shape; null where a dim is no whole number ≥ 0 or the product passes 2^53. */
export function elementCount(shape: readonly number[]): number | null {
  let count = 1;
  for (const dim of shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) return null;
    count *= dim;
    if (!Number.isSafeInteger(count)) return null;
  }
  return count;
}

/** Bytes [start, end) of a file, in a buffer of their own. Throws `WeightsError` where the file has become shorter or unreadable. */
export async function readSlice(
  blob: Blob,
  start: number,
  end: number,
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  let buffer: ArrayBuffer;
  try {
    buffer = await blob.slice(start, end).arrayBuffer();
  } catch (error) {
    throw new WeightsError(
      `${file} could not be read at byte ${start} (${error instanceof Error ? error.message : String(error)}); open the model again.`,
      { cause: error },
    );
  }
  if (buffer.byteLength !== end - start) {
    throw new WeightsError(
      `${file} gave ${buffer.byteLength} of ${end - start} bytes at byte ${start}; the file is cut off, download it again.`,
    );
  }
  return new Uint8Array(buffer);
}

/** Index of the first NaN or infinity, or −1. `data` starts at offset 0 of its buffer or at a multiple of the element size. */
function firstNonFinite(form: FloatForm, data: Uint8Array<ArrayBuffer>): number {
  if (form === "f32") {
    const words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
    return words.findIndex((word) => (word & 0x7f800000) === 0x7f800000);
  }
  const exponent = form === "f16" ? 0x7c00 : 0x7f80;
  const words = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  return words.findIndex((word) => (word & exponent) === exponent);
}

/** Throws `WeightsError` naming file, tensor and element where a value is NaN or infinite; `first` is the data's first element. */
export function checkFinite(
  form: FloatForm,
  data: Uint8Array<ArrayBuffer>,
  file: string,
  tensor: string,
  first = 0,
): void {
  const index = firstNonFinite(form, data);
  if (index < 0) return;
  throw new WeightsError(
    `${file}: tensor ${JSON.stringify(tensor.slice(0, 200))} holds NaN or infinity at element ${first + index}; the file is damaged or the model diverged, use another copy.`,
  );
}

/**
 * Gives the memory of arrays that nobody reads again back at once, where they have a buffer of their own; they are empty
 * afterwards. The collector would let hundreds of megabytes of used pieces pile up. Does nothing in engines without `transfer`.
 */
export function release(...arrays: readonly (ArrayBufferView<ArrayBuffer> | null | undefined)[]): void {
  for (const array of arrays) {
    if (array && array.byteLength === array.buffer.byteLength && "transfer" in array.buffer) array.buffer.transfer(0);
  }
}

let halves: Float32Array<ArrayBuffer> | null = null;

/** The value of every float16 by its bits: a look-up takes a hundredth of the time of a conversion. */
export function float16Values(): Float32Array<ArrayBuffer> {
  if (halves) return halves;
  halves = new Float32Array(2 ** 16);
  const view = new DataView(new ArrayBuffer(2));
  for (let bits = 0; bits < halves.length; bits++) {
    view.setUint16(0, bits, true);
    halves[bits] = getFloat16(view, 0, true);
  }
  return halves;
}

/** Values of little-endian f32, f16 or bf16 bytes. An f32 result shares the bytes' buffer where they are aligned. */
export function toFloat32(form: FloatForm, data: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  if (form === "f32") {
    if (data.byteOffset % 4 !== 0) return toFloat32(form, data.slice());
    return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  }
  const count = data.byteLength / 2;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const out = new Float32Array(count);
  if (form === "f16") {
    const values = float16Values();
    for (let i = 0; i < count; i++) out[i] = values[view.getUint16(2 * i, true)] ?? Number.NaN;
    return out;
  }
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < count; i++) bits[i] = view.getUint16(2 * i, true) << 16;
  return out;
}
