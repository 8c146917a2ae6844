/** Every architecture in GGUF: what llama.cpp takes for granted, how positions are scaled, and what becomes of Gemma's norms. */
import { describe, expect, it } from "vitest";
import { ggufFolder } from "../../src/model/gguf-folder";
import { format } from "../../src/model/weights/gguf";
import {
  f32Bytes,
  type GgufKeys,
  type GgufTensorParts,
  ggufFile,
  ggufFiles,
  halves,
  metadataOf,
} from "../support/gguf";

const embedding = halves("token_embd.weight", 4, 16);
const layerNorm: GgufKeys = [["gpt2.attention.layer_norm_epsilon", ["f32", 1e-5]]];
const neoxNorm: GgufKeys = [["gptneox.attention.layer_norm_epsilon", ["f32", 1e-5]]];

async function configOf(metadata: GgufKeys, tensors: readonly GgufTensorParts[] = [embedding]) {
  const blob = new Blob([ggufFile({ metadata, tensors })]);
  const folder = await ggufFolder([{ path: "model.gguf", blob }]);
  return JSON.parse((await (await folder?.open("config.json"))?.text()) ?? "{}");
}

describe("what llama.cpp takes for granted", () => {
  it("gives Gemma 3 five layers with a window to each without, by the number of layers the scale of attention", async () => {
    const gemma = (layers: number, ...more: GgufKeys) =>
      configOf(
        metadataOf("gemma3", [
          ["gemma3.block_count", ["u32", layers]],
          ["gemma3.attention.sliding_window", ["u32", 32]],
          ...more,
        ]),
      );
    const config = await gemma(7);
    expect(config.layer_types.map((type: string) => type[0]).join("")).toBe("sssssfs");
    expect(config).toMatchObject({
      model_type: "gemma3_text",
      hidden_activation: "gelu_pytorch_tanh",
      sliding_window: 32,
      query_pre_attn_scalar: 8,
      rope_parameters: {
        full_attention: { rope_type: "default", rope_theta: 10000 },
        sliding_attention: { rope_type: "default", rope_theta: 10000 },
      },
    });
    // The one of 62 layers: heads · size of a head is not the width.
    const key: GgufKeys = [
      ["gemma3.attention.key_length", ["u32", 12]],
      ["gemma3.rope.dimension_count", ["u32", 12]],
    ];
    expect((await gemma(61, ...key)).query_pre_attn_scalar).toBe(12);
    expect((await gemma(62, ...key)).query_pre_attn_scalar).toBe(8);
    const scaled = await gemma(
      3,
      ["gemma3.attention.sliding_window_pattern", ["u32", 2]],
      ["gemma3.rope.scaling.type", ["text", "linear"]],
      ["gemma3.rope.scaling.factor", ["f32", 8]],
      ["gemma3.rope.freq_base", ["f32", 1e6]],
    );
    expect(scaled.layer_types.map((type: string) => type[0]).join("")).toBe("sfs");
    expect(scaled.rope_parameters.full_attention).toEqual({ rope_type: "linear", factor: 8, rope_theta: 1e6 });
    expect(scaled.rope_parameters.sliding_attention).toEqual({ rope_type: "default", rope_theta: 10000 });
    const whole = await configOf(metadataOf("gemma3"));
    expect(whole.layer_types).toEqual(["full_attention"]);
  });

  it("takes a Llama with a window for a Mistral", async () => {
    expect(await configOf(metadataOf("llama", [["llama.attention.sliding_window", ["u32", 32]]]))).toMatchObject({
      model_type: "mistral",
      sliding_window: 32,
    });
    expect((await configOf(metadataOf("llama", [["llama.attention.sliding_window", ["u32", 64]]]))).model_type).toBe(
      "llama",
    );
  });

  it("takes the sizes of the embedding, and norms and inner width of GPT-2 and GPT-NeoX", async () => {
    const gpt2 = metadataOf("gpt2", layerNorm).filter(([key]) => !/head_count_kv|rope/.test(key));
    expect(await configOf(gpt2, [halves("token_embd.weight", 6, 16)])).toMatchObject({
      model_type: "gpt2",
      n_embd: 16,
      n_inner: 24,
      n_positions: 64,
      vocab_size: 6,
      layer_norm_epsilon: 1e-5,
      tie_word_embeddings: true,
    });
    const neox = metadataOf("gptneox", [...neoxNorm, ["gptneox.rope.dimension_count", ["u32", 2]]]);
    const heads = neox.filter(([key]) => !key.includes("head_count_kv"));
    expect(await configOf([...heads, ["gptneox.use_parallel_residual", ["bool", 0]]])).toMatchObject({
      model_type: "gpt_neox",
      rotary_pct: 0.25,
      rotary_emb_base: 10000,
      use_parallel_residual: false,
      attention_bias: false,
    });
  });
});

describe("scaled positions", () => {
  const scaling = (id: string, more: GgufKeys, tensors: readonly GgufTensorParts[] = []) =>
    configOf(metadataOf(id, more), [embedding, ...tensors]);

  it("by a factor, by YaRN, by Llama 3's tensor of factors", async () => {
    expect((await scaling("llama", [["llama.rope.scale_linear", ["f32", 2]]])).rope_scaling).toEqual({
      rope_type: "linear",
      factor: 2,
    });
    const yarn: GgufKeys = [
      ["qwen2.rope.scaling.type", ["text", "yarn"]],
      ["qwen2.rope.scaling.factor", ["f32", 4]],
      ["qwen2.rope.scaling.original_context_length", ["u32", 16]],
      ["qwen2.rope.scaling.yarn_attn_factor", ["f32", 1.25]],
      ["qwen2.rope.scaling.yarn_beta_slow", ["f32", 0.1]],
    ];
    expect((await scaling("qwen2", yarn)).rope_scaling).toEqual({
      rope_type: "yarn",
      factor: 4,
      original_max_position_embeddings: 16,
      attention_factor: 1.25,
      beta_slow: 0.1,
    });
    const freqs = { ...halves("rope_freqs.weight", 4), data: f32Bytes([1, 1, 2.5, 8]) };
    expect((await scaling("llama", [], [freqs])).rope_scaling).toEqual({
      rope_type: "factors",
      factors: [1, 1, 2.5, 8],
    });
  });

  it("by LongRoPE, with the factor of attention where it is not the usual one", async () => {
    const tables = [
      { ...halves("rope_factors_long.weight", 3), data: f32Bytes([1, 2, 4]) },
      { ...halves("rope_factors_short.weight", 3), data: f32Bytes([1, 1, 1.5]) },
    ];
    const keys = (attention: number): GgufKeys => [
      ["phi3.rope.dimension_count", ["u32", 6]],
      ["phi3.rope.scaling.original_context_length", ["u32", 16]],
      ["phi3.rope.scaling.attn_factor", ["f32", attention]],
      ["phi3.attention.sliding_window", ["u32", 0]],
    ];
    const usual = Math.sqrt(1 + Math.log(4) / Math.log(16));
    const config = await scaling("phi3", keys(usual), tables);
    expect(config).toMatchObject({
      original_max_position_embeddings: 16,
      partial_rotary_factor: 0.75,
      sliding_window: null,
      rope_scaling: { rope_type: "longrope", short_factor: [1, 1, 1.5], long_factor: [1, 2, 4] },
    });
    expect(config.rope_scaling).not.toHaveProperty("attention_factor");
    expect((await scaling("phi3", keys(1.5), tables)).rope_scaling.attention_factor).toBe(1.5);
  });
});

describe("norms of Gemma", () => {
  it("lose the one that the file has added, in whatever type they are", async () => {
    const tensors = [
      { ...halves("output_norm.weight", 2), data: f32Bytes([1.25, -3]) },
      { ...halves("blk.0.attn_norm.weight", 2), type: 1, data: new Uint8Array([0x00, 0x3c, 0x00, 0x40]) },
    ];
    const source = await format.open(
      ggufFiles(ggufFile({ metadata: metadataOf("gemma3"), tensors })),
      ["model.gguf"],
      [],
    );
    const values = async (name: string) => {
      const { form, data } = await source.read(name);
      expect([form, source.tensors.get(name)?.form]).toEqual(["f32", "f32"]);
      return [...new Float32Array(data.buffer)];
    };
    expect(await values("model.norm.weight")).toEqual([0.25, -4]);
    expect(await values("model.layers.0.input_layernorm.weight")).toEqual([0, 1]);
    expect(source.held).toEqual(["norm weights as w where the file has 1 + w"]);
  });
});
