/** ONNX: quantized blocks bit for bit, names, float tensors and external data, real files. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { format } from "../../src/model/weights/onnx";
import { readGraph } from "../../src/model/weights/onnx/file";
import { moduleOfNode, moduleOfQuantized, tensorOfInitializer } from "../../src/model/weights/onnx/names";
import { ModelProtoSchema } from "../../src/model/weights/onnx-proto/onnx_pb";
import type { WeightData } from "../../src/model/weights/types";
import golden from "../golden/onnx-tensors.json";
import {
  folderOf,
  int,
  type NodeInit,
  onnxFile,
  onnxPath,
  openOnnx,
  qProj,
  quantizedLinear,
  rawTensor,
  type TensorInit,
} from "./build-files";

function int4(data: WeightData) {
  if (data.form !== "int4") throw new TypeError(`${data.form} is not int4`);
  return data;
}

const sha256 = (view: ArrayBufferView<ArrayBuffer>) =>
  createHash("sha256")
    .update(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
    .digest("hex");

describe("MatMulNBits", () => {
  // 96 and 130: an odd number of blocks, and a last block that is partly padding.
  it.each([
    [8, 64],
    [5, 96],
    [3, 130],
    [1, 1],
  ])("[%i, %i] is handed over bit for bit", async (out, inFeatures) => {
    const { node, initializers, data, scales, zeros } = quantizedLinear(out, inFeatures);
    const source = await openOnnx(onnxFile([node], [...initializers]));
    expect(source.tensors.get(qProj)).toEqual({
      name: qProj,
      form: "int4",
      correction: "zeros",
      shape: [out, inFeatures],
      bytes: data.length + scales.byteLength + zeros.length,
    });
    const read = int4(await source.read(qProj));
    expect(read.data).toEqual(data);
    expect(read.scales).toEqual(scales);
    expect(read.zeros).toEqual(zeros);
  });

  it("without zero points, with f16 scales and its own bias", async () => {
    const { node, initializers, data } = quantizedLinear(2, 32);
    const [blocks] = initializers;
    const half = rawTensor("s16", 10, [2], Uint16Array.from([0x3c00, 0x3800]));
    const bias = rawTensor("b", 1, [2], Float32Array.from([5, 6]));
    const source = await openOnnx(
      onnxFile([{ ...node, input: ["x", blocks.name ?? "", "s16", "", "", "b"] }], [blocks, half, bias]),
    );
    const read = int4(await source.read(qProj));
    expect(read).toMatchObject({ data, scales: Float32Array.from([1, 0.5]), zeros: null });
    expect(source.tensors.get("model.layers.0.self_attn.q_proj.bias")).toMatchObject({ form: "f32", shape: [2] });
  });

  it("agrees with the onnx package on an exported model, tensor by tensor", async () => {
    const bytes = new Uint8Array(await readFile(new URL(`../golden/${golden.model}`, import.meta.url)));
    const source = await openOnnx(bytes);
    expect(new Set(source.tensors.keys())).toEqual(new Set(Object.keys(golden.tensors)));
    for (const [name, expected] of Object.entries(golden.tensors)) {
      const read = await source.read(name);
      expect({ name, form: read.form, shape: read.shape }).toEqual({
        name,
        form: expected.form,
        shape: expected.shape,
      });
      expect(sha256(read.data)).toBe(expected.data);
      if (read.form !== "int4" || !("scales" in expected)) continue;
      expect(sha256(read.scales)).toBe(expected.scales);
      expect(read.zeros && sha256(read.zeros)).toBe(expected.zeros);
    }
  });

  it("reads the embedded models: every tensor of the config, in its shape", async () => {
    const root = new URL("../../public/models/", import.meta.url);
    const names = await readdir(root);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const config = JSON.parse(await readFile(new URL(`${name}/config.json`, root), "utf-8"));
      const bytes = new Uint8Array(await readFile(new URL(`${name}/${onnxPath}`, root)));
      const source = await openOnnx(bytes);
      const { hidden_size: hiddenSize, num_attention_heads: numHeads, intermediate_size: intermediateSize } = config;
      const { num_key_value_heads: numKeyValueHeads, num_hidden_layers: numLayers, vocab_size: vocabSize } = config;
      const headDim = hiddenSize / numHeads;
      expect(source.tensors.get("model.embed_tokens.weight")?.shape).toEqual([vocabSize, hiddenSize]);
      expect(source.tensors.get("lm_head.weight")?.shape).toEqual([vocabSize, hiddenSize]);
      expect(source.tensors.get("model.norm.weight")?.shape).toEqual([hiddenSize]);
      for (let layer = 0; layer < numLayers; layer++) {
        const shape = (module: string) => source.tensors.get(`model.layers.${layer}.${module}.weight`)?.shape;
        expect(shape("self_attn.q_proj")).toEqual([numHeads * headDim, hiddenSize]);
        expect(shape("self_attn.k_proj")).toEqual([numKeyValueHeads * headDim, hiddenSize]);
        expect(shape("self_attn.v_proj")).toEqual([numKeyValueHeads * headDim, hiddenSize]);
        expect(shape("self_attn.o_proj")).toEqual([hiddenSize, numHeads * headDim]);
        expect(shape("mlp.gate_proj")).toEqual([intermediateSize, hiddenSize]);
        expect(shape("mlp.down_proj")).toEqual([hiddenSize, intermediateSize]);
        expect(shape("input_layernorm")).toEqual([hiddenSize]);
      }
      for (const tensor of source.tensors.keys()) await source.read(tensor);
    }
  });
});

describe("names", () => {
  it.each([
    ["/model/layers.0/self_attn/q_proj/MatMul_Q4", "model.layers.0.self_attn.q_proj"],
    ["/model/layers.12/attn/o_proj/MatMulNBits", "model.layers.12.self_attn.o_proj"],
    ["/model/layers.3/mlp/down_proj/MatMul_Q4", "model.layers.3.mlp.down_proj"],
    ["/lm_head/MatMul_Q4", "lm_head"],
    ["MatMul_7", null],
    ["/MatMul", null],
    ["", null],
    ["//MatMul", null],
    ["/model/layers.0/attn/q_norm/SimplifiedLayerNormalization", "model.layers.0.self_attn.q_norm"],
    ["/model/layers.28/final_norm_layernorm/SkipLayerNorm", "model.norm"],
    ["/transformer/h.0/attn/c_attn/Gemm_MatMul_quant", "transformer.h.0.attn.c_attn"],
    ["/embed_out/MatMul", "embed_out"],
    ["/lm_head/MatMul/MatMulAddFusion", "lm_head"],
  ])("of the node %s", (node, module) => expect(moduleOfNode(node)).toBe(module));

  it.each([
    ["model.embed_tokens.weight", "model.embed_tokens.weight"],
    ["model.norm.weight", "model.norm.weight"],
    ["model.layers.2.final_norm_layernorm.weight", "model.norm.weight"],
    ["model.layers.1.attn.q_proj.Add.bias", "model.layers.1.self_attn.q_proj.bias"],
    ["model.layers.1.self_attn.q_proj.bias", "model.layers.1.self_attn.q_proj.bias"],
    ["model.layers.1.mlp.up_proj.MatMul.weight", "model.layers.1.mlp.up_proj.weight"],
    ["model.layers.0.attn.k_norm.layernorm.weight", "model.layers.0.self_attn.k_norm.weight"],
    ["transformer.h.3.attn.c_attn.weight", "transformer.h.3.attn.c_attn.weight"],
    ["model.layers.0.self_attn.q_proj.MatMul.weight_scales", null],
    ["model.rotary_emb.inv_freq", null],
    ["/const/f32/1.0", null],
  ])("of the initializer %s", (name, tensor) => expect(tensorOfInitializer(name)).toBe(tensor));

  it.each([
    ["model.layers.0.attn.q_proj.MatMul.weight_Q4", "model.layers.0.self_attn.q_proj"],
    ["transformer.h.0.attn.c_attn.weight_quantized", "transformer.h.0.attn.c_attn"],
    ["onnx::MatMul_700_Q4", null],
  ])("of the quantized initializer %s", (name, module) => expect(moduleOfQuantized(name)).toBe(module));
});

describe("float initializers", () => {
  const norm = (name: string): TensorInit => rawTensor(name, 1, [2], Float32Array.from([1, 2]));

  it("are read from raw data, float data and external files", async () => {
    const external: TensorInit = {
      name: "model.layers.0.input_layernorm.weight",
      dataType: 1,
      dims: [2n],
      dataLocation: 1,
      externalData: [
        { key: "location", value: "model_q4.onnx_data" },
        { key: "offset", value: "4" },
        { key: "length", value: "8" },
      ],
    };
    const floats: TensorInit = { name: "lm_head.bias", dataType: 1, dims: [2n], floatData: [3, 4] };
    const data = new Uint8Array(Float32Array.from([0, 5, 6]).buffer);
    const folder = folderOf({
      [onnxPath]: onnxFile([], [norm("model.norm.weight"), floats, external]),
      [`${onnxPath}_data`]: data,
    });
    expect(format.match(folder.paths)).toEqual([onnxPath, `${onnxPath}_data`]);
    const source = await format.open(folder, format.match(folder.paths), []);
    const values = async (name: string) => Array.from(new Float32Array((await source.read(name)).data.buffer));
    expect(await values("model.norm.weight")).toEqual([1, 2]);
    expect(await values("lm_head.bias")).toEqual([3, 4]);
    expect(await values("model.layers.0.input_layernorm.weight")).toEqual([5, 6]);
  });

  it("on the right of a product are turned, unless the product or the graph does that", async () => {
    const numbers = Float32Array.from({ length: 6 }, (_, i) => i);
    const weight = rawTensor("lm_head.weight", 1, [2, 3], numbers);
    const read = async (...nodes: NodeInit[]) => {
      const source = await openOnnx(onnxFile(nodes, [weight]));
      const { shape, data } = await source.read("lm_head.weight");
      return { shape, values: Array.from(new Float32Array(data.buffer)) };
    };
    const turned = { shape: [3, 2], values: [0, 3, 1, 4, 2, 5] };
    const asStored = { shape: [2, 3], values: [0, 1, 2, 3, 4, 5] };
    const product = (opType: string, ...attribute: ReturnType<typeof int>[]): NodeInit => ({
      ...{ name: "m", opType, input: ["x", "lm_head.weight"], attribute },
    });
    expect(await read(product("MatMul"))).toEqual(turned);
    expect(await read(product("Gemm"))).toEqual(turned);
    expect(await read({ ...product("MatMul"), name: "/somewhere/else/MatMul" })).toEqual(turned);
    expect(await read(product("Gemm", int("transB", 1)))).toEqual(asStored);
    const transpose: NodeInit = { name: "t", opType: "Transpose", input: ["lm_head.weight"], output: ["w"] };
    expect(await read(transpose, { name: "m", opType: "MatMul", input: ["x", "w"] })).toEqual(asStored);
    expect(await read()).toEqual(asStored);
  });

  it("are turned in pieces of any size", async () => {
    const [height, across] = [300, 5000];
    const numbers = Float32Array.from({ length: height * across }, (_, i) => i);
    const weight = rawTensor("lm_head.weight", 1, [height, across], numbers);
    const source = await openOnnx(
      onnxFile([{ name: "m", opType: "MatMul", input: ["x", "lm_head.weight"] }], [weight]),
    );
    for (const [first, count] of [
      [0, 1],
      [1, 33],
      [34, 1500],
      [4990, 10],
      [0, 5000],
    ] as const) {
      const { shape, data } = await source.read("lm_head.weight", { first, count });
      expect(shape).toEqual([count, height]);
      const values = new Float32Array(data.buffer, data.byteOffset, data.length / 4);
      expect(values.every((value, k) => value === (k % height) * across + first + Math.floor(k / height))).toBe(true);
    }
  });
});

describe("real files", () => {
  const root = new URL("../../../shared/data/models/onnx-tiny-random/", import.meta.url);
  const present = existsSync(root);
  const missing = present ? "" : " (NOT TESTED: ../shared/data/models/onnx-tiny-random is missing)";
  if (missing) console.warn(`ONNX files of other tools${missing}`);

  // Node and initializer counts as the onnx package gives them, and how many weights have a name.
  it.skipIf(!present).each([
    ["tiny-qwen35-cuda/decoder.onnx", 29, 27, 1],
    ["tiny-random-gpt2-fp16-cuda/past.onnx", 37, 27, 27],
    ["tiny-random-gpt2-fp32/past.onnx", 39, 27, 27],
    ["tiny-random-lfm2-fp32/decoder.onnx", 16, 6, 0],
  ])(`%s${missing}`, async (path, nodes, initializers, named) => {
    const bytes = await readFile(new URL(path, root));
    const graph = await readGraph(new Blob([new Uint8Array(bytes)]), path);
    expect(graph.nodes.length).toBe(nodes);
    expect(graph.initializers.size).toBe(initializers);
    expect((await openOnnx(new Uint8Array(bytes))).tensors.size).toBe(named);
  });

  it.skipIf(!present).each([
    ["tiny-random-gpt2-fp32/past.onnx", "f32", Uint32Array],
    ["tiny-random-gpt2-fp16-cuda/past.onnx", "f16", Uint16Array],
  ] as const)("%s: the matrices of GPT-2, turned", async (path, form, Words) => {
    const bytes = await readFile(new URL(path, root));
    const source = await openOnnx(new Uint8Array(bytes));
    const stored = fromBinary(ModelProtoSchema, new Uint8Array(bytes)).graph?.initializer ?? [];
    const words = (data: Uint8Array) => Array.from(new Words(data.slice().buffer));
    let compared = 0;
    for (const { name, dims, rawData } of stored) {
      const info = source.tensors.get(name);
      if (!info || dims.length !== 2) continue;
      const [height = 0, across = 0] = dims.map(Number);
      const table = /wte|wpe/.test(name);
      const given = words(rawData);
      const turned = given.map((_, k) => given[(k % height) * across + Math.floor(k / height)]);
      expect({ name, form: info.form, shape: info.shape }).toEqual({
        ...{ name, form },
        shape: table ? [height, across] : [across, height],
      });
      expect(words((await source.read(name)).data)).toEqual(table ? given : turned);
      compared++;
    }
    expect(compared).toBe(22);
  });
});
