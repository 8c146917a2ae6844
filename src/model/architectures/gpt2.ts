/**
 * GPT-2 (Radford et al. 2019): learned positions, LayerNorm, q, k and v in one matrix, an MLP with the tanh form of GELU.
 * GPT2LMHeadModel of transformers, whose linear modules are `Conv1D`s.
 */
import type { Architecture } from "../architecture";
import { readSizes } from "../config/model-config";
import { conv1dTensors, layerNormTensors, perLayer } from "./lib/tensors";

const names = { hiddenSize: "n_embd", numLayers: "n_layer", numHeads: "n_head", maxPositions: "n_positions" };

export const gpt2: Architecture = {
  modelType: "gpt2",
  blueprint: (fields) => {
    const sizes = readSizes(fields, { names, maxPositions: 1024, tied: true, plainHeads: true });
    const { hiddenSize, vocabSize, numLayers, maxPositions } = sizes;
    fields.only("activation_function", "gelu_new", "gelu_pytorch_tanh");
    fields.only("scale_attn_weights", true);
    fields.only("scale_attn_by_inverse_layer_idx", false);
    fields.only("add_cross_attention", false);
    const eps = fields.number("layer_norm_epsilon", 1e-12, 1, 1e-5);
    const inner = fields.int("n_inner", 4, 2 ** 20, 4 * hiddenSize);

    return {
      config: { modelType: "gpt2", ...sizes, rotaries: [] },
      inputEmbedding: "transformer.wte",
      outputMatrix: "lm_head",
      baseModelPrefix: "transformer",
      adapterTargets: ["c_attn", "c_proj", "c_fc"],

      tensors: [
        { name: "transformer.wte.weight", shape: [vocabSize, hiddenSize] },
        { name: "transformer.wpe.weight", shape: [maxPositions, hiddenSize] },
        ...perLayer(numLayers, (layer) => {
          const at = `transformer.h.${layer}`;
          return [
            ...layerNormTensors(`${at}.ln_1`, hiddenSize),
            ...conv1dTensors(`${at}.attn.c_attn`, 3 * hiddenSize, hiddenSize),
            ...conv1dTensors(`${at}.attn.c_proj`, hiddenSize, hiddenSize),
            ...layerNormTensors(`${at}.ln_2`, hiddenSize),
            ...conv1dTensors(`${at}.mlp.c_fc`, inner, hiddenSize),
            ...conv1dTensors(`${at}.mlp.c_proj`, hiddenSize, inner),
          ];
        }),
        ...layerNormTensors("transformer.ln_f", hiddenSize),
        { name: "lm_head.weight", shape: [vocabSize, hiddenSize], optional: sizes.tieWordEmbeddings },
      ],

      forward: (network) => {
        const tokens = network.embedding("transformer.wte");
        let x = network.add(tokens, network.positionEmbedding("transformer.wpe"));
        for (let layer = 0; layer < numLayers; layer += 1) {
          const at = `transformer.h.${layer}`;
          const qkv = network.linear(`${at}.attn.c_attn`, network.layerNorm(`${at}.ln_1`, x, eps));
          const part = (index: number) =>
            network.columns(qkv, {
              groups: 1,
              period: 3 * hiddenSize,
              offset: index * hiddenSize,
              size: hiddenSize,
            });
          const attended = network.attention(layer, part(0), part(1), part(2));
          x = network.add(x, network.linear(`${at}.attn.c_proj`, attended));
          const widened = network.linear(`${at}.mlp.c_fc`, network.layerNorm(`${at}.ln_2`, x, eps));
          x = network.add(x, network.linear(`${at}.mlp.c_proj`, network.gelu("tanh", widened)));
        }
        return network.layerNorm("transformer.ln_f", x, eps);
      },
    };
  },
};
