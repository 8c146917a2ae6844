/** Llama 1 to 3.2 (Touvron et al. 2023), SmolLM, TinyLlama: LlamaForCausalLM of transformers. */
import type { Architecture } from "../architecture";
import { readSizes } from "../config/model-config";
import { readRotary } from "../config/rotary";
import { llamaLike } from "./lib/llama-like";

export const llama: Architecture = {
  modelType: "llama",
  blueprint: (fields) => {
    const sizes = readSizes(fields);
    const attentionBias = fields.flag("attention_bias");
    return llamaLike({
      modelType: "llama",
      fields,
      sizes,
      rotary: readRotary(fields, sizes),
      biases: { qkv: attentionBias, out: attentionBias, mlp: fields.flag("mlp_bias") },
    });
  },
};
