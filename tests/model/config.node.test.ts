/** config.json of every architecture: what is read, what is missing or unsupported, and the stop tokens. */
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { architectures } from "../../src/model/architectures/index";
import { parseBlueprint, readBlueprint } from "../../src/model/blueprint";
import { filesFolder } from "../../src/model/folder";

const blob = (text: string) => new Blob([text]);
const configOf = (json: unknown) => parseBlueprint(json).config;

const valid = {
  model_type: "llama",
  vocab_size: 2048,
  hidden_size: 192,
  intermediate_size: 512,
  num_hidden_layers: 4,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  max_position_embeddings: 512,
  tie_word_embeddings: true,
  hidden_act: "silu",
  bos_token_id: null,
  eos_token_id: 2,
};

describe("parseBlueprint", () => {
  it("reads a Llama config", () => {
    const { rotaries, ...config } = configOf(valid);
    expect(config).toEqual({
      modelType: "llama",
      vocabSize: 2048,
      hiddenSize: 192,
      numLayers: 4,
      numHeads: 6,
      numKeyValueHeads: 2,
      headDim: 32,
      maxPositions: 512,
      tieWordEmbeddings: true,
      bosTokenId: null,
      eosTokenIds: [2],
    });
    expect(rotaries).toHaveLength(1);
  });

  it.each([
    [{ rope_theta: undefined, rope_parameters: { rope_theta: 5e5, rope_type: "default" } }, 5e5],
    [{ rope_theta: 1e6, rope_scaling: null }, 1e6],
    [{ rope_theta: undefined }, 1e4],
    [{ rope_scaling: { type: "default" } }, 1e4],
  ])("takes the rotary base from %j", (patch, theta) => {
    const [, second = Number.NaN] = configOf({ ...valid, ...patch }).rotaries[0]?.inverseFrequencies ?? [];
    expect(second).toBeCloseTo(theta ** (-2 / 32), 7);
  });

  it.each([
    [{ model_type: "mamba" }, 'config.json: model_type is "mamba"; it must be one of the supported '],
    [{ model_type: undefined }, "config.json: model_type is missing; it must be a text."],
    [{ vocab_size: undefined }, "config.json: vocab_size is missing; it must be a whole number from 1 to 4194304."],
    [{ vocab_size: 1e15 }, "config.json: vocab_size is 1000000000000000; it must be a whole number from 1 to 4194304."],
    [{ hidden_size: "192" }, 'config.json: hidden_size is "192"; it must be a whole number from 4 to 65536.'],
    [{ hidden_size: -1 }, "config.json: hidden_size is -1;"],
    [{ num_hidden_layers: 2 ** 53 }, "config.json: num_hidden_layers is 9007199254740992;"],
    [{ num_hidden_layers: 1.5 }, "config.json: num_hidden_layers is 1.5;"],
    [
      { num_attention_heads: 7 },
      "config.json: head_dim is missing and would be 27.428571428571427; it must be a whole number, write it into the file.",
    ],
    [
      { num_key_value_heads: 4 },
      "config.json: num_key_value_heads is 4; it must be a divisor of num_attention_heads, 6.",
    ],
    [{ head_dim: 33 }, "config.json: head_dim is 33; it must be a multiple of 4, at most 256, pick another model."],
    [{ head_dim: 34 }, "config.json: head_dim is 34; it must be a multiple of 4, at most 256, pick another model."],
    [{ head_dim: 260 }, "config.json: head_dim is 260; it must be a multiple of 4, at most 256, pick another model."],
    [
      { hidden_size: 36 },
      "config.json: head_dim is missing and would be 6; it must be a multiple of 4, at most 256, pick another model.",
    ],
    [{ rms_norm_eps: 0 }, "config.json: rms_norm_eps is 0; it must be a number from 1e-12 to 1."],
    [{ hidden_act: "gelu" }, 'config.json: hidden_act is "gelu"; it must be silu; others are not supported.'],
    [{ tie_word_embeddings: "yes" }, 'config.json: tie_word_embeddings is "yes"; it must be true or false.'],
    [
      { rope_scaling: { rope_type: "llama3", factor: 8 } },
      "config.json: rope_scaling: low_freq_factor is missing; it must be a number from 0.000001 to 1000000.",
    ],
    [{ rope_parameters: { rope_type: "linear" } }, "config.json: rope_parameters: factor is missing;"],
    [
      { rope_parameters: { rope_type: "proportional" } },
      'config.json: rope_parameters: rope_type is "proportional"; it must be one of the supported default, none, linear,',
    ],
    [{ rope_scaling: { type: "__proto__" } }, 'config.json: rope_scaling: type is "__proto__"; it must be one of'],
    [
      { rope_scaling: { type: "longrope", short_factor: [1, 2] } },
      "config.json: rope_scaling: short_factor is [1,2]; it must be a list of 16 numbers.",
    ],
    [{ rope_scaling: 5 }, "config.json: rope_scaling must be a JSON object, not 5; use the file of the model."],
    [{ eos_token_id: ["x"] }, 'config.json: eos_token_id is ["x"]; it must be a token id or a list of token ids.'],
    [
      { partial_rotary_factor: 0.01 },
      "config.json: the rotary embedding would turn 0 of a head's 32 columns; it must be an even number from 2 on, pick another model.",
    ],
  ])("refuses %j", (patch, message) => {
    expect(() => configOf({ ...valid, ...patch })).toThrow(message);
  });

  it.each([4, 80, 256])("takes heads of %i", (headDim) => {
    expect(configOf({ ...valid, head_dim: headDim }).headDim).toBe(headDim);
  });

  it("refuses what is no object", () => {
    expect(() => configOf([1])).toThrow("config.json must be a JSON object, not [1]; use the file of the model.");
  });
});

describe("readBlueprint", () => {
  const withFiles = (config: string, generation?: string) =>
    filesFolder("m", [
      { path: "config.json", blob: blob(config) },
      { path: "tokenizer.json", blob: blob("{}") },
      ...(generation === undefined ? [] : [{ path: "generation_config.json", blob: blob(generation) }]),
    ]);

  it("adds the stop tokens of generation_config.json", async () => {
    const folder = withFiles(JSON.stringify(valid), '{"eos_token_id": [2, 0]}');
    expect((await readBlueprint(folder)).config.eosTokenIds).toEqual([2, 0]);
  });

  it("names the broken file", async () => {
    await expect(readBlueprint(withFiles("{"))).rejects.toThrow("config.json of m is not valid JSON (");
    await expect(readBlueprint(withFiles(JSON.stringify(valid), '{"eos_token_id": -1}'))).rejects.toThrow(
      "generation_config.json: eos_token_id is -1; it must be a token id or a list of token ids.",
    );
  });

  it("reads the embedded model", async () => {
    const root = new URL("../../public/models/", import.meta.url);
    const names = await readdir(root);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const text = await readFile(new URL(`${name}/config.json`, root), "utf-8");
      expect((await readBlueprint(withFiles(text))).config.modelType).toBe("llama");
    }
  });
});

/** What each architecture refuses beyond what all do: a field that asks for something not built must never be passed over. */
describe("what is not built", () => {
  const gpt2 = { model_type: "gpt2", vocab_size: 96, n_embd: 32, n_layer: 2, n_head: 4, n_positions: 64 };
  const gemma = { ...valid, model_type: "gemma3_text", hidden_act: undefined };
  const neox = { ...valid, model_type: "gpt_neox", hidden_act: "gelu" };
  it.each<readonly [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>, string]>([
    [gpt2, { activation_function: "relu" }, 'activation_function is "relu"; it must be gelu_new or gelu_pytorch_tanh;'],
    [gpt2, { scale_attn_weights: false }, "scale_attn_weights is false; it must be true;"],
    [gpt2, { scale_attn_by_inverse_layer_idx: true }, "scale_attn_by_inverse_layer_idx is true; it must be false;"],
    [gpt2, { add_cross_attention: true }, "add_cross_attention is true; it must be false;"],
    [gpt2, { n_embd: undefined }, "n_embd is missing;"],
    [gemma, { attn_logit_softcapping: 50 }, "attn_logit_softcapping is 50; it must be absent; it is not supported."],
    [gemma, { final_logit_softcapping: 30 }, "final_logit_softcapping is 30; it must be absent;"],
    [gemma, { use_bidirectional_attention: true }, "use_bidirectional_attention is true; it must be false;"],
    [gemma, { hidden_activation: "gelu" }, 'hidden_activation is "gelu"; it must be gelu_pytorch_tanh;'],
    [
      gemma,
      { layer_types: ["full_attention"] },
      'layer_types is ["full_attention"]; it must be a list of 4 texts, each',
    ],
    [gemma, { layer_types: Array(4).fill("chunked_attention") }, "each full_attention or sliding_attention."],
    [neox, { hidden_act: "relu" }, 'hidden_act is "relu"; it must be gelu;'],
    [neox, { rotary_pct: 2 }, "rotary_pct is 2; it must be a number from 0 to 1."],
    [{ ...valid, model_type: "mistral" }, { sliding_window: 0 }, "sliding_window is 0;"],
    [{ ...valid, model_type: "qwen2" }, { use_sliding_window: "no" }, 'use_sliding_window is "no";'],
  ])("%j with %j", (config, patch, message) => {
    expect(() => parseBlueprint({ ...config, ...patch })).toThrow(message);
  });

  it("keeps LongRoPE within the positions that were trained", () => {
    const rope_scaling = { type: "longrope", short_factor: Array(16).fill(1.5), long_factor: Array(16).fill(9) };
    const { maxPositions, rotaries } = configOf({
      ...valid,
      model_type: "phi3",
      max_position_embeddings: 131072,
      original_max_position_embeddings: 4096,
      rope_scaling,
    });
    expect(maxPositions).toBe(4096);
    expect(rotaries[0]?.factor).toBeCloseTo(Math.sqrt(1 + Math.log(32) / Math.log(4096)), 12);
  });

  /** transformers' class defaults, where a config leaves a field out, and its rules where two fields contradict. */
  it("reads what is left out as transformers does", () => {
    const without = (modelType: string, patch: Readonly<Record<string, unknown>> = {}) =>
      parseBlueprint(
        JSON.parse(JSON.stringify({ ...valid, model_type: modelType, num_key_value_heads: undefined, ...patch })),
      );
    expect(without("qwen3").config).toMatchObject({ headDim: 128, numKeyValueHeads: 6 });
    expect(without("gemma3_text", { hidden_act: undefined, num_attention_heads: 8 }).config).toMatchObject({
      headDim: 256,
      numKeyValueHeads: 4,
      tieWordEmbeddings: true,
    });
    expect(without("mistral", { num_attention_heads: 16, head_dim: 12 }).config.numKeyValueHeads).toBe(8);
    expect(without("mistral", { num_key_value_heads: null }).config.numKeyValueHeads).toBe(6);
  });

  it("takes Phi-3's old word for LongRoPE, and GPT-NeoX' own fields before the common ones", () => {
    const factors = { short_factor: Array(16).fill(1), long_factor: Array(16).fill(2) };
    const phi = { ...valid, model_type: "phi3", max_position_embeddings: 131072 };
    const [longrope] = configOf({ ...phi, rope_scaling: { type: "yarn", ...factors } }).rotaries;
    expect(longrope?.factor).toBeCloseTo(Math.sqrt(1 + Math.log(32) / Math.log(4096)), 12);
    expect(longrope?.maxPositions).toBe(4096);

    const own = { rotary_emb_base: 10000, rotary_pct: 0.25 };
    const [plain] = configOf({ ...neox, ...own, rope_theta: undefined }).rotaries;
    const [both] = configOf({ ...neox, ...own, rope_theta: 1e6, partial_rotary_factor: 1 }).rotaries;
    expect(both?.inverseFrequencies).toEqual(plain?.inverseFrequencies);
  });

  it("lets an older scaling win over newer parameters, and refuses Gemma both", () => {
    const both = { rope_parameters: { rope_type: "default" }, rope_scaling: { rope_type: "linear", factor: 2 } };
    const [, second = 0] = configOf({ ...valid, ...both }).rotaries[0]?.inverseFrequencies ?? [];
    expect(second).toBeCloseTo(10000 ** (-2 / 32) / 2, 7);
    expect(() => parseBlueprint({ ...gemma, ...both })).toThrow("absent beside rope_parameters");
  });

  it("has a file per architecture, and each says its tensors once", () => {
    expect([...architectures.keys()].toSorted()).toEqual([
      "gemma3_text",
      "gpt2",
      "gpt_neox",
      "llama",
      "mistral",
      "phi3",
      "qwen2",
      "qwen3",
    ]);
    for (const [modelType, { blueprint }] of architectures) expect(blueprint.length, modelType).toBe(1);
    const names = parseBlueprint(gpt2).tensors.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
