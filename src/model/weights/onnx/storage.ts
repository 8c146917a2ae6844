/** Where an ONNX initializer's values lie: in the file as bytes or packed numbers, or in a range of an external file. */
import { WeightsError } from "../../errors";
import { elementCount, type FloatForm, readSlice } from "../bytes";
import type { ModelFiles } from "../types";
import { type Initializer, quoted, type ValueRange } from "./file";

/** u4 and i4 lie two a byte, low nibble first. */
export type ElementType = FloatForm | "u8" | "i8" | "u4" | "i4";

/** TensorProto.data_type → how the values are read. Others are constants of the graph, not weights. */
const types: ReadonlyMap<number, { readonly type: ElementType; readonly bits: number }> = new Map([
  [1, { type: "f32", bits: 32 }],
  [2, { type: "u8", bits: 8 }],
  [3, { type: "i8", bits: 8 }],
  [10, { type: "f16", bits: 16 }],
  [16, { type: "bf16", bits: 16 }],
  [21, { type: "u4", bits: 4 }],
  [22, { type: "i4", bits: 4 }],
]);
const external = 1;
/** Packed numbers are decoded at once; exporters write no more than scales and zero points so. */
const maxVarintBytes = 4 * 1024 * 1024;

export interface StoredTensor {
  readonly name: string;
  /** The file that holds the bytes. */
  readonly file: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly count: number;
  readonly bytes: number;
  /** Bytes [start, end) of the tensor; all where absent. */
  read(start?: number, end?: number): Promise<Uint8Array<ArrayBuffer>>;
}

export const isWeightType = (dataType: number): boolean => types.has(dataType);

export class OnnxStorage {
  readonly #files: ModelFiles;
  readonly #file: string;
  readonly #blob: Blob;
  readonly #externals = new Map<string, Promise<Blob>>();

  constructor(files: ModelFiles, file: string, blob: Blob) {
    this.#files = files;
    this.#file = file;
    this.#blob = blob;
  }

  /** Throws `WeightsError` where dtype, shape and stored bytes do not fit together. */
  async locate({ header, values }: Initializer): Promise<StoredTensor> {
    const { name } = header;
    const label = `${this.#file}: initializer ${quoted(name)}`;
    const found = types.get(header.dataType);
    if (!found) {
      throw new WeightsError(
        `${label} has data type ${header.dataType}; only float, float16, bfloat16 and 4- or 8-bit integer weights can be read.`,
      );
    }
    const { type, bits } = found;
    // A negative or huge int64 becomes a number that elementCount refuses.
    const shape = header.dims.map(Number);
    const count = elementCount(shape);
    if (count === null || !Number.isSafeInteger(count * bits)) {
      throw new WeightsError(
        `${label} has the impossible shape [${header.dims.slice(0, 8).join(", ")}]; the file is damaged.`,
      );
    }
    const bytes = Math.ceil((count * bits) / 8);
    const fits = (stored: number): void => {
      if (stored === bytes) return;
      throw new WeightsError(
        `${label} has shape [${shape.join(", ")}] but ${stored} of ${bytes} bytes; the file is damaged.`,
      );
    };
    const tensor = (file: string, blob: Blob, at: number): StoredTensor => ({
      ...{ name, file, type, shape, count, bytes },
      read: (start = 0, end = bytes) => readSlice(blob, at + start, at + end, file),
    });
    if (header.dataLocation === external) {
      const { path, blob, start, length } = await this.#external(header.externalData, bytes, label);
      fits(length);
      return tensor(path, blob, start);
    }
    if (values?.encoding === "varints") return this.#packed(tensor(this.#file, this.#blob, 0), values, label);
    fits(values === null || (values.encoding === "floats" && type !== "f32") ? 0 : values.end - values.start);
    return tensor(this.#file, this.#blob, values?.start ?? 0);
  }

  /** int32_data: every number is one value of 16 or 8 bits, or two of 4. */
  #packed(tensor: StoredTensor, { start, end }: ValueRange, label: string): StoredTensor {
    const { type, bytes } = tensor;
    const width = type === "f16" || type === "bf16" ? 2 : 1;
    const count = bytes / width;
    const size = end - start;
    if (type === "f32" || size < count || size > 10 * count || size > maxVarintBytes) {
      throw new WeightsError(
        `${label} has shape [${tensor.shape.join(", ")}] but its values are ${size} bytes of packed numbers; export the model with its weights as raw data.`,
      );
    }
    const all = async (): Promise<Uint8Array<ArrayBuffer>> => {
      const decoded = decodeVarints(await readSlice(this.#blob, start, end, this.#file), count, width);
      if (decoded) return decoded;
      throw new WeightsError(`${label} does not have the ${count} packed numbers of its shape; the file is damaged.`);
    };
    return { ...tensor, read: async (from = 0, to = bytes) => (await all()).slice(from, to) };
  }

  async #external(
    entries: readonly { readonly key: string; readonly value: string }[],
    bytes: number,
    label: string,
  ): Promise<{ readonly path: string; readonly blob: Blob; readonly start: number; readonly length: number }> {
    const values = new Map(entries.map(({ key, value }) => [key, value]));
    const location = (values.get("location") ?? "").replace(/^(\.\/)+/, "");
    if (
      location === "" ||
      location.includes("\\") ||
      location.split("/").some((part) => part === "" || part === "." || part === "..")
    ) {
      throw new WeightsError(
        `${label} lies in the file ${quoted(location)}, which is outside the model folder; the file is damaged.`,
      );
    }
    const path = this.#file.slice(0, this.#file.lastIndexOf("/") + 1) + location;
    if (!this.#files.paths.includes(path)) {
      throw new WeightsError(
        `${label} lies in ${quoted(path).slice(1, -1)}, which is missing; add that file to the folder.`,
      );
    }
    const opened = this.#externals.get(path) ?? this.#files.open(path);
    this.#externals.set(path, opened);
    const blob = await opened;
    const said = (key: string, fallback: string) => quoted(values.get(key) ?? fallback).slice(1, -1);
    const start = decimal(values.get("offset") ?? "0");
    const length = decimal(values.get("length") ?? String(bytes));
    if (start === null || length === null || !(start + length <= blob.size)) {
      throw new WeightsError(
        `${label} should lie at offset ${said("offset", "0")}, length ${said("length", String(bytes))} of ${path}, which has ${blob.size} bytes; that file is cut off, download it again.`,
      );
    }
    return { path, blob, start, length };
  }
}

/** The low `width` bytes of `count` protobuf int32 values; null where there are more or fewer. */
function decodeVarints(bytes: Uint8Array, count: number, width: number): Uint8Array<ArrayBuffer> | null {
  const out = new Uint8Array(count * width);
  let found = 0;
  let value = 0;
  let shift = 0;
  for (const byte of bytes) {
    if (shift < 28) value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    if (found === count) return null;
    for (let i = 0; i < width; i++) out[found * width + i] = value >> (8 * i);
    found++;
    value = 0;
    shift = 0;
  }
  return found === count && shift === 0 ? out : null;
}

function decimal(text: string): number | null {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : null;
}
