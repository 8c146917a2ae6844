/** GGUF: values bit for bit as the Python package gguf decodes them, names, order of rows, config (tests/golden/gguf_files.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { filesFolder } from "../../src/model/folder";
import { ggufFolder } from "../../src/model/gguf-folder";
import { loadTokenizer } from "../../src/model/tokenizer";
import { format } from "../../src/model/weights/gguf";
import { openWeights } from "../../src/model/weights/registry";
import type { WeightSource } from "../../src/model/weights/types";
import { f32Bytes, type GgufTensorParts, ggufFile, ggufFiles, llamaMetadata, valuesOf, withKey } from "../support/gguf";

interface GoldenType {
  readonly id: number;
  readonly shape: readonly number[];
  /** base64 */
  readonly raw: string;
  readonly values: string;
}

const golden = new URL("../golden/", import.meta.url);
const types: Readonly<Record<string, GoldenType>> = JSON.parse(
  readFileSync(new URL("gguf-blocks.json", golden), "utf8"),
).types;
const reference: { readonly text: string; readonly textIds: readonly number[] } = JSON.parse(
  readFileSync(new URL("gguf/reference.json", golden), "utf8"),
);
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));
const bitsOf = (values: Float32Array<ArrayBuffer>) => [
  ...new Uint32Array(values.buffer, values.byteOffset, values.length),
];

const open = (tensors: readonly GgufTensorParts[], metadata = llamaMetadata): Promise<WeightSource> => {
  const files = ggufFiles(ggufFile({ metadata, tensors }));
  return format.open(files, format.match(files.paths), []);
};

/** A file that counts the bytes of each slice that is read of it. */
function watch(blob: Blob): { readonly watched: Blob; readonly slices: readonly number[] } {
  const slices: number[] = [];
  const watched = new Proxy(blob, {
    get(target, key) {
      if (key !== "slice") return Reflect.get(target, key);
      return (start: number, end: number) => {
        slices.push(end - start);
        return target.slice(start, end);
      };
    },
  });
  return { watched, slices };
}

describe("tensor types", () => {
  it.each(Object.entries(types))("%s has the reference decoder's values, bit for bit", async (name, expected) => {
    const { id, shape, raw, values } = expected;
    const source = await open([{ name: "output.weight", type: id, shape, data: bytesOf(raw) }]);
    const weight = await source.read("lm_head.weight");
    expect(weight.shape).toEqual(shape);
    expect(source.tensors.get("lm_head.weight")).toMatchObject({
      form: weight.form,
      shape,
      bytes: bytesOf(raw).length,
    });
    expect(bitsOf(valuesOf(weight))).toEqual(bitsOf(new Float32Array(bytesOf(values).buffer)));
    expect(source.held?.join("") ?? "").toContain(/^(F|BF)/.test(name) ? "" : `${name} as int`);
  });

  it("are held in the forms that keep them small", async () => {
    const forms = await Promise.all(
      Object.entries(types).map(async ([name, { id, shape, raw }]) => {
        const source = await open([{ name: "output.weight", type: id, shape, data: bytesOf(raw) }]);
        return source.held?.[0] ?? `${name} as ${source.tensors.get("lm_head.weight")?.form}`;
      }),
    );
    expect(forms).toEqual([
      "F32 as f32",
      "F16 as f16",
      "BF16 as bf16",
      "Q4_0 as int4 by 32",
      "Q4_1 as int4 by 32 with offsets",
      "Q5_0 as int8 by 32",
      "Q5_1 as int8 by 32 with offsets",
      "Q8_0 as int8 by 32",
      "Q4_K as int4 by 32 with offsets",
      "Q5_K as int8 by 32 with offsets",
      "Q6_K as int8 by 16",
    ]);
  });
});

describe("tensors", () => {
  it("have Hugging Face names, and q and k the order of rows that transformers has", async () => {
    // Row r of the file holds r; a head has 8 rows, of which llama.cpp keeps 0, 4, 1, 5, 2, 6, 3, 7.
    const rows = (count: number) => f32Bytes(Array.from({ length: count * 16 }, (_, i) => Math.floor(i / 16)));
    const source = await open([
      { name: "blk.0.attn_q.weight", type: 0, shape: [16, 16], data: rows(16) },
      { name: "blk.0.attn_q.bias", type: 0, shape: [16], data: f32Bytes(Array.from({ length: 16 }, (_, i) => i)) },
      { name: "blk.0.attn_k.weight", type: 0, shape: [8, 16], data: rows(8) },
      { name: "blk.0.attn_v.weight", type: 0, shape: [8, 16], data: rows(8) },
      { name: "blk.0.ffn_norm.weight", type: 0, shape: [16], data: rows(1) },
      { name: "rope_freqs.weight", type: 0, shape: [4], data: f32Bytes([1, 1, 1, 1]) },
    ]);
    expect([...source.tensors.keys()]).toEqual([
      "model.layers.0.self_attn.q_proj.weight",
      "model.layers.0.self_attn.q_proj.bias",
      "model.layers.0.self_attn.k_proj.weight",
      "model.layers.0.self_attn.v_proj.weight",
      "model.layers.0.post_attention_layernorm.weight",
    ]);
    const firsts = async (name: string, width: number) => {
      const values = valuesOf(await source.read(`model.layers.0.self_attn.${name}`));
      return [...values].filter((_, i) => i % width === 0);
    };
    const head = [0, 2, 4, 6, 1, 3, 5, 7];
    const both = [...head, ...head.map((row) => row + 8)];
    expect(await firsts("q_proj.weight", 16)).toEqual(both);
    expect(await firsts("q_proj.bias", 1)).toEqual(both);
    expect(await firsts("k_proj.weight", 16)).toEqual(head);
    expect(await firsts("v_proj.weight", 16)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await expect(source.read("lm_head.weight")).rejects.toThrow(
      'model.gguf has no tensor for "lm_head.weight"; it holds another model or only part of one.',
    );
  });

  it("are read in pieces of 4 MiB and come out whole", async () => {
    const { id, raw } = types["Q8_0"] ?? { id: 8, raw: "" };
    const row = bytesOf(raw);
    const [perRow, rows] = [16, 6000];
    const data = new Uint8Array(rows * perRow * 68);
    for (let at = 0; at < data.length; at += 68) data.set(row.subarray(0, 68), at);
    // Every row begins with its own number.
    for (let r = 0; r < rows; r++) new DataView(data.buffer).setUint16(r * perRow * 68 + 2, r, true);
    const columns = perRow * 64;
    const blob = new Blob([
      ggufFile({
        metadata: llamaMetadata,
        tensors: [{ name: "output.weight", type: id, shape: [rows, columns], data: new Uint8Array() }],
      }),
      data,
    ]);
    const { watched, slices } = watch(blob);
    const source = await format.open(ggufFiles(watched), ["model.gguf"], []);
    const weight = await source.read("lm_head.weight");
    const found = new DataView(weight.data.buffer);
    for (let r = 0; r < rows; r++) expect(found.getUint16(r * columns, true)).toBe(r);
    expect(Math.max(...slices)).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(slices.length).toBeGreaterThan(2);
  });

  it("that lie far apart in the file are read in small pieces too, and any rows can be had", async () => {
    // Every row begins with its place in the file; transformers has q, k and v of one head after another.
    const [heads, headDim, columns] = [4, 64, 8192];
    const rows = 3 * heads * headDim;
    const data = new Uint8Array(rows * columns * 2);
    for (let r = 0; r < rows; r++) new DataView(data.buffer).setUint16(r * columns * 2, r, true);
    const metadata = [
      ["general.architecture", ["text", "gptneox"]],
      ["gptneox.embedding_length", ["u32", heads * headDim]],
      ["gptneox.attention.head_count", ["u32", heads]],
    ] as const;
    const tensor = { name: "blk.0.attn_qkv.weight", type: 1, shape: [rows, columns], data: new Uint8Array() };
    const { watched, slices } = watch(new Blob([ggufFile({ metadata, tensors: [tensor] }), data]));
    const source = await format.open(ggufFiles(watched), ["model.gguf"], []);
    const name = "gpt_neox.layers.0.attention.query_key_value.weight";
    expect(source.tensors.get(name)?.rowStep).toBe(headDim);
    const expected = (row: number) => {
      const [head, part, within] = [Math.floor(row / 192), Math.floor(row / 64) % 3, row % 64];
      return part * heads * headDim + head * headDim + within;
    };
    for (const [first, count] of [
      [0, rows],
      [100, 200],
      [767, 1],
    ] as const) {
      const piece = await source.read(name, { first, count });
      const view = new DataView(piece.data.buffer);
      for (let r = 0; r < count; r++) expect(view.getUint16(r * columns * 2, true)).toBe(expected(first + r));
    }
    expect(Math.max(...slices.slice(1))).toBeLessThanOrEqual(8 * 1024 * 1024);
    await expect(source.read(name, { first: 700, count: 69 })).rejects.toThrow(
      'tensor "blk.0.attn_qkv.weight" has 768 rows, but 69 from row 700 on were asked for',
    );
  });
});

describe("a GGUF file as a model folder", () => {
  const blob = (name: string) => new Blob([new Uint8Array(readFileSync(new URL(`gguf/${name}`, golden)))]);

  it("has the config, tokenizer and template that its metadata say", async () => {
    const folder = await ggufFolder([
      { path: "some/README.md", blob: new Blob(["a model"]) },
      { path: "some/tiny.Q4_1.gguf", blob: blob("q4_1.gguf") },
    ]);
    if (!folder) throw new Error("no folder");
    expect(folder.name).toBe("tiny.Q4_1");
    expect(folder.paths).toEqual(["config.json", "tokenizer.json", "tokenizer_config.json", "tiny.Q4_1.gguf"]);
    const config = JSON.parse(await (await folder.open("config.json")).text());
    expect(config).toEqual({
      model_type: "llama",
      hidden_act: "silu",
      vocab_size: 128,
      hidden_size: 64,
      intermediate_size: 96,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      head_dim: 16,
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      max_position_embeddings: 256,
      tie_word_embeddings: true,
      attention_bias: false,
      mlp_bias: false,
      bos_token_id: 1,
      eos_token_id: [2],
    });
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.encode(reference.text)).toEqual(reference.textIds);
    expect(tokenizer.decode(reference.textIds)).toBe(reference.text);
    expect(tokenizer.renderChat([{ role: "user", content: "hi" }], { addGenerationPrompt: true })).toBe(
      "user: hi</s>\nassistant: ",
    );
    const weights = await openWeights(folder, []);
    expect([weights.format, weights.held]).toEqual(["gguf", ["Q4_1 as int4 by 32 with offsets"]]);
  });

  it("is not asked for where there is a config.json, and is one file", async () => {
    const gguf = { path: "a.gguf", blob: blob("spm.gguf") };
    expect(await ggufFolder([gguf, { path: "config.json", blob: new Blob() }])).toBeNull();
    expect(await ggufFolder([{ path: "weights.bin", blob: new Blob() }])).toBeNull();
    await expect(ggufFolder([gguf, { ...gguf, path: "b.gguf" }])).rejects.toThrow(
      "There are 2 GGUF files (a.gguf, b.gguf); give one of them.",
    );
    const folder = filesFolder(
      "m",
      ["config.json", "tokenizer.json", "b.gguf", "a.gguf"].map((path) => ({ path, blob: new Blob(["{}"]) })),
    );
    await expect(openWeights(folder, [])).rejects.toThrow("m holds 2 GGUF files (b.gguf, a.gguf); give one of them.");
  });

  it("keeps float32 numbers as the decimals they were, and takes what the metadata leave out", async () => {
    const metadata = [
      ...withKey("llama.attention.head_count_kv", null).filter(([key]) => key !== "llama.rope.dimension_count"),
      ["llama.rope.freq_base", ["f32", 999999.4375]],
      ["llama.rope.scaling.type", ["text", "linear"]],
      ["llama.rope.scaling.factor", ["f32", 1]],
      ["tokenizer.ggml.eot_token_id", ["u32", 1]],
      ["tokenizer.ggml.bos_token_id", ["u32", 2 ** 32 - 1]],
    ] as const;
    const tensors = [{ name: "output.weight", type: 0, shape: [4, 16], data: f32Bytes(Array(64).fill(1)) }];
    const folder = await ggufFolder([{ path: "m.gguf", blob: new Blob([ggufFile({ metadata, tensors })]) }]);
    const config = JSON.parse((await (await folder?.open("config.json"))?.text()) ?? "");
    expect(config).toMatchObject({
      num_key_value_heads: 2,
      head_dim: 8,
      rope_theta: 999999.4375,
      rms_norm_eps: 1e-5,
      vocab_size: 4,
      tie_word_embeddings: false,
      bos_token_id: null,
      eos_token_id: [0, 1],
    });
  });
});
