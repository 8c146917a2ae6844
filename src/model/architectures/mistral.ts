/** Mistral (Jiang et al. 2023): Llama with a sliding window in every layer. MistralForCausalLM of transformers. */
import type { Architecture } from "../architecture";
import { readSizes } from "../config/model-config";
import { readRotary } from "../config/rotary";
import { llamaLike } from "./lib/llama-like";

export const mistral: Architecture = {
  modelType: "mistral",
  blueprint: (fields) => {
    const sizes = readSizes(fields, { maxPositions: 131072 });
    const window = fields.has("sliding_window") ? fields.int("sliding_window", 1, 2 ** 28) : null;
    return llamaLike({
      modelType: "mistral",
      fields,
      sizes,
      rotary: readRotary(fields, sizes),
      biases: { qkv: false, out: false, mlp: false },
      windows: Array.from({ length: sizes.numLayers }, () => window),
    });
  },
};
