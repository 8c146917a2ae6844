/**
 * Gemma 3, text only, in GGUF. Norm weights are stored as 1 + w. Which layers see only a window, and the scale of attention,
 * llama.cpp knows from the architecture: five layers with a window to each without, and 1/√head except in the largest model.
 */
import type { GgufArchitecture } from "./architecture";
import { shortest } from "./decimal";
import type { GgufHeader } from "./header";
import { huggingFaceName, llamaNames, type NameTable } from "./names";
import { readRotary } from "./rotary";
import { llamaFields, readSizes, readWindow, type Sizes } from "./sizes";

const id = "gemma3";
/** Layers of the 27 B model, whose attention is scaled by the width that each head would have of the hidden one. */
const largest = 62;
const names: NameTable = {
  ...llamaNames,
  modules: {
    ...llamaNames.modules,
    attn_q_norm: "self_attn.q_norm",
    attn_k_norm: "self_attn.k_norm",
    post_attention_norm: "post_attention_layernorm",
    ffn_norm: "pre_feedforward_layernorm",
    post_ffw_norm: "post_feedforward_layernorm",
  },
};
const shift = { add: -1, note: "norm weights as w where the file has 1 + w" };

export const gemma3: GgufArchitecture = {
  id,
  async config(header, tokens) {
    const { metadata } = header;
    const sizes = readSizes(id, header, tokens);
    const { theta, scaling } = await readRotary(id, header, sizes, { partial: false });
    const localTheta = shortest(metadata.number(`${id}.rope.freq_base_swa`, 1, 1e12, 10000));
    const window = readWindow(id, header, sizes.positions);
    const { hidden_act: _, ...common } = llamaFields(id, header, sizes);
    return {
      model_type: "gemma3_text",
      ...common,
      hidden_activation: "gelu_pytorch_tanh",
      attention_bias: header.tensors.has("blk.0.attn_q.bias"),
      query_pre_attn_scalar: attentionScalar(header, sizes),
      sliding_window: window ?? sizes.positions,
      layer_types:
        window === null ? Array(sizes.layers).fill("full_attention") : await layerTypes(header, sizes.layers),
      rope_parameters: {
        full_attention: { rope_type: "default", ...scaling, rope_theta: theta },
        sliding_attention: { rope_type: "default", rope_theta: localTheta },
      },
    };
  },

  place(name) {
    const found = huggingFaceName(names, name);
    if (found === null) return null;
    return { name: found, shift: name.endsWith("norm.weight") ? shift : undefined };
  },
};

function attentionScalar({ metadata }: GgufHeader, { layers, hidden, heads, headDim }: Sizes): number {
  const key = `${id}.attention.scale`;
  if (metadata.has(key)) return shortest(metadata.number(key, 1e-6, 1e6) ** -2);
  return layers === largest ? hidden / heads : headDim;
}

/** Every n-th layer sees everything, or a list says which do not. */
async function layerTypes({ metadata }: GgufHeader, layers: number): Promise<readonly string[]> {
  const key = `${id}.attention.sliding_window_pattern`;
  const listed = metadata.isList(key) ? await metadata.flags(key) : null;
  if (listed && listed.length !== layers) throw metadata.error(key, `a list of ${layers} flags, one for each layer`);
  const pattern = listed ? 0 : metadata.int(key, 1, 1000, 6);
  return Array.from({ length: layers }, (_, layer) =>
    (listed ? listed[layer] : (layer + 1) % pattern !== 0) ? "sliding_attention" : "full_attention",
  );
}
