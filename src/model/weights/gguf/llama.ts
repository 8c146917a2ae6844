/** Llama in GGUF: metadata keys, tensor names, and the order in which llama.cpp keeps the rows of q and k. */
import { WeightsError } from "../../errors";
import type { GgufArchitecture } from "./architecture";
import type { GgufHeader } from "./header";
import type { Metadata } from "./metadata";

const top: ReadonlyMap<string, string> = new Map([
  ["token_embd.weight", "model.embed_tokens.weight"],
  ["output_norm.weight", "model.norm.weight"],
  ["output.weight", "lm_head.weight"],
]);
/** Modules of a block. */
const modules: ReadonlyMap<string, string> = new Map([
  ["attn_norm", "input_layernorm"],
  ["attn_q", "self_attn.q_proj"],
  ["attn_k", "self_attn.k_proj"],
  ["attn_v", "self_attn.v_proj"],
  ["attn_output", "self_attn.o_proj"],
  ["ffn_norm", "post_attention_layernorm"],
  ["ffn_gate", "mlp.gate_proj"],
  ["ffn_up", "mlp.up_proj"],
  ["ffn_down", "mlp.down_proj"],
]);

export const llama: GgufArchitecture = {
  id: "llama",
  async config(header, vocabulary) {
    const { metadata, tensors } = header;
    const hidden = metadata.int("llama.embedding_length", 1, 65536);
    const { heads, keyValueHeads, headDim } = headsOf(header);
    if (metadata.int("llama.attention.value_length", 1, 1024, headDim) !== headDim) {
      throw metadata.error("llama.attention.value_length", `llama.attention.key_length, ${headDim}`);
    }
    if (metadata.int("llama.rope.dimension_count", 1, 1024, headDim) !== headDim) {
      throw metadata.error(
        "llama.rope.dimension_count",
        `the head size, ${headDim}; partly rotated heads are not supported`,
      );
    }
    if (metadata.int("llama.expert_count", 0, 2 ** 16, 0) > 0) {
      throw metadata.error("llama.expert_count", "0; mixtures of experts are not supported");
    }
    const positions = metadata.int("llama.context_length", 1, 2 ** 28);
    const window = metadata.int("llama.attention.sliding_window", 0, 2 ** 32 - 1, 0);
    if (window > 0 && window < positions) {
      throw metadata.error("llama.attention.sliding_window", "absent; sliding windows are not supported yet");
    }
    if (!metadata.flag("llama.attention.causal", true)) {
      throw metadata.error(
        "llama.attention.causal",
        "true; models that look ahead cannot be trained to continue a text",
      );
    }
    await checkRotation(header);
    return {
      model_type: "llama",
      hidden_act: "silu",
      vocab_size: metadata.int("llama.vocab_size", 1, 2 ** 22, vocabulary),
      hidden_size: hidden,
      intermediate_size: metadata.int("llama.feed_forward_length", 1, 2 ** 20),
      num_hidden_layers: metadata.int("llama.block_count", 1, 1000),
      num_attention_heads: heads,
      num_key_value_heads: keyValueHeads,
      head_dim: headDim,
      rms_norm_eps: shortest(metadata.number("llama.attention.layer_norm_rms_epsilon", 1e-12, 1)),
      rope_theta: shortest(metadata.number("llama.rope.freq_base", 1, 1e12, 10000)),
      max_position_embeddings: positions,
      tie_word_embeddings: !tensors.has("output.weight"),
      attention_bias: tensors.has("blk.0.attn_q.bias"),
      mlp_bias: tensors.has("blk.0.ffn_up.bias"),
    };
  },

  tensorName(name) {
    const found = top.get(name);
    if (found !== undefined) return found;
    const [, layer, part, kind] = /^blk\.(\d{1,6})\.([a-z_]+)\.(weight|bias)$/.exec(name) ?? [];
    const module = modules.get(part ?? "");
    return module === undefined ? null : `model.layers.${layer}.${module}.${kind}`;
  },

  /** llama.cpp rotates neighbours (2j, 2j + 1) of a head, transformers halves (j, j + n/2), so its converter moves the rows. */
  rowOrder(name, header) {
    const part = /^blk\.\d+\.attn_([qk])\./.exec(name)?.[1];
    if (part === undefined) return null;
    const { headDim } = headsOf(header);
    const half = headDim / 2;
    return (row) => {
      const within = row % headDim;
      return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
    };
  },
};

function headsOf({ metadata }: GgufHeader) {
  const hidden = metadata.int("llama.embedding_length", 1, 65536);
  const heads = metadata.int("llama.attention.head_count", 1, 1024);
  const keyValueHeads = metadata.int("llama.attention.head_count_kv", 1, heads, heads);
  const headDim = metadata.int("llama.attention.key_length", 1, 1024, Math.floor(hidden / heads));
  if (!metadata.has("llama.attention.key_length") && headDim * heads !== hidden) {
    throw metadata.error("llama.attention.head_count", `a divisor of llama.embedding_length, ${hidden}`);
  }
  if (headDim % 2 !== 0) throw metadata.error("llama.attention.key_length", "even");
  return { heads, keyValueHeads, headDim };
}

/** Throws where positions are scaled: by name, by factor, or by Llama 3's table of factors, which is a tensor. */
async function checkRotation({ metadata, tensors }: GgufHeader): Promise<void> {
  const unscaled = "absent; scaled rotary embeddings are not supported yet";
  const kind = (await metadata.text("llama.rope.scaling.type")) ?? "none";
  const factor = factorOf(metadata, "llama.rope.scaling.factor") * factorOf(metadata, "llama.rope.scale_linear");
  if (kind !== "none" && !(kind === "linear" && factor === 1)) {
    throw metadata.error(
      "llama.rope.scaling.type",
      `none, not "${kind.slice(0, 40)}"; scaled rotary embeddings are not supported yet`,
    );
  }
  if (factor !== 1) {
    const key = metadata.has("llama.rope.scale_linear") ? "llama.rope.scale_linear" : "llama.rope.scaling.factor";
    throw metadata.error(key, unscaled);
  }
  for (const name of ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"]) {
    if (!tensors.has(name)) continue;
    throw new WeightsError(
      `${metadata.file}: the tensor ${name} scales the rotary embeddings, which is not supported yet; pick another model.`,
    );
  }
}

const factorOf = (metadata: Metadata, key: string): number => metadata.number(key, 0, 1e6, 1) || 1;

/** Metadata keep float32 where config.json has decimals: 1e-5 and not 9.999999747378752e-6. */
function shortest(value: number): number {
  const short = Number(value.toPrecision(7));
  return Math.fround(short) === Math.fround(value) ? short : value;
}
