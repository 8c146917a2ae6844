/** Where an ONNX initializer's bytes lie: raw data in the file, a range of an external file, or a short float list. */
import { WeightsError } from "../errors";
import { elementCount, type FloatForm, readSlice } from "./bytes";
import type { Initializer } from "./onnx-file";
import type { ModelFiles } from "./types";

/** TensorProto.data_type → how the bytes are read. Others are constants of the graph, not weights. */
const forms: ReadonlyMap<number, { readonly form: FloatForm | "u8"; readonly width: number }> = new Map([
  [1, { form: "f32", width: 4 }],
  [2, { form: "u8", width: 1 }],
  [10, { form: "f16", width: 2 }],
  [16, { form: "bf16", width: 2 }],
]);
const external = 1;

export interface StoredTensor {
  readonly name: string;
  /** The file that holds the bytes. */
  readonly file: string;
  readonly form: FloatForm | "u8";
  readonly shape: readonly number[];
  readonly count: number;
  readonly bytes: number;
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

export class OnnxStorage {
  readonly #files: ModelFiles;
  readonly #file: string;
  readonly #blob: Blob;

  constructor(files: ModelFiles, file: string, blob: Blob) {
    this.#files = files;
    this.#file = file;
    this.#blob = blob;
  }

  /** Throws `WeightsError` where dtype, shape and stored bytes do not fit together. */
  async locate(initializer: Initializer): Promise<StoredTensor> {
    const { header, raw } = initializer;
    const { name } = header;
    const label = `${this.#file}: initializer "${name.slice(0, 200)}"`;
    const type = forms.get(header.dataType);
    if (!type) {
      throw new WeightsError(
        `${label} has data type ${header.dataType}; only float, float16, bfloat16 and uint8 weights can be read.`,
      );
    }
    const { form, width } = type;
    // A negative or huge int64 becomes a number that elementCount refuses.
    const shape = header.dims.map(Number);
    const count = elementCount(shape);
    if (count === null || !Number.isSafeInteger(count * width)) {
      throw new WeightsError(
        `${label} has the impossible shape [${header.dims.slice(0, 8).join(", ")}]; the file is damaged.`,
      );
    }
    const bytes = count * width;
    const base = { name, form, shape, count, bytes };
    const expect = (stored: number): void => {
      if (stored === bytes) return;
      throw new WeightsError(
        `${label} has shape [${shape.join(", ")}] but ${stored} of ${bytes} bytes; the file is damaged.`,
      );
    };
    if (header.dataLocation === external) {
      const { path, blob, start, length } = await this.#external(header.externalData, bytes, label);
      expect(length);
      return { ...base, file: path, read: () => readSlice(blob, start, start + bytes, path) };
    }
    const file = this.#file;
    if (raw === null && form === "f32" && header.floatData.length > 0) {
      expect(header.floatData.length * 4);
      return { ...base, file, read: async () => new Uint8Array(new Float32Array(header.floatData).buffer) };
    }
    expect(raw === null ? 0 : raw.end - raw.start);
    const start = raw?.start ?? 0;
    return { ...base, file, read: () => readSlice(this.#blob, start, start + bytes, file) };
  }

  async #external(
    entries: readonly { readonly key: string; readonly value: string }[],
    bytes: number,
    label: string,
  ): Promise<{ readonly path: string; readonly blob: Blob; readonly start: number; readonly length: number }> {
    const values = new Map(entries.map(({ key, value }) => [key, value]));
    const location = values.get("location") ?? "";
    if (
      location === "" ||
      location.includes("\\") ||
      location.split("/").some((part) => part === "" || part === "." || part === "..")
    ) {
      throw new WeightsError(
        `${label} lies in the file "${location.slice(0, 200)}", which is outside the model folder; the file is damaged.`,
      );
    }
    const path = this.#file.slice(0, this.#file.lastIndexOf("/") + 1) + location;
    if (!this.#files.paths.includes(path)) {
      throw new WeightsError(`${label} lies in ${path}, which is missing; add that file to the folder.`);
    }
    const blob = await this.#files.open(path);
    const start = decimal(values.get("offset") ?? "0");
    const length = decimal(values.get("length") ?? String(bytes));
    if (start === null || length === null || !(start + length <= blob.size)) {
      throw new WeightsError(
        `${label} should lie at offset ${values.get("offset") ?? "0"}, length ${values.get("length") ?? bytes} of ${path}, which has ${blob.size} bytes; that file is cut off, download it again.`,
      );
    }
    return { path, blob, start, length };
  }
}

function decimal(text: string): number | null {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : null;
}
