/** Qwen 3: Llama with an RMS norm on each head of q and k. Qwen3ForCausalLM of transformers. */
import type { Architecture } from "../architecture";
import { readSizes } from "../config/model-config";
import { readRotary } from "../config/rotary";
import { llamaLike } from "./lib/llama-like";
import { qwenWindows } from "./lib/qwen-windows";

export const qwen3: Architecture = {
  modelType: "qwen3",
  blueprint: (fields) => {
    const sizes = readSizes(fields, { maxPositions: 32768, headDim: 128 });
    const attentionBias = fields.flag("attention_bias");
    return llamaLike({
      modelType: "qwen3",
      fields,
      sizes,
      rotary: readRotary(fields, sizes),
      biases: { qkv: attentionBias, out: attentionBias, mlp: false },
      headNorms: true,
      windows: qwenWindows(fields, sizes.numLayers),
    });
  },
};
