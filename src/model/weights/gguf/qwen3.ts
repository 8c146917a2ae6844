/** Qwen 3 in GGUF: norms on the heads of q and k. Rows are in the order of transformers. */
import type { GgufArchitecture } from "./architecture";
import { huggingFaceName, llamaNames, type NameTable } from "./names";
import { readRotary, rotaryConfig } from "./rotary";
import { llamaFields, readSizes, refuseWindow } from "./sizes";

const id = "qwen3";
const names: NameTable = {
  ...llamaNames,
  modules: { ...llamaNames.modules, attn_q_norm: "self_attn.q_norm", attn_k_norm: "self_attn.k_norm" },
};

export const qwen3: GgufArchitecture = {
  id,
  async config(header, tokens) {
    const sizes = readSizes(id, header, tokens);
    refuseWindow(id, header, sizes.positions);
    return {
      model_type: "qwen3",
      ...llamaFields(id, header, sizes),
      ...rotaryConfig(await readRotary(id, header, sizes, { partial: false })),
      attention_bias: header.tensors.has("blk.0.attn_q.bias"),
    };
  },

  place(name) {
    const found = huggingFaceName(names, name);
    return found === null ? null : { name: found };
  },
};
