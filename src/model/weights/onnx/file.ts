/**
 * Walks an ONNX file in slices: nodes and initializer headers are decoded, the weights' bytes stay in the file. The outer
 * messages are walked by hand because a parser would hold the whole file in memory.
 */
import { WeightsError } from "../../errors";
import { readSlice } from "../bytes";
import { decodeNode, decodeTensor, type OnnxNode, type TensorHeader } from "./messages";

const windowBytes = 256 * 1024;
/** ONNX sets no limit on the rank; real weights have at most four dims. */
const maxDims = 64;
/** What the decoded nodes and initializer headers may take together, by the estimate of `FieldRule`. */
const maxGraphBytes = 32 * 1024 * 1024;
/** A decoded message without its fields. */
const messageBytes = 512;

/** How a field of a node or an initializer is taken; fields without a rule are left in the file. */
interface FieldRule {
  /** Encoded bytes that all occurrences in one message may have together, tags included. */
  readonly limit: number;
  /** Heap bytes of one occurrence beside its content: an empty entry takes two bytes in the file and an object in memory. */
  readonly object: number;
  /** Heap bytes per encoded byte. */
  readonly factor: number;
  /** One occurrence of more bytes is left in the file, such as the tensor of a Constant node. */
  readonly skipAbove?: number;
}

const textRule: FieldRule = { limit: 64 * 1024, object: 32, factor: 1 };

const nodeRules: ReadonlyMap<number, FieldRule> = new Map([
  [1, textRule], // input
  [2, textRule], // output
  [3, textRule], // name
  [4, textRule], // op_type
  [5, { limit: 64 * 1024, object: 320, factor: 1, skipAbove: 1024 }], // attribute
  [7, textRule], // domain
]);

const tensorRules: ReadonlyMap<number, FieldRule> = new Map([
  [1, { limit: maxDims * 11, object: 32, factor: 32 }], // dims: a tag and at most ten bytes each
  [2, textRule], // data_type
  [8, textRule], // name
  [13, { limit: 64 * 1024, object: 256, factor: 1 }], // external_data
  [14, textRule], // data_location
]);

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Field number in TensorProto → how the values lie there: bytes as they are, or packed numbers, floats being bytes as well. */
const valueFields: ReadonlyMap<number, ValueRange["encoding"]> = new Map([
  [4, "floats"],
  [5, "varints"],
  [9, "raw"],
]);

/** Values in the file itself. */
export interface ValueRange extends ByteRange {
  readonly encoding: "raw" | "floats" | "varints";
}

export interface Initializer {
  /** Everything but the values. */
  readonly header: TensorHeader;
  /** Null where the file itself holds none. */
  readonly values: ValueRange | null;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, Initializer>;
}

/** A name out of the file, for a message of one line. */
export const quoted = (name: string): string => `"${name.slice(0, 200).replace(/\p{Cc}/gu, "?")}"`;

/** Throws `WeightsError` where the bytes are no ONNX model, a length lies, or nodes and headers would fill the memory. */
export async function readGraph(blob: Blob, file: string): Promise<OnnxGraph> {
  const reader = new ProtobufReader(blob, file);
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, Initializer>();
  let graphs = 0;
  // ModelProto.graph = 7; GraphProto.node = 1, GraphProto.initializer = 5.
  for await (const graph of reader.fields({ start: 0, end: blob.size })) {
    if (!graph.delimited || graph.number !== 7) continue;
    graphs += 1;
    for await (const field of reader.fields(graph)) {
      if (!field.delimited) continue;
      if (field.number === 1) {
        nodes.push(reader.decode("NodeProto", decodeNode, await reader.message(field, nodeRules)));
      } else if (field.number === 5) {
        const initializer = await readInitializer(reader, field);
        const { name } = initializer.header;
        if (initializers.has(name))
          throw new WeightsError(`${file} holds the initializer ${quoted(name)} twice; the file is damaged.`);
        initializers.set(name, initializer);
      }
    }
  }
  if (graphs === 0) throw new WeightsError(`${file} holds no graph; it is not an ONNX model or it is cut off.`);
  return { nodes, initializers };
}

async function readInitializer(reader: ProtobufReader, range: ByteRange): Promise<Initializer> {
  const values: ValueRange[] = [];
  const bytes = await reader.message(range, tensorRules, ({ number, delimited, start, end }) => {
    const encoding = valueFields.get(number);
    if (encoding !== undefined && (!delimited || end > start)) values.push({ encoding, start, end });
    if (values.length > 1)
      throw new WeightsError(
        `${reader.file}: the initializer at byte ${range.start} has its values in several places; export the model with its weights as raw data.`,
      );
  });
  const header = reader.decode("TensorProto", decodeTensor, bytes);
  if (header.dims.length > maxDims) {
    throw new WeightsError(
      `${reader.file}: initializer ${quoted(header.name)} has ${header.dims.length} dims; at most ${maxDims} are read, the file is damaged.`,
    );
  }
  return { header, values: values[0] ?? null };
}

interface Field extends ByteRange {
  readonly number: number;
  /** A length comes before the value: a text, bytes, a message or packed numbers. */
  readonly delimited: boolean;
  /** First byte of the field's tag; `start` is the first byte of its value. */
  readonly tag: number;
}

/** Protobuf wire format over a Blob, read through a window. */
class ProtobufReader {
  readonly file: string;
  readonly #blob: Blob;
  #window = new Uint8Array();
  #windowStart = 0;
  #graphBytes = 0;

  constructor(blob: Blob, file: string) {
    this.#blob = blob;
    this.file = file;
  }

  /** The fields of the message in `range`; a length-delimited field's range is its payload. */
  async *fields(range: ByteRange): AsyncGenerator<Field> {
    let at = range.start;
    while (at < range.end) {
      const tag = at;
      const key = await this.#varint(at, range.end);
      const number = Math.floor(key.value / 8);
      const wireType = key.value % 8;
      if (number === 0 || number > 0x1fffffff) throw this.#damaged(tag);
      at = key.end;
      let start = at;
      if (wireType === 0) at = (await this.#varint(at, range.end)).end;
      else if (wireType === 1) at += 8;
      else if (wireType === 5) at += 4;
      else if (wireType === 2) {
        const length = await this.#varint(at, range.end);
        start = length.end;
        at = length.end + length.value;
      } else throw this.#damaged(tag);
      if (!(at <= range.end)) {
        throw new WeightsError(
          `${this.file}: the field at byte ${tag} should end at byte ${at}, but what holds it ends at ${range.end}; the file is cut off or damaged, download it again.`,
        );
      }
      yield { number, delimited: wireType === 2, tag, start, end: at };
    }
  }

  /**
   * The encoded message in `range` without the fields that no rule takes; those are shown to `onOther`. Limits are checked
   * and the memory counted before anything is decoded.
   */
  async message(
    range: ByteRange,
    rules: ReadonlyMap<number, FieldRule>,
    onOther?: (field: Field) => void,
  ): Promise<Uint8Array> {
    const taken = new Map<number, number>();
    const pieces: Uint8Array[] = [];
    let size = 0;
    this.#count(messageBytes);
    for await (const field of this.fields(range)) {
      const { number, tag, end } = field;
      const rule = rules.get(number);
      const length = end - tag;
      if (!rule || length > (rule.skipAbove ?? Number.POSITIVE_INFINITY)) {
        onOther?.(field);
        continue;
      }
      const total = (taken.get(number) ?? 0) + length;
      if (total > rule.limit) {
        throw new WeightsError(
          `${this.file}: field ${number} of the message at byte ${range.start} has ${total} bytes or more; at most ${rule.limit} are read, export the model with its weights as raw data.`,
        );
      }
      taken.set(number, total);
      this.#count(rule.object + rule.factor * length);
      const piece = await this.#bytes({ start: tag, end });
      pieces.push(piece);
      size += length;
    }
    const joined = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  }

  #count(bytes: number): void {
    this.#graphBytes += bytes;
    if (this.#graphBytes <= maxGraphBytes) return;
    throw new WeightsError(
      `${this.file}: its nodes and initializer headers would take more than ${maxGraphBytes} bytes of memory; export the model with fewer nodes and its weights as raw data.`,
    );
  }

  async #bytes({ start, end }: ByteRange): Promise<Uint8Array> {
    if (end - start > windowBytes) return readSlice(this.#blob, start, end, this.file);
    await this.#load(start, end);
    return this.#window.slice(start - this.#windowStart, end - this.#windowStart);
  }

  decode<T>(name: string, decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
    try {
      return decode(bytes);
    } catch (error) {
      throw new WeightsError(`${this.file}: a ${name} cannot be decoded; the file is damaged, download it again.`, {
        cause: error,
      });
    }
  }

  /** Unsigned base-128 number of at most ten bytes. Above 2^53 the value is inexact, which every bound check still refuses. */
  async #varint(at: number, limit: number): Promise<{ readonly value: number; readonly end: number }> {
    const end = Math.min(at + 10, limit);
    await this.#load(at, end);
    let value = 0;
    let factor = 1;
    for (let i = at; i < end; i++) {
      const byte = this.#window[i - this.#windowStart] ?? 0;
      value += (byte & 0x7f) * factor;
      factor *= 128;
      if (byte < 0x80) return { value, end: i + 1 };
    }
    throw this.#damaged(at);
  }

  /** Makes [start, end), at most a window long, part of the window. */
  async #load(start: number, end: number): Promise<void> {
    if (start >= this.#windowStart && end <= this.#windowStart + this.#window.length) return;
    this.#window = await readSlice(this.#blob, start, Math.min(start + windowBytes, this.#blob.size), this.file);
    this.#windowStart = start;
  }

  #damaged(at: number): WeightsError {
    return new WeightsError(`${this.file} is not an ONNX file, or it is damaged at byte ${at}; download it again.`);
  }
}
