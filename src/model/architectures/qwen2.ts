/** Qwen 2 and 2.5: Llama with biases on q, k and v. Qwen2ForCausalLM of transformers. */
import type { Architecture } from "../architecture";
import { readSizes } from "../config/model-config";
import { readRotary } from "../config/rotary";
import { llamaLike } from "./lib/llama-like";
import { qwenWindows } from "./lib/qwen-windows";

export const qwen2: Architecture = {
  modelType: "qwen2",
  blueprint: (fields) => {
    const sizes = readSizes(fields, { maxPositions: 32768 });
    return llamaLike({
      modelType: "qwen2",
      fields,
      sizes,
      rotary: readRotary(fields, sizes),
      biases: { qkv: true, out: false, mlp: false },
      windows: qwenWindows(fields, sizes.numLayers),
    });
  },
};
