/** Makes small safetensors files, sound and in shards, and the tensors of a matrix in NF4; opens hostile ones. */
import { expect } from "vitest";
import { WeightsError } from "../../src/model/errors";
import { nf4Values } from "../../src/model/quantize/codes";
import { format } from "../../src/model/weights/safetensors";
import { type Bytes, folderOf, pattern, safetensorsFile } from "./build-files";

export interface Part {
  readonly name: string;
  readonly dtype: string;
  /** One dim where absent. */
  readonly shape?: readonly number[];
  readonly data: Bytes;
}

const widths: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2, U8: 1, I8: 1 };

/** The tensors one after another. */
export function tensorFile(parts: readonly Part[]): Bytes {
  let end = 0;
  const header = parts.map(({ name, dtype, shape, data }): [string, unknown] => {
    const start = end;
    end += data.length;
    return [name, { dtype, shape: shape ?? [data.length / (widths[dtype] ?? 1)], data_offsets: [start, end] }];
  });
  const bytes = new Uint8Array(end);
  end = 0;
  for (const { data } of parts) {
    bytes.set(data, end);
    end += data.length;
  }
  return safetensorsFile(Object.fromEntries(header), bytes);
}

/** w.weight [8, 24] in blocks of 64, with scales in float32 or in 8 bits. */
export function fourBitParts(nested: boolean): readonly Part[] {
  const state = { quant_type: "nf4", blocksize: 64, dtype: "bfloat16", shape: [8, 24] };
  const nestedState = { nested_blocksize: 256, nested_dtype: "float32", nested_offset: 0.25 };
  const text = JSON.stringify(nested ? { ...state, ...nestedState } : state);
  const name = "w.weight";
  return [
    { name, dtype: "U8", data: pattern(96, 5) },
    nested
      ? { name: `${name}.absmax`, dtype: "U8", data: Uint8Array.of(0, 128, 255) }
      : { name: `${name}.absmax`, dtype: "F32", data: f32(...[0.5, 1, 2]) },
    { name: `${name}.quant_map`, dtype: "F32", data: f32(...nf4Values) },
    ...(nested
      ? [
          { name: `${name}.nested_absmax`, dtype: "F32", data: f32(...[0.125]) },
          {
            name: `${name}.nested_quant_map`,
            dtype: "F32",
            data: f32(...Array.from({ length: 256 }, (_, i) => i / 255)),
          },
        ]
      : []),
    { name: `${name}.quant_state.bitsandbytes__nf4`, dtype: "U8", data: new TextEncoder().encode(text) },
  ];
}

export const f32 = (...values: number[]): Bytes => new Uint8Array(Float32Array.from(values).buffer);
export const u16 = (...values: number[]): Bytes => new Uint8Array(Uint16Array.from(values).buffer);
export const entry = (dtype: string, shape: number[], start: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

export const one = f32(1);

/** Everything that is done with a folder's weights: opened, and every tensor read. */
export async function openAll(files: Readonly<Record<string, Bytes | string>>): Promise<void> {
  const folder = folderOf(files);
  const expected = [
    { name: "x.conv.weight", shape: [4, 2], conv1d: true },
    { name: "w.weight", shape: [4] },
    { name: "lm_head.weight", shape: [4] },
  ];
  const source = await format.open(folder, format.match(folder.paths), expected);
  for (const [name, { shape }] of source.tensors) {
    await source.read(name);
    if (shape.length === 2) await source.read(name, { first: 0, count: shape[0] ?? 0 });
  }
}

/** The sentence that opening ends with. */
export async function refusal(files: Readonly<Record<string, Bytes | string>>): Promise<string> {
  const error: unknown = await openAll(files).then(
    () => new TypeError("it was opened"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(WeightsError);
  const { message } = error instanceof Error ? error : { message: "" };
  expect(message).toMatch(/^[^\n]+\.$/);
  expect(message).not.toMatch(/[a-z]\. [A-Z]/);
  return message;
}

export const first = "model-00001-of-00002.safetensors";
export const second = "model-00002-of-00002.safetensors";
export const indexName = "model.safetensors.index.json";
export const shards = {
  [first]: safetensorsFile({ a: entry("F32", [1], 0, 4) }, one),
  [second]: safetensorsFile({ b: entry("F32", [1], 0, 4) }, one),
};
export const index = (map: unknown) => ({ ...shards, [indexName]: JSON.stringify({ weight_map: map }) });
export const mebibyte = 1024 * 1024;
export const used = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
