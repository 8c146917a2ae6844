/**
 * GPT-NeoX and Pythia (Black et al. 2022): LayerNorm, attention and MLP side by side on the same input, a quarter of each head
 * turned, q, k and v interleaved head by head in one matrix. GPTNeoXForCausalLM of transformers.
 */
import type { Architecture } from "../architecture";
import { readIntermediateSize, readSizes } from "../config/model-config";
import { readRotary } from "../config/rotary";
import { layerNormTensors, linearTensors, perLayer } from "./lib/tensors";

export const gptNeox: Architecture = {
  modelType: "gpt_neox",
  blueprint: (fields) => {
    const sizes = readSizes(fields, { plainHeads: true });
    fields.only("hidden_act", "gelu");
    const { hiddenSize, vocabSize, numLayers, numHeads, headDim } = sizes;
    const eps = fields.number("layer_norm_eps", 1e-12, 1, 1e-5);
    const intermediateSize = readIntermediateSize(fields);
    const bias = fields.flag("attention_bias", true);
    const parallel = fields.flag("use_parallel_residual", true);
    const rotary = readRotary(fields, {
      ...sizes,
      ownFields: true,
      theta: fields.number("rotary_emb_base", 1, 1e12, 10000),
      partial: fields.number("rotary_pct", 0, 1, 0.25),
    });

    return {
      config: { modelType: "gpt_neox", ...sizes, maxPositions: rotary.maxPositions, rotaries: [rotary] },
      inputEmbedding: "gpt_neox.embed_in",
      outputMatrix: "embed_out",
      baseModelPrefix: "gpt_neox",
      adapterTargets: ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"],

      tensors: [
        { name: "gpt_neox.embed_in.weight", shape: [vocabSize, hiddenSize] },
        ...perLayer(numLayers, (layer) => {
          const at = `gpt_neox.layers.${layer}`;
          return [
            ...layerNormTensors(`${at}.input_layernorm`, hiddenSize),
            ...layerNormTensors(`${at}.post_attention_layernorm`, hiddenSize),
            ...linearTensors(`${at}.attention.query_key_value`, 3 * hiddenSize, hiddenSize, bias),
            ...linearTensors(`${at}.attention.dense`, hiddenSize, hiddenSize, bias),
            ...linearTensors(`${at}.mlp.dense_h_to_4h`, intermediateSize, hiddenSize, true),
            ...linearTensors(`${at}.mlp.dense_4h_to_h`, hiddenSize, intermediateSize, true),
          ];
        }),
        ...layerNormTensors("gpt_neox.final_layer_norm", hiddenSize),
        { name: "embed_out.weight", shape: [vocabSize, hiddenSize], optional: sizes.tieWordEmbeddings },
      ],

      forward: (network) => {
        type Activations = ReturnType<typeof network.add>;
        const attention = (layer: number, x: Activations) => {
          const at = `gpt_neox.layers.${layer}.attention`;
          const qkv = network.linear(`${at}.query_key_value`, x);
          const part = (index: number) =>
            network.columns(qkv, { groups: numHeads, period: 3 * headDim, offset: index * headDim, size: headDim });
          const q = network.rope(part(0), rotary);
          const k = network.rope(part(1), rotary);
          return network.linear(`${at}.dense`, network.attention(layer, q, k, part(2)));
        };
        const mlp = (layer: number, x: Activations) => {
          const at = `gpt_neox.layers.${layer}.mlp`;
          return network.linear(`${at}.dense_4h_to_h`, network.gelu("erf", network.linear(`${at}.dense_h_to_4h`, x)));
        };
        let x = network.embedding("gpt_neox.embed_in");
        for (let layer = 0; layer < numLayers; layer += 1) {
          const at = `gpt_neox.layers.${layer}`;
          const beforeAttention = network.layerNorm(`${at}.input_layernorm`, x, eps);
          if (parallel) {
            // Both norms first: the additions must be recorded after everything that uses x.
            const beforeMlp = network.layerNorm(`${at}.post_attention_layernorm`, x, eps);
            const attended = attention(layer, beforeAttention);
            const widened = mlp(layer, beforeMlp);
            x = network.add(network.add(x, attended), widened);
          } else {
            x = network.add(x, attention(layer, beforeAttention));
            const beforeMlp = network.layerNorm(`${at}.post_attention_layernorm`, x, eps);
            x = network.add(x, mlp(layer, beforeMlp));
          }
        }
        return network.layerNorm("gpt_neox.final_layer_norm", x, eps);
      },
    };
  },
};
