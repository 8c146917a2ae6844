/**
 * Walks an ONNX file in slices: nodes and initializer headers are decoded by generated code, the weights' bytes stay in the
 * file. The outer messages are walked by hand because a parser would hold the whole file in memory.
 */
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { WeightsError } from "../errors";
import { readSlice } from "./bytes";
import { type NodeProto, NodeProtoSchema, type TensorProto, TensorProtoSchema } from "./onnx-proto/onnx_pb";

const maxNodes = 1_000_000;
const maxInitializers = 100_000;
/** A node, or an initializer without its raw data: little more than names. */
const maxMessageBytes = 64 * 1024 * 1024;
const windowBytes = 256 * 1024;

interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface Initializer {
  /** Everything but `rawData`. */
  readonly header: TensorProto;
  /** Where `raw_data` lies in the file; null where there is none. */
  readonly raw: ByteRange | null;
}

export interface OnnxGraph {
  readonly nodes: readonly NodeProto[];
  readonly initializers: ReadonlyMap<string, Initializer>;
}

/** Throws `WeightsError` where the bytes are no ONNX model or a length lies. */
export async function readGraph(blob: Blob, file: string): Promise<OnnxGraph> {
  const reader = new ProtobufReader(blob, file);
  const nodes: NodeProto[] = [];
  const initializers = new Map<string, Initializer>();
  let graphs = 0;
  // ModelProto.graph = 7; GraphProto.node = 1, GraphProto.initializer = 5.
  for await (const graph of reader.fields({ start: 0, end: blob.size })) {
    if (graph.number !== 7) continue;
    graphs += 1;
    for await (const field of reader.fields(graph)) {
      if (field.number === 1) {
        if (nodes.length === maxNodes)
          throw new WeightsError(`${file} has more than ${maxNodes} nodes, which are not read.`);
        nodes.push(reader.decode(NodeProtoSchema, await reader.bytes(field)));
      } else if (field.number === 5) {
        const initializer = await readInitializer(reader, field);
        const { name } = initializer.header;
        if (initializers.has(name))
          throw new WeightsError(`${file} holds the initializer "${name}" twice; the file is damaged.`);
        if (initializers.size === maxInitializers) {
          throw new WeightsError(`${file} has more than ${maxInitializers} initializers, which are not read.`);
        }
        initializers.set(name, initializer);
      }
    }
  }
  if (graphs === 0) throw new WeightsError(`${file} holds no graph; it is not an ONNX model or it is cut off.`);
  return { nodes, initializers };
}

async function readInitializer(reader: ProtobufReader, range: ByteRange): Promise<Initializer> {
  let raw: ByteRange | null = null;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const field of reader.fields(range)) {
    // TensorProto.raw_data = 9
    if (field.number === 9) {
      raw = { start: field.start, end: field.end };
      continue;
    }
    const piece = await reader.bytes({ start: field.tag, end: field.end });
    size += piece.length;
    if (size > maxMessageBytes) {
      throw new WeightsError(
        `${reader.file}: an initializer holds more than ${maxMessageBytes} bytes outside raw_data; export the model with raw data.`,
      );
    }
    pieces.push(piece);
  }
  const joined = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return { header: reader.decode(TensorProtoSchema, joined), raw };
}

interface Field extends ByteRange {
  readonly number: number;
  /** First byte of the field's tag; `start` is the first byte of its value. */
  readonly tag: number;
}

/** Protobuf wire format over a Blob, read through a window. */
class ProtobufReader {
  readonly file: string;
  readonly #blob: Blob;
  #window = new Uint8Array();
  #windowStart = 0;

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
      yield { number: wireType === 2 ? number : 0, tag, start, end: at };
    }
  }

  async bytes(range: ByteRange): Promise<Uint8Array> {
    const length = range.end - range.start;
    if (length > maxMessageBytes) {
      throw new WeightsError(
        `${this.file}: the message at byte ${range.start} has ${length} bytes; more than ${maxMessageBytes} outside raw_data are not read.`,
      );
    }
    if (length > windowBytes) return readSlice(this.#blob, range.start, range.end, this.file);
    await this.#load(range.start, range.end);
    return this.#window.slice(range.start - this.#windowStart, range.end - this.#windowStart);
  }

  decode<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
    try {
      return fromBinary(schema, bytes);
    } catch (error) {
      throw new WeightsError(
        `${this.file}: a ${schema.name} cannot be decoded; the file is damaged, download it again.`,
        { cause: error },
      );
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
