/** Writes small GGUF files, sound ones and ones with chosen faults, and opens them as the studio does. */
import { readBlueprint } from "../../src/model/blueprint";
import { ModelError } from "../../src/model/errors";
import { ggufFolder } from "../../src/model/gguf-folder";
import { loadTokenizer } from "../../src/model/tokenizer";
import { toFloat32 } from "../../src/model/weights/bytes";
import { format } from "../../src/model/weights/gguf";
import type { ModelFiles, WeightData } from "../../src/model/weights/types";

export type Bytes = Uint8Array<ArrayBuffer>;

const typeIds = { u8: 0, u32: 4, i32: 5, f32: 6, bool: 7, text: 8, u64: 10, f64: 12 } as const;
type Scalar = Exclude<keyof typeof typeIds, "text">;

/** `list` carries the values' type, `raw` a value type and bytes as they are. */
export type GgufValue =
  | readonly [Scalar, number | bigint]
  | readonly ["text", string]
  | readonly ["texts", readonly string[]]
  | readonly ["list", Scalar, readonly number[]]
  | readonly ["raw", number, Bytes];

export type GgufKeys = readonly (readonly [string, GgufValue])[];

export interface GgufTensorParts {
  readonly name: string;
  /** ggml's type id. */
  readonly type: number;
  /** Outermost first. */
  readonly shape: readonly (number | bigint)[];
  readonly data: Bytes;
  /** Where the file says that it lies, from the start of the data. */
  readonly offset?: number | bigint;
}

export interface GgufParts {
  readonly metadata?: GgufKeys;
  readonly tensors?: readonly GgufTensorParts[];
  readonly magic?: string;
  readonly version?: number;
  readonly keyCount?: number | bigint;
  readonly tensorCount?: number | bigint;
  /** Of the data; `general.alignment` is written by hand. */
  readonly alignment?: number;
}

class Writer {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  put(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  number(type: Scalar, value: number | bigint): void {
    const view = new DataView(new ArrayBuffer(8));
    const plain = Number(value);
    if (type === "u64") view.setBigUint64(0, BigInt(value), true);
    else if (type === "f64") view.setFloat64(0, plain, true);
    else if (type === "f32") view.setFloat32(0, plain, true);
    else if (type === "i32") view.setInt32(0, plain, true);
    else view.setUint32(0, plain, true);
    const width = { u8: 1, bool: 1, u32: 4, i32: 4, f32: 4, u64: 8, f64: 8 }[type];
    this.put(new Uint8Array(view.buffer, 0, width));
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.number("u64", bytes.length);
    this.put(bytes);
  }

  align(to: number): void {
    while (this.length % to !== 0) this.#bytes.push(0);
  }

  done(): Bytes {
    return Uint8Array.from(this.#bytes);
  }
}

export function ggufFile(parts: GgufParts): Bytes {
  const { metadata = [], tensors = [], alignment = 32 } = parts;
  const head = new Writer();
  head.put(new TextEncoder().encode(parts.magic ?? "GGUF"));
  head.number("u32", parts.version ?? 3);
  head.number("u64", parts.tensorCount ?? tensors.length);
  head.number("u64", parts.keyCount ?? metadata.length);
  for (const [key, value] of metadata) {
    head.text(key);
    putValue(head, value);
  }
  let end = 0;
  const places: number[] = [];
  for (const { name, type, shape, data, offset } of tensors) {
    head.text(name);
    head.number("u32", shape.length);
    for (const dim of shape.toReversed()) head.number("u64", dim);
    head.number("u32", type);
    head.number("u64", offset ?? end);
    places.push(end);
    end = Math.ceil((end + data.length) / alignment) * alignment;
  }
  head.align(alignment);
  const file = new Uint8Array(head.length + end);
  file.set(head.done());
  for (const [index, { data }] of tensors.entries()) file.set(data, head.length + (places[index] ?? 0));
  return file;
}

function putValue(writer: Writer, value: GgufValue): void {
  if (value[0] === "texts") {
    writer.number("u32", 9);
    writer.number("u32", typeIds.text);
    writer.number("u64", value[1].length);
    for (const text of value[1]) writer.text(text);
  } else if (value[0] === "list") {
    writer.number("u32", 9);
    writer.number("u32", typeIds[value[1]]);
    writer.number("u64", value[2].length);
    for (const entry of value[2]) writer.number(value[1], entry);
  } else if (value[0] === "raw") {
    writer.number("u32", value[1]);
    writer.put(value[2]);
  } else {
    writer.number("u32", typeIds[value[0]]);
    if (value[0] === "text") writer.text(value[1]);
    else writer.number(value[0], value[1]);
  }
}

/** Metadata of a small Llama: hidden 16, two heads of 8, one for keys and values, one block, a vocabulary of three. */
export const llamaMetadata: GgufKeys = [
  ["general.architecture", ["text", "llama"]],
  ["llama.block_count", ["u32", 1]],
  ["llama.context_length", ["u32", 64]],
  ["llama.embedding_length", ["u32", 16]],
  ["llama.feed_forward_length", ["u32", 24]],
  ["llama.attention.head_count", ["u32", 2]],
  ["llama.attention.head_count_kv", ["u32", 1]],
  ["llama.attention.layer_norm_rms_epsilon", ["f32", 1e-5]],
  ["llama.rope.dimension_count", ["u32", 8]],
  ["tokenizer.ggml.model", ["text", "gpt2"]],
  ["tokenizer.ggml.pre", ["text", "gpt-2"]],
  ["tokenizer.ggml.tokens", ["texts", ["<end>", "a", "b", "ab"]]],
  ["tokenizer.ggml.token_type", ["list", "i32", [3, 1, 1, 1]]],
  ["tokenizer.ggml.merges", ["texts", ["a b"]]],
  ["tokenizer.ggml.eos_token_id", ["u32", 0]],
];

/** Metadata of the same sizes for another architecture. */
export function metadataOf(id: string, more: GgufKeys = []): GgufKeys {
  const renamed = llamaMetadata.map(([key, value]): readonly [string, GgufValue] =>
    key === "general.architecture" ? [key, ["text", id]] : [key.replace(/^llama\./, `${id}.`), value],
  );
  return [...renamed.filter(([key]) => !more.some(([other]) => other === key)), ...more];
}

/** `llamaMetadata` with one key changed, added, or (null) left out. */
export function withKey(key: string, value: GgufValue | null): GgufKeys {
  const others = llamaMetadata.filter(([name]) => name !== key);
  return value === null ? others : [...others, [key, value]];
}

/** A folder that holds just this file. */
export function ggufFiles(bytes: Bytes | Blob, path = "model.gguf"): ModelFiles {
  const blob = bytes instanceof Blob ? bytes : new Blob([bytes]);
  return { name: "model", paths: [path], open: async () => blob };
}

/** Everything that opening a dropped file does before a GPU is asked: every tensor is read whole and by its rows. */
export async function openWhole(bytes: Bytes): Promise<void> {
  const folder = await ggufFolder([{ path: "model.gguf", blob: new Blob([bytes]) }]);
  if (!folder) throw new ModelError("no folder");
  const tokenizer = await loadTokenizer(folder);
  tokenizer.decode(tokenizer.encode("ab <end> a"));
  const source = await format.open(folder, format.match(folder.paths), []);
  for (const { name, shape } of source.tensors.values()) {
    await source.read(name);
    const rows = shape[0] ?? 1;
    if (shape.length === 2) await source.read(name, { first: rows >> 1, count: rows - (rows >> 1) });
  }
  await readBlueprint(folder);
}

/** A float32 tensor of halves. */
export const halves = (name: string, ...shape: number[]): GgufTensorParts => ({
  name,
  type: 0,
  shape,
  data: f32Bytes(Array(shape.reduce((product, size) => product * size, 1)).fill(0.5)),
});

export const f32Bytes = (values: readonly number[]): Bytes => new Uint8Array(Float32Array.from(values).buffer);

/** What the kernels compute, rounded as they may not round better: float32 after each step. */
export function valuesOf(weight: WeightData): Float32Array<ArrayBuffer> {
  if (weight.form === "int8" || weight.form === "int4") return decoded(weight);
  if (weight.form === "nf4" || weight.form === "fp4") throw new RangeError(`GGUF has no ${weight.form}.`);
  return toFloat32(weight.form, weight.data);
}

function decoded(weight: Extract<WeightData, { form: "int8" | "int4" }>): Float32Array<ArrayBuffer> {
  const { form, scales, offsets, data } = weight;
  const [rows, columns] = weight.shape;
  const values = new Float32Array(rows * columns);
  const signed = new Int8Array(data.buffer, data.byteOffset, data.length);
  const group = weight.form === "int8" ? weight.group : 32;
  for (let i = 0; i < values.length; i++) {
    const code = form === "int8" ? signed[i] : ((data[i >> 1] ?? Number.NaN) >> (4 * (i & 1))) & 15;
    const q = (code ?? Number.NaN) - (form === "int4" && !offsets ? 8 : 0);
    const at = Math.floor(i / group);
    const product = Math.fround(q * (scales[at] ?? Number.NaN));
    values[i] = offsets ? product + (offsets[at] ?? Number.NaN) : product;
  }
  return values;
}
