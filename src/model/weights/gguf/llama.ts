/**
 * Llama in GGUF, and what is built like it: Mistral, SmolLM, TinyLlama. llama.cpp rotates neighbours (2j, 2j + 1) of a head,
 * transformers halves (j, j + n/2), so its converter moves the rows of q and k.
 */
import type { GgufArchitecture, RowOrder } from "./architecture";
import { huggingFaceName, llamaNames } from "./names";
import { readRotary, rotaryConfig } from "./rotary";
import { llamaFields, readHeads, readSizes, readWindow } from "./sizes";

const id = "llama";

export const llama: GgufArchitecture = {
  id,
  async config(header, tokens) {
    const { metadata, tensors } = header;
    const sizes = readSizes(id, header, tokens);
    const rotary = await readRotary(id, header, sizes, { partial: false });
    const window = readWindow(id, header, sizes.positions);
    const attentionBias = tensors.has("blk.0.attn_q.bias");
    const mlpBias = tensors.has("blk.0.ffn_up.bias");
    if (window !== null && (attentionBias || mlpBias)) {
      throw metadata.error(`${id}.attention.sliding_window`, "absent in a model with biases");
    }
    return {
      ...llamaFields(id, header, sizes),
      ...rotaryConfig(rotary),
      ...(window === null
        ? { model_type: "llama", attention_bias: attentionBias, mlp_bias: mlpBias }
        : { model_type: "mistral", sliding_window: window }),
    };
  },

  place(name, header) {
    const found = huggingFaceName(llamaNames, name);
    if (found === null) return null;
    const rotated = /^blk\.\d+\.attn_[qk]\./.test(name);
    return { name: found, order: rotated ? pairsToHalves(readHeads(id, header).headDim) : undefined };
  },
};

function pairsToHalves(headDim: number): RowOrder {
  const half = headDim / 2;
  return {
    step: headDim,
    source: (row) => {
      const within = row % headDim;
      return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
    },
  };
}
