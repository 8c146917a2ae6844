/** ONNX: quantized blocks bit for bit, names, float tensors and external data, real files. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/model/config";
import { format } from "../../src/model/weights/onnx";
import { readGraph } from "../../src/model/weights/onnx-file";
import { moduleOfNode, tensorOfInitializer } from "../../src/model/weights/onnx-names";
import { openWeights } from "../../src/model/weights/registry";
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
      const config = parseConfig(JSON.parse(await readFile(new URL(`${name}/config.json`, root), "utf-8")), ["llama"]);
      const folder = folderOf({ [onnxPath]: new Uint8Array(await readFile(new URL(`${name}/${onnxPath}`, root))) });
      const source = await openWeights(folder);
      const { hiddenSize, headDim, numHeads, numKeyValueHeads, intermediateSize, numLayers, vocabSize } = config;
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
  ])("of the node %s", (node, module) => expect(moduleOfNode(node)).toBe(module));

  it.each([
    ["model.embed_tokens.weight", "model.embed_tokens.weight"],
    ["model.norm.weight", "model.norm.weight"],
    ["model.layers.2.final_norm_layernorm.weight", "model.norm.weight"],
    ["model.layers.1.attn.q_proj.Add.bias", "model.layers.1.self_attn.q_proj.bias"],
    ["model.layers.1.self_attn.q_proj.bias", "model.layers.1.self_attn.q_proj.bias"],
    ["model.layers.1.mlp.up_proj.MatMul.weight", null],
    ["model.layers.0.self_attn.q_proj.MatMul.weight_scales", null],
    ["model.rotary_emb.inv_freq", null],
    ["/const/f32/1.0", null],
  ])("of the initializer %s", (name, tensor) => expect(tensorOfInitializer(name, 2)).toBe(tensor));
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
    const source = await format.open(folder, format.match(folder.paths));
    const values = async (name: string) => Array.from(new Float32Array((await source.read(name)).data.buffer));
    expect(await values("model.norm.weight")).toEqual([1, 2]);
    expect(await values("lm_head.bias")).toEqual([3, 4]);
    expect(await values("model.layers.0.input_layernorm.weight")).toEqual([5, 6]);
  });

  it("on the right of a plain product are left out, since they lie transposed", async () => {
    const weight = rawTensor("lm_head.weight", 1, [2, 2], new Float32Array(4));
    const plain = await openOnnx(onnxFile([{ name: "m", opType: "MatMul", input: ["x", "lm_head.weight"] }], [weight]));
    expect(plain.tensors.has("lm_head.weight")).toBe(false);
    const gemm: NodeInit = { name: "m", opType: "Gemm", input: ["x", "lm_head.weight"], attribute: [int("transB", 1)] };
    expect((await openOnnx(onnxFile([gemm], [weight]))).tensors.has("lm_head.weight")).toBe(true);
  });
});

describe("real files of other networks", () => {
  const root = new URL("../../../shared/data/models/onnx-tiny-random/", import.meta.url);

  // Node and initializer counts as the onnx package gives them.
  it.each([
    ["tiny-qwen35-cuda/decoder.onnx", 29, 27],
    ["tiny-random-gpt2-fp16-cuda/past.onnx", 37, 27],
    ["tiny-random-gpt2-fp32/past.onnx", 39, 27],
    ["tiny-random-lfm2-fp32/decoder.onnx", 16, 6],
  ])("%s", async (path, nodes, initializers) => {
    const bytes = await readFile(new URL(path, root)).catch(() => null);
    if (bytes === null) {
      console.warn(`NOT TESTED: ${path} is not in ${root.pathname}.`);
      return;
    }
    const graph = await readGraph(new Blob([new Uint8Array(bytes)]), path);
    expect(graph.nodes.length).toBe(nodes);
    expect(graph.initializers.size).toBe(initializers);
    expect((await openOnnx(new Uint8Array(bytes))).tensors.size).toBe(0);
  });
});
