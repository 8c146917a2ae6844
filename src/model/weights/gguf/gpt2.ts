/** GPT-2 in GGUF. Matrices are [out, in], where a Hugging Face checkpoint has [in, out]. */
import type { GgufArchitecture } from "./architecture";
import { shortest } from "./decimal";
import { huggingFaceName, type NameTable } from "./names";
import { readSizes, refuseWindow } from "./sizes";

const id = "gpt2";
const names: NameTable = {
  top: {
    "token_embd.weight": "transformer.wte.weight",
    "position_embd.weight": "transformer.wpe.weight",
    "output_norm.weight": "transformer.ln_f.weight",
    "output_norm.bias": "transformer.ln_f.bias",
    "output.weight": "lm_head.weight",
  },
  blocks: "transformer.h",
  modules: {
    attn_norm: "ln_1",
    attn_qkv: "attn.c_attn",
    attn_output: "attn.c_proj",
    ffn_norm: "ln_2",
    ffn_up: "mlp.c_fc",
    ffn_down: "mlp.c_proj",
  },
};

export const gpt2: GgufArchitecture = {
  id,
  async config(header, tokens) {
    const { metadata } = header;
    const sizes = readSizes(id, header, tokens);
    refuseWindow(id, header, sizes.positions);
    if (sizes.headDim * sizes.heads !== sizes.hidden || sizes.keyValueHeads !== sizes.heads) {
      throw metadata.error(`${id}.attention.head_count`, `what splits ${id}.embedding_length, ${sizes.hidden}, evenly`);
    }
    return {
      model_type: "gpt2",
      activation_function: "gelu_new",
      vocab_size: sizes.vocabulary,
      n_embd: sizes.hidden,
      n_inner: sizes.inner,
      n_layer: sizes.layers,
      n_head: sizes.heads,
      n_positions: sizes.positions,
      layer_norm_epsilon: shortest(metadata.number(`${id}.attention.layer_norm_epsilon`, 1e-12, 1)),
      tie_word_embeddings: sizes.tied,
    };
  },

  place(name) {
    const found = huggingFaceName(names, name);
    return found === null ? null : { name: found };
  },
};
