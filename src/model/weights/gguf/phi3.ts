/** Phi-3 in GGUF: q, k and v in one matrix, gate and up in another (under the name ffn_up), in the order of transformers. */
import type { GgufArchitecture } from "./architecture";
import { huggingFaceName, llamaNames, type NameTable } from "./names";
import { readRotary, rotaryConfig } from "./rotary";
import { llamaFields, readSizes, readWindow } from "./sizes";

const id = "phi3";
const names: NameTable = {
  ...llamaNames,
  modules: {
    attn_norm: "input_layernorm",
    attn_qkv: "self_attn.qkv_proj",
    attn_output: "self_attn.o_proj",
    ffn_norm: "post_attention_layernorm",
    ffn_up: "mlp.gate_up_proj",
    ffn_down: "mlp.down_proj",
  },
};

export const phi3: GgufArchitecture = {
  id,
  async config(header, tokens) {
    const { metadata } = header;
    const sizes = readSizes(id, header, tokens);
    return {
      model_type: "phi3",
      ...llamaFields(id, header, sizes),
      ...rotaryConfig(await readRotary(id, header, sizes, { partial: true })),
      original_max_position_embeddings: metadata.int(
        `${id}.rope.scaling.original_context_length`,
        1,
        2 ** 28,
        sizes.positions,
      ),
      sliding_window: readWindow(id, header, sizes.positions),
    };
  },

  place(name) {
    const found = huggingFaceName(names, name);
    return found === null ? null : { name: found };
  },
};
