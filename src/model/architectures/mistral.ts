/** Mistral (Jiang et al. 2023): Llama with a sliding window in every layer. MistralForCausalLM of transformers. */
import type { Architecture } from "../architecture";
import { readSizes, readWindow } from "../config/model-config";
import { readRotary } from "../config/rotary";
import { llamaLike } from "./lib/llama-like";

export const mistral: Architecture = {
  modelType: "mistral",
  blueprint: (fields) => {
    const sizes = readSizes(fields, { maxPositions: 131072, keyValueHeads: 8 });
    const window = readWindow(fields, 4096);
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
