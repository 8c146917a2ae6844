/** A golden Llama folder written as a float32 GGUF file, rows of q and k in llama.cpp's order. */
import * as z from "zod/mini";
import { type ModelConfig, readConfig } from "../../src/model/config";
import { openWeights } from "../../src/model/weights/registry";
import type { ModelFiles } from "../../src/model/weights/types";
import { type Bytes, type GgufTensorParts, type GgufValue, ggufFile } from "./gguf";

const tokenizerSchema = z.object({
  model: z.object({ vocab: z.record(z.string(), z.int()), merges: z.array(z.tuple([z.string(), z.string()])) }),
  added_tokens: z.array(z.object({ id: z.int() })),
});

const modules: readonly (readonly [string, string])[] = [
  ["model.embed_tokens", "token_embd"],
  ["model.norm", "output_norm"],
  ["lm_head", "output"],
  ["input_layernorm", "attn_norm"],
  ["post_attention_layernorm", "ffn_norm"],
  ["self_attn.q_proj", "attn_q"],
  ["self_attn.k_proj", "attn_k"],
  ["self_attn.v_proj", "attn_v"],
  ["self_attn.o_proj", "attn_output"],
  ["mlp.gate_proj", "ffn_gate"],
  ["mlp.up_proj", "ffn_up"],
  ["mlp.down_proj", "ffn_down"],
];

export async function llamaFile(folder: ModelFiles): Promise<Blob> {
  const config = await readConfig(folder, ["llama"]);
  const weights = await openWeights(folder);
  const tensors: GgufTensorParts[] = [];
  for (const name of weights.tensors.keys()) {
    const { shape, data } = await weights.read(name);
    const renamed = modules.reduce((text, [from, to]) => text.replace(from, to), name).replace("model.layers.", "blk.");
    const rows = shape[0] ?? 0;
    const rotated = /self_attn\.[qk]_proj/.test(name);
    tensors.push({ name: renamed, type: 0, shape, data: rotated ? pairs(data, rows, config.headDim) : data });
  }
  const vocabulary = tokenizerSchema.parse(JSON.parse(await (await folder.open("tokenizer.json")).text()));
  return new Blob([ggufFile({ metadata: metadataOf(config, vocabulary), tensors })]);
}

/** Rows (2, n/2) of each head become (n/2, 2): halves that rotate together come to lie side by side. */
function pairs(data: Bytes, rows: number, headDim: number): Bytes {
  const out = new Uint8Array(data.length);
  const width = data.length / rows;
  let to = 0;
  for (let head = 0; head < rows; head += headDim) {
    for (let pair = 0; pair < headDim / 2; pair++) {
      for (const row of [head + pair, head + pair + headDim / 2]) {
        out.set(data.subarray(row * width, (row + 1) * width), to);
        to += width;
      }
    }
  }
  return out;
}

function metadataOf(
  config: ModelConfig,
  { model, added_tokens }: z.infer<typeof tokenizerSchema>,
): readonly (readonly [string, GgufValue])[] {
  const tokens = Object.keys(model.vocab).sort((a, b) => (model.vocab[a] ?? 0) - (model.vocab[b] ?? 0));
  const special = new Set(added_tokens.map(({ id }) => id));
  return [
    ["general.architecture", ["text", "llama"]],
    ["llama.block_count", ["u32", config.numLayers]],
    ["llama.context_length", ["u32", config.maxPositions]],
    ["llama.embedding_length", ["u32", config.hiddenSize]],
    ["llama.feed_forward_length", ["u32", config.intermediateSize]],
    ["llama.attention.head_count", ["u32", config.numHeads]],
    ["llama.attention.head_count_kv", ["u32", config.numKeyValueHeads]],
    ["llama.attention.layer_norm_rms_epsilon", ["f32", config.rmsNormEps]],
    ["llama.rope.freq_base", ["f32", config.ropeTheta]],
    ["llama.rope.dimension_count", ["u32", config.headDim]],
    ["tokenizer.ggml.model", ["text", "gpt2"]],
    ["tokenizer.ggml.pre", ["text", "gpt-2"]],
    ["tokenizer.ggml.tokens", ["texts", tokens]],
    ["tokenizer.ggml.token_type", ["list", "i32", tokens.map((_, id) => (special.has(id) ? 3 : 1))]],
    ["tokenizer.ggml.merges", ["texts", model.merges.map((pair) => pair.join(" "))]],
    ["tokenizer.ggml.bos_token_id", ["u32", config.bosTokenId ?? 0]],
    ["tokenizer.ggml.eos_token_id", ["u32", config.eosTokenIds[0] ?? 0]],
  ];
}
