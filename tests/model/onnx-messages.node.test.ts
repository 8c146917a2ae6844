/** ONNX messages read field by field say what code generated from the schema says. */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeNode, decodeTensor } from "../../src/model/weights/onnx/messages";
import { NodeProtoSchema, TensorProtoSchema } from "../../src/model/weights/onnx-proto/onnx_pb";

const text = fc.string({ unit: "binary", maxLength: 12 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const attribute = fc.record({
  name: text,
  f: fc.float(),
  i: int64,
  s: fc.uint8Array({ maxLength: 4 }),
  ints: fc.array(int64, { maxLength: 4 }),
  type: int32,
});
const node = fc.record({
  input: fc.array(text, { maxLength: 4 }),
  output: fc.array(text, { maxLength: 2 }),
  name: text,
  opType: text,
  attribute: fc.array(attribute, { maxLength: 4 }),
  domain: text,
});
const tensor = fc.record({
  dims: fc.array(int64, { maxLength: 4 }),
  dataType: int32,
  name: text,
  rawData: fc.uint8Array({ maxLength: 8 }),
  int32Data: fc.array(int32, { maxLength: 3 }),
  externalData: fc.array(fc.record({ key: text, value: text }), { maxLength: 3 }),
  dataLocation: int32,
});

const nodeBytes = (init: MessageInitShape<typeof NodeProtoSchema>) =>
  toBinary(NodeProtoSchema, create(NodeProtoSchema, init));

describe("messages of ONNX", () => {
  it("nodes", () => {
    fc.assert(
      fc.property(node, (init) => {
        const bytes = nodeBytes(init);
        const { input, output, name, opType, attribute: attributes, domain } = fromBinary(NodeProtoSchema, bytes);
        const plain = attributes.map((one) => ({ name: one.name, f: one.f, i: one.i, ints: one.ints }));
        expect(decodeNode(bytes)).toEqual({ input, output, name, opType, attribute: plain, domain });
      }),
    );
  });

  it("tensors without their values", () => {
    fc.assert(
      fc.property(tensor, (init) => {
        const bytes = toBinary(TensorProtoSchema, create(TensorProtoSchema, init));
        const { dims, dataType, name, externalData, dataLocation } = fromBinary(TensorProtoSchema, bytes);
        const entries = externalData.map(({ key, value }) => ({ key, value }));
        expect(decodeTensor(bytes)).toEqual({ dims, dataType, name, externalData: entries, dataLocation });
      }),
    );
  });

  it("dims one by one, as older writers have them", () => {
    expect(decodeTensor(Uint8Array.of(0x08, 3, 0x08, 0x80, 2)).dims).toEqual([3n, 256n]);
  });

  it("a field of another wire type is left out", () => {
    // Field 3, the name, as a number; then field 4, the operator, as it should be.
    expect(decodeNode(Uint8Array.of(0x18, 7, 0x22, 1, 0x41))).toMatchObject({ name: "", opType: "A" });
  });

  it.each<[string, Uint8Array]>([
    ["cut off", nodeBytes({ name: "MatMul" }).slice(0, -1)],
    ["no UTF-8", Uint8Array.of(0x1a, 2, 0xc3, 0x28)],
    ["field number 0", Uint8Array.of(0, 0)],
    ["an attribute longer than its node", Uint8Array.of(0x2a, 9, 0x0a, 1, 0x41)],
  ])("%s is refused", (_, bytes) => {
    expect(() => decodeNode(bytes)).toThrow();
  });
});
