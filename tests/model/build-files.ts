/** Makes small weight files, sound ones and ones with chosen faults, and folders that hold them. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { filesFolder } from "../../src/model/folder";
import { format as onnx } from "../../src/model/weights/onnx";
import {
  type AttributeProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  type NodeProtoSchema,
  type TensorProto,
  type TensorProtoSchema,
} from "../../src/model/weights/onnx-proto/onnx_pb";
import type { ExpectedTensor, ModelFiles, WeightSource } from "../../src/model/weights/types";

export type Bytes = Uint8Array<ArrayBuffer>;

export function folderOf(files: Readonly<Record<string, Bytes | string>>): ModelFiles {
  const all = { "config.json": "{}", "tokenizer.json": "{}", ...files };
  return filesFolder(
    "model",
    Object.entries(all).map(([path, content]) => ({ path, blob: new Blob([content]) })),
  );
}

/** A safetensors file with any header. `length` overrides the eight bytes that announce it. */
export function safetensorsFile(header: unknown, data: Bytes, length?: bigint): Bytes {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + data.length);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  file.set(json, 8);
  file.set(data, 8 + json.length);
  return file;
}

export type NodeInit = Exclude<MessageInitShape<typeof NodeProtoSchema>, NodeProto>;
export type TensorInit = Exclude<MessageInitShape<typeof TensorProtoSchema>, TensorProto>;

export function onnxFile(nodes: NodeInit[], initializers: TensorInit[]): Bytes {
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    graph: { name: "main", node: nodes, initializer: initializers },
    opsetImport: [{ domain: "com.microsoft", version: 1n }],
  });
  return new Uint8Array(toBinary(ModelProtoSchema, model));
}

export function int(name: string, value: number | bigint): MessageInitShape<typeof AttributeProtoSchema> {
  return { name, i: BigInt(value), type: 2 };
}

export function rawTensor(
  name: string,
  dataType: number,
  dims: readonly number[],
  data: ArrayBufferView<ArrayBuffer>,
): TensorInit {
  return {
    name,
    dataType,
    dims: dims.map(BigInt),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

/** Bytes that differ from their neighbours, so that a shifted read shows. */
export function pattern(length: number, seed: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (i * 37 + seed * 101 + (i >> 3)) & 0xff);
}

/** The parts of a MatMulNBits node for q_proj of layer 0: [out, in], 4 bits, block 32, with zero points. */
export function quantizedLinear(out: number, inFeatures: number) {
  const blocks = Math.ceil(inFeatures / 32);
  const data = pattern(out * blocks * 16, 1);
  const scales = Float32Array.from({ length: out * blocks }, (_, i) => 0.01 * (i + 1));
  const zeros = pattern(out * Math.ceil(blocks / 2), 2);
  const prefix = "model.layers.0.self_attn.q_proj.MatMul.weight";
  const node = {
    name: "/model/layers.0/self_attn/q_proj/MatMul_Q4",
    opType: "MatMulNBits",
    domain: "com.microsoft",
    input: ["x", `${prefix}_Q4`, `${prefix}_scales`, `${prefix}_zp`],
    output: ["y"],
    attribute: [int("K", inFeatures), int("N", out), int("bits", 4), int("block_size", 32)],
  };
  const initializers = [
    rawTensor(`${prefix}_Q4`, 2, [out, blocks, 16], data),
    rawTensor(`${prefix}_scales`, 1, [out * blocks], scales),
    rawTensor(`${prefix}_zp`, 2, [zeros.length], zeros),
  ] as const;
  return { node, initializers, data, scales, zeros };
}

/** Where transformers.js looks for 4-bit weights, and the tensor that `quantizedLinear` makes. */
export const onnxPath = "onnx/model_q4.onnx";
export const qProj = "model.layers.0.self_attn.q_proj.weight";

/** Opens an ONNX file as part of a folder with `more` files. */
export async function openOnnx(
  bytes: Bytes,
  more: Readonly<Record<string, Bytes>> = {},
  expected: readonly ExpectedTensor[] = [],
): Promise<WeightSource> {
  const folder = folderOf({ [onnxPath]: bytes, ...more });
  return onnx.open(folder, onnx.match(folder.paths), expected);
}
