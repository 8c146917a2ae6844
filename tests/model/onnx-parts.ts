/** Small ONNX files with one quantized or packed weight, sound ones and ones with a chosen fault. */
import { type Bytes, int, type NodeInit, onnxFile, pattern, rawTensor, type TensorInit } from "./build-files";

export type Attribute = ReturnType<typeof int>;

export const expected = [
  { name: "model.embed_tokens.weight", shape: [4, 64] },
  ...["q", "k", "v"].map((part) => ({ name: `model.layers.0.self_attn.${part}_proj.weight`, shape: [4, 64] })),
  { name: "model.layers.0.mlp.gate_up_proj.weight", shape: [8, 64] },
  { name: "model.norm.weight", shape: [64] },
];
export const floats = (count: number) => Float32Array.from({ length: count }, (_, i) => 0.01 * (i + 1));
export const qPath = "/model/layers.0/self_attn/q_proj";
export const qNode = `onnx/model_q4.onnx: node "${qPath}`;

/** One part of a file: a change of an attribute (null takes it away), of the inputs, or of an initializer. */
interface Fault {
  readonly attributes?: Readonly<Record<string, number | bigint | null>>;
  readonly input?: readonly string[];
  readonly tensors?: Readonly<Record<string, TensorInit>>;
  readonly nodes?: readonly NodeInit[];
}

const changed = (node: NodeInit, { attributes = {}, input }: Fault): NodeInit => ({
  ...node,
  ...(input ? { input: [...input] } : {}),
  attribute: [
    ...(node.attribute ?? []).filter(({ name }) => !(String(name) in attributes)),
    ...Object.entries(attributes).flatMap(([name, value]): Attribute[] => (value === null ? [] : [int(name, value)])),
  ],
});

function fileOf(nodes: readonly NodeInit[], tensors: readonly TensorInit[], fault: Fault): Bytes {
  const [first, ...others] = nodes;
  const patched = tensors.map((tensor) => ({ ...tensor, ...fault.tensors?.[tensor.name ?? ""] }));
  return onnxFile([...(first ? [changed(first, fault)] : []), ...others, ...(fault.nodes ?? [])], patched);
}

export const bnb4 = (fault: Fault = {}): Bytes =>
  fileOf(
    [
      {
        ...{ name: `${qPath}/MatMul_Bnb4`, opType: "MatMulBnb4", domain: "com.microsoft", input: ["x", "w", "s"] },
        attribute: [int("K", 64), int("N", 4), int("block_size", 64), int("quant_type", 1)],
      },
    ],
    [rawTensor("w", 2, [128], pattern(128, 1)), rawTensor("s", 1, [4], floats(4))],
    fault,
  );

export const dynamic = (fault: Fault = {}): Bytes =>
  fileOf(
    [
      {
        ...{ name: `${qPath}/MatMul_quant`, opType: "MatMulInteger" },
        ...{ input: ["x", "w", "xz", "z"], output: ["y"] },
      },
      { name: "cast", opType: "Cast", input: ["y"], output: ["f"] },
      { name: "scales", opType: "Mul", input: ["xs", "s"], output: ["m"] },
      { name: "out", opType: "Mul", input: ["f", "m"], output: ["o"] },
    ],
    [
      rawTensor("w", 2, [64, 4], pattern(256, 1)),
      rawTensor("s", 1, [4], floats(4)),
      rawTensor("z", 2, [4], pattern(4, 2)),
    ],
    fault,
  );

export const weightOnly = (fault: Fault = {}): Bytes =>
  fileOf(
    [
      { name: "dq", opType: "DequantizeLinear", input: ["w", "s", "z"], output: ["d"], attribute: [int("axis", 1)] },
      { name: `${qPath}/MatMul`, opType: "MatMul", input: ["x", "d"] },
    ],
    [
      rawTensor("w", 3, [64, 4], pattern(256, 1)),
      rawTensor("s", 1, [4], floats(4)),
      rawTensor("z", 3, [4], new Uint8Array(4)),
    ],
    fault,
  );

export const gather = (fault: Fault = {}): Bytes =>
  fileOf(
    [
      {
        ...{ name: "/model/embed_tokens/Gather_Q4", opType: "GatherBlockQuantized", domain: "com.microsoft" },
        input: ["w", "ids", "s", "z"],
        attribute: [int("bits", 4), int("block_size", 32), int("gather_axis", 0), int("quantize_axis", 1)],
      },
    ],
    [
      rawTensor("w", 2, [4, 32], pattern(128, 1)),
      rawTensor("s", 1, [4, 2], floats(8)),
      rawTensor("z", 2, [4, 1], pattern(4, 3)),
    ],
    fault,
  );

export const packed = (rows: number): Bytes =>
  onnxFile(
    [{ name: "/model/layers.0/attn/qkv_proj/MatMul", opType: "MatMul", input: ["x", "w"] }],
    [rawTensor("w", 1, [64, rows], floats(64 * rows))],
  );

export const gateAndUp = (upType: number): Bytes =>
  onnxFile(
    ["gate", "up"].map((part) => ({
      name: `/model/layers.0/mlp/${part}_proj/MatMul`,
      opType: "MatMul",
      input: ["x", part],
    })),
    [
      rawTensor("gate", 1, [64, 4], floats(256)),
      rawTensor("up", upType, [64, 4], upType === 1 ? floats(256) : new Uint16Array(256)),
    ],
  );

export const product = (opType: string, ...attribute: Attribute[]): Bytes =>
  onnxFile(
    [{ name: `${qPath}/${opType}`, opType, input: ["x", "w"], attribute }],
    [rawTensor("w", 1, [64, 4], floats(256))],
  );

/** A norm whose values are given in odd ways. */
export const norm = (tensor: TensorInit): Bytes =>
  onnxFile([], [{ name: "model.norm.weight", dataType: 1, dims: [64n], ...tensor }]);
