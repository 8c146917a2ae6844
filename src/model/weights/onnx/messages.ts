/**
 * The three messages of ONNX that are read whole, by field number (`onnx-proto/onnx.proto`). Only the wire reader of the
 * protobuf library is used: code generated for the schema would bring the library's descriptors into the page's first load.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { AttributeProto, NodeProto, StringStringEntryProto, TensorProto } from "../onnx-proto/onnx_pb";

type OnnxAttribute = Pick<AttributeProto, "name" | "f" | "i" | "ints">;

export type OnnxNode = Pick<NodeProto, "input" | "output" | "name" | "opType" | "domain"> & {
  attribute: OnnxAttribute[];
};

/** A tensor without its values. */
export type TensorHeader = Pick<TensorProto, "dims" | "dataType" | "name" | "dataLocation"> & {
  externalData: Pick<StringStringEntryProto, "key" | "value">[];
};

/** Reads one occurrence of a field from its wire type on. */
type FieldReader = (reader: BinaryReader, wire: WireType) => void;

/** Throws any `Error` where the bytes are no such message. */
export function decodeNode(bytes: Uint8Array): OnnxNode {
  const node: OnnxNode = { input: [], output: [], name: "", opType: "", attribute: [], domain: "" };
  readFields(bytes, {
    1: text((value) => node.input.push(value)),
    2: text((value) => node.output.push(value)),
    3: text((value) => (node.name = value)),
    4: text((value) => (node.opType = value)),
    5: message((value) => node.attribute.push(decodeAttribute(value))),
    7: text((value) => (node.domain = value)),
  });
  return node;
}

/** Throws any `Error` where the bytes are no such message. */
export function decodeTensor(bytes: Uint8Array): TensorHeader {
  const tensor: TensorHeader = { dims: [], dataType: 0, name: "", externalData: [], dataLocation: 0 };
  readFields(bytes, {
    1: int64((value) => tensor.dims.push(value)),
    2: int32((value) => (tensor.dataType = value)),
    8: text((value) => (tensor.name = value)),
    13: message((value) => tensor.externalData.push(decodeEntry(value))),
    14: int32((value) => (tensor.dataLocation = value)),
  });
  return tensor;
}

/** No attribute that is read has more; a packed one of a byte each would take thirty times its size. */
const mostInts = 64;

function decodeAttribute(bytes: Uint8Array): OnnxAttribute {
  const attribute: OnnxAttribute = { name: "", f: 0, i: 0n, ints: [] };
  readFields(bytes, {
    1: text((value) => (attribute.name = value)),
    2: field(WireType.Bit32, (reader) => (attribute.f = reader.float())),
    3: int64((value) => (attribute.i = value)),
    8: int64((value) => {
      if (attribute.ints.length < mostInts) attribute.ints.push(value);
    }),
  });
  return attribute;
}

function decodeEntry(bytes: Uint8Array): TensorHeader["externalData"][number] {
  const entry = { key: "", value: "" };
  readFields(bytes, { 1: text((value) => (entry.key = value)), 2: text((value) => (entry.value = value)) });
  return entry;
}

function readFields(bytes: Uint8Array, fields: Readonly<Record<number, FieldReader>>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const read = fields[number];
    if (read) read(reader, wire);
    else reader.skip(wire, number);
  }
}

/** One of another wire type is another field, and left out, as the protobuf specification has it. */
function field(expected: WireType, take: (reader: BinaryReader) => void): FieldReader {
  return (reader, wire) => {
    if (wire === expected) take(reader);
    else reader.skip(wire);
  };
}

const text = (take: (value: string) => void): FieldReader =>
  field(WireType.LengthDelimited, (reader) => take(reader.string(true)));
const message = (take: (value: Uint8Array) => void): FieldReader =>
  field(WireType.LengthDelimited, (reader) => take(reader.bytes()));
const int32 = (take: (value: number) => void): FieldReader => field(WireType.Varint, (reader) => take(reader.int32()));

/** Repeated numbers come one by one or packed. */
const int64 =
  (take: (value: bigint) => void): FieldReader =>
  (reader, wire) => {
    const one = (from: BinaryReader): void => take(BigInt(from.int64()));
    if (wire === WireType.Varint) one(reader);
    else if (wire === WireType.LengthDelimited) {
      const packed = new BinaryReader(reader.bytes());
      while (packed.pos < packed.len) one(packed);
    } else reader.skip(wire);
  };
