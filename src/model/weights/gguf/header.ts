/**
 * The header of a GGUF file, versions 2 and 3: "GGUF", version, counts, metadata, tensor descriptions; then the tensors,
 * aligned. Every count and length is checked against the file before it is followed; strings and arrays stay in the file.
 * Source: docs/gguf.md of ggml.
 */
import { WeightsError } from "../../errors";
import { elementCount } from "../bytes";
import { Cursor } from "./cursor";
import { Metadata, type MetadataValue } from "./metadata";
import { type TensorType, tensorTypes, typeName } from "./tensor-types";
import { boolType, numberTypes } from "./value-types";

const maxKeys = 10_000;
const maxKeyBytes = 256;
const maxTensors = 20_000;
/** 64 in the format; a little room for what converters have written. */
const maxNameBytes = 256;
const maxDims = 4;
/** Entries of a list of texts: each must be walked over. */
const maxTexts = 2 ** 22;
const maxAlignment = 2 ** 16;

/** Ids of the value types that are no numbers. */
const valueType = { bool: boolType, text: 8, array: 9 } as const;

export interface GgufTensor {
  /** As the file has it, e.g. "blk.0.attn_q.weight". */
  readonly name: string;
  readonly type: TensorType;
  /** Outermost dim first: [out, in] for a matrix. ggml lists the innermost first. */
  readonly shape: readonly number[];
  /** Byte range in the file. */
  readonly start: number;
  readonly end: number;
}

export interface GgufHeader {
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** `file` is how messages call it. Throws `WeightsError` for a header that is broken or lies. */
export async function readHeader(blob: Blob, file: string): Promise<GgufHeader> {
  if (blob.size < 24) {
    throw new WeightsError(`${file} has ${blob.size} bytes, too few for a GGUF file; download it again.`);
  }
  const cursor = new Cursor(blob, file);
  await cursor.need(24, "the file's head");
  checkVersion(cursor);
  const tensorCount = bounded(cursor, cursor.uint64(), maxTensors, "tensors");
  const keyCount = bounded(cursor, cursor.uint64(), maxKeys, "metadata keys");
  const values = new Map<string, MetadataValue>();
  for (let i = 0; i < keyCount; i++) {
    const key = await shortText(cursor, maxKeyBytes, `the name of metadata key ${i + 1}`);
    if (values.has(key)) throw new WeightsError(`${file} gives the key ${key} twice; the file is damaged.`);
    values.set(key, await readValue(cursor, key));
  }
  const metadata = new Metadata(blob, file, values);
  const described: Described[] = [];
  for (let i = 0; i < tensorCount; i++) described.push(await describeTensor(cursor, i));
  const alignment = metadata.int("general.alignment", 8, maxAlignment, 32);
  if ((alignment & (alignment - 1)) !== 0) throw metadata.error("general.alignment", "a power of two from 8 to 65536");
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  return { metadata, tensors: placeTensors(described, dataStart, alignment, blob.size, file) };
}

function checkVersion(cursor: Cursor): void {
  const { file } = cursor;
  const magic = String.fromCharCode(...cursor.bytes(4));
  if (magic !== "GGUF") {
    throw new WeightsError(
      `${file} begins with ${JSON.stringify(magic)} instead of "GGUF"; it is not a GGUF file, download it again.`,
    );
  }
  const version = cursor.uint32();
  if (version === 2 || version === 3) return;
  const remedy =
    version !== 0 && version % 2 ** 16 === 0
      ? "that is a file for big-endian machines, take the usual little-endian one"
      : "only versions 2 and 3 can be read, convert the model again with a current llama.cpp";
  throw new WeightsError(`${file} says that it is GGUF version ${version}; ${remedy}.`);
}

function bounded({ file }: Cursor, count: number, max: number, what: string): number {
  if (count <= max) return count;
  throw new WeightsError(
    `${file} says that it has ${count} ${what}; more than ${max} are not read, the file is damaged.`,
  );
}

async function shortText(cursor: Cursor, max: number, what: string): Promise<string> {
  await cursor.need(8, what);
  const length = cursor.uint64();
  if (length > max) {
    throw new WeightsError(
      `${cursor.file}: ${what} has ${length} bytes; at most ${max} are read, the file is damaged.`,
    );
  }
  await cursor.need(length, what);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(cursor.bytes(length));
  if (!/\p{Cc}/u.test(text)) return text;
  throw new WeightsError(
    `${cursor.file}: ${what} is ${JSON.stringify(text)}; a name has no control characters, the file is damaged.`,
  );
}

async function readValue(cursor: Cursor, key: string): Promise<MetadataValue> {
  const what = `the value of ${key}`;
  await cursor.need(4, what);
  const type = cursor.uint32();
  const number = numberTypes.get(type);
  if (number) {
    await cursor.need(number.width, what);
    return number.read(cursor);
  }
  if (type === valueType.bool) {
    await cursor.need(1, what);
    return cursor.uint8() !== 0;
  }
  if (type === valueType.text) return skipText(cursor, what);
  if (type !== valueType.array) {
    throw new WeightsError(
      `${cursor.file}: the key ${key} has the unknown value type ${type}; the file is damaged or newer than this reader.`,
    );
  }
  await cursor.need(12, what);
  const element = cursor.uint32();
  const count = cursor.uint64();
  const start = cursor.position;
  const width = element === valueType.bool ? 1 : numberTypes.get(element)?.width;
  if (width !== undefined) cursor.skip(count * width, what);
  else if (element === valueType.text) await skipTexts(cursor, count, key);
  else {
    throw new WeightsError(
      `${cursor.file}: the key ${key} is a list of value type ${element}; only lists of numbers and texts can be read.`,
    );
  }
  return { element: element === valueType.text ? "text" : element, count, start, end: cursor.position };
}

async function skipText(cursor: Cursor, what: string): Promise<MetadataValue> {
  await cursor.need(8, what);
  const length = cursor.uint64();
  const start = cursor.position;
  cursor.skip(length, what);
  return { element: "bytes", count: length, start, end: cursor.position };
}

async function skipTexts(cursor: Cursor, count: number, key: string): Promise<void> {
  const what = `a text of ${key}`;
  if (count > maxTexts || count * 8 > cursor.left) {
    throw new WeightsError(
      `${cursor.file}: the key ${key} says that it lists ${count} texts; the file has room for ${Math.floor(cursor.left / 8)}, and more than ${maxTexts} are not read.`,
    );
  }
  for (let i = 0; i < count; i++) {
    if (!cursor.has(8)) await cursor.need(8, what);
    cursor.skip(cursor.uint64(), what);
  }
}

interface Described extends Omit<GgufTensor, "start" | "end"> {
  /** From the start of the tensor data. */
  readonly offset: number;
  readonly bytes: number;
}

async function describeTensor(cursor: Cursor, index: number): Promise<Described> {
  const { file } = cursor;
  const name = await shortText(cursor, maxNameBytes, `the name of tensor ${index + 1}`);
  const label = `${file}: tensor "${name}"`;
  await cursor.need(4, `the shape of tensor ${name}`);
  const dims = cursor.uint32();
  if (dims < 1 || dims > maxDims) {
    throw new WeightsError(`${label} has ${dims} dims; it must have 1 to ${maxDims}, the file is damaged.`);
  }
  await cursor.need(8 * dims + 12, `the shape of tensor ${name}`);
  const shape = Array.from({ length: dims }, () => cursor.uint64()).reverse();
  const typeId = cursor.uint32();
  const offset = cursor.uint64();
  const type = tensorTypes.get(typeId);
  if (!type) {
    const known = [...tensorTypes.values()].map((known) => known.name).join(", ");
    throw new WeightsError(
      `${label} has the type ${typeName(typeId)}; only ${known} can be read, take a file of the model in one of these.`,
    );
  }
  const count = elementCount(shape);
  const columns = shape.at(-1) ?? 0;
  if (count === null || count === 0 || !Number.isSafeInteger(count * type.bytes)) {
    throw new WeightsError(`${label} has the impossible shape [${shape.join(", ")}]; the file is damaged.`);
  }
  if (columns % type.block !== 0) {
    throw new WeightsError(
      `${label} has rows of ${columns}, but ${type.name} comes in blocks of ${type.block}; the file is damaged.`,
    );
  }
  return { name, type, shape, offset, bytes: (count / type.block) * type.bytes };
}

/** Throws where a tensor is listed twice, lies askew, overlaps another or ends outside the file. */
function placeTensors(
  described: readonly Described[],
  dataStart: number,
  alignment: number,
  size: number,
  file: string,
): ReadonlyMap<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const { name, type, shape, offset, bytes } of described) {
    const label = `${file}: tensor "${name}"`;
    if (tensors.has(name)) throw new WeightsError(`${file} lists the tensor "${name}" twice; the file is damaged.`);
    if (offset % alignment !== 0) {
      throw new WeightsError(
        `${label} lies at offset ${offset}, which is no multiple of the file's alignment ${alignment}; the file is damaged.`,
      );
    }
    const start = dataStart + offset;
    const end = start + bytes;
    if (!(end <= size)) {
      throw new WeightsError(
        `${label} should lie at bytes ${start} to ${end}, but the file has ${size}; it is cut off, download it again.`,
      );
    }
    tensors.set(name, { name, type, shape, start, end });
  }
  let previous: GgufTensor | null = null;
  for (const tensor of [...tensors.values()].sort((a, b) => a.start - b.start)) {
    if (previous && tensor.start < previous.end) {
      throw new WeightsError(
        `${file}: the tensors "${previous.name}" and "${tensor.name}" overlap at byte ${tensor.start}; the file is damaged.`,
      );
    }
    previous = tensor;
  }
  return tensors;
}
