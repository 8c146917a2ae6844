/**
 * GPT-NeoX and Pythia in GGUF. The file has the rows of all heads' q, then k, then v; transformers has q, k and v of one head
 * after another.
 */
import type { GgufArchitecture, RowOrder } from "./architecture";
import { shortest } from "./decimal";
import { huggingFaceName, type NameTable } from "./names";
import { readRotary } from "./rotary";
import { readHeads, readSizes, refuseWindow } from "./sizes";

const id = "gptneox";
const names: NameTable = {
  top: {
    "token_embd.weight": "gpt_neox.embed_in.weight",
    "output_norm.weight": "gpt_neox.final_layer_norm.weight",
    "output_norm.bias": "gpt_neox.final_layer_norm.bias",
    "output.weight": "embed_out.weight",
  },
  blocks: "gpt_neox.layers",
  modules: {
    attn_norm: "input_layernorm",
    attn_qkv: "attention.query_key_value",
    attn_output: "attention.dense",
    ffn_norm: "post_attention_layernorm",
    ffn_up: "mlp.dense_h_to_4h",
    ffn_down: "mlp.dense_4h_to_h",
  },
};

export const gptneox: GgufArchitecture = {
  id,
  async config(header, tokens) {
    const { metadata } = header;
    const sizes = readSizes(id, header, tokens);
    refuseWindow(id, header, sizes.positions);
    if (sizes.headDim * sizes.heads !== sizes.hidden || sizes.keyValueHeads !== sizes.heads) {
      throw metadata.error(`${id}.attention.head_count`, `what splits ${id}.embedding_length, ${sizes.hidden}, evenly`);
    }
    const { theta, scaling, partial } = await readRotary(id, header, sizes, { partial: true });
    return {
      model_type: "gpt_neox",
      hidden_act: "gelu",
      vocab_size: sizes.vocabulary,
      hidden_size: sizes.hidden,
      intermediate_size: sizes.inner,
      num_hidden_layers: sizes.layers,
      num_attention_heads: sizes.heads,
      max_position_embeddings: sizes.positions,
      layer_norm_eps: shortest(metadata.number(`${id}.attention.layer_norm_epsilon`, 1e-12, 1)),
      use_parallel_residual: metadata.flag(`${id}.use_parallel_residual`, true),
      attention_bias: header.tensors.has("blk.0.attn_qkv.bias"),
      rotary_pct: partial,
      rotary_emb_base: theta,
      rope_theta: theta,
      ...(scaling && { rope_scaling: scaling }),
      tie_word_embeddings: sizes.tied,
    };
  },

  place(name, header) {
    const found = huggingFaceName(names, name);
    if (found === null) return null;
    return { name: found, order: /^blk\.\d+\.attn_qkv\./.test(name) ? headByHead(readHeads(id, header)) : undefined };
  },
};

function headByHead({ heads, headDim }: { readonly heads: number; readonly headDim: number }): RowOrder {
  return {
    step: headDim,
    source: (row) => {
      const head = Math.floor(row / (3 * headDim));
      const part = Math.floor(row / headDim) % 3;
      return (part * heads + head) * headDim + (row % headDim);
    },
  };
}
