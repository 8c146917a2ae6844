/** Phi-3 (Abdin et al. 2024): Llama with q, k and v in one matrix and gate and up in another. Phi3ForCausalLM of transformers. */
import type { Architecture } from "../architecture";
import { readIntermediateSize, readRmsNormEps, readSizes, readWindow } from "../config/model-config";
import { readRotary } from "../config/rotary";
import { linearTensors, normTensor, perLayer } from "./lib/tensors";

export const phi3: Architecture = {
  modelType: "phi3",
  blueprint: (fields) => {
    const sizes = readSizes(fields, { maxPositions: 4096 });
    fields.only("hidden_act", "silu");
    const { hiddenSize, vocabSize, numLayers, numHeads, numKeyValueHeads, headDim } = sizes;
    const eps = fields.has("rms_norm_eps") ? readRmsNormEps(fields) : 1e-5;
    const intermediateSize = readIntermediateSize(fields);
    const rotary = readRotary(fields, { ...sizes, renamed: { yarn: "longrope" }, originalPositions: 4096 });
    const window = readWindow(fields, null);
    const query = numHeads * headDim;
    const keyValue = numKeyValueHeads * headDim;
    const packed = query + 2 * keyValue;

    return {
      config: { modelType: "phi3", ...sizes, maxPositions: rotary.maxPositions, rotaries: [rotary] },
      inputEmbedding: "model.embed_tokens",
      outputMatrix: "lm_head",
      baseModelPrefix: "model",
      adapterTargets: ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"],

      tensors: [
        { name: "model.embed_tokens.weight", shape: [vocabSize, hiddenSize] },
        ...perLayer(numLayers, (layer) => {
          const at = `model.layers.${layer}`;
          return [
            normTensor(`${at}.input_layernorm`, hiddenSize),
            ...linearTensors(`${at}.self_attn.qkv_proj`, packed, hiddenSize),
            ...linearTensors(`${at}.self_attn.o_proj`, hiddenSize, query),
            normTensor(`${at}.post_attention_layernorm`, hiddenSize),
            ...linearTensors(`${at}.mlp.gate_up_proj`, 2 * intermediateSize, hiddenSize),
            ...linearTensors(`${at}.mlp.down_proj`, hiddenSize, intermediateSize),
          ];
        }),
        normTensor("model.norm", hiddenSize),
        { name: "lm_head.weight", shape: [vocabSize, hiddenSize], optional: sizes.tieWordEmbeddings },
      ],

      forward: (network) => {
        let x = network.embedding("model.embed_tokens");
        for (let layer = 0; layer < numLayers; layer += 1) {
          const at = `model.layers.${layer}`;
          const beforeAttention = network.rmsNorm(`${at}.input_layernorm`, x, eps);
          const qkv = network.linear(`${at}.self_attn.qkv_proj`, beforeAttention);
          const part = (offset: number, size: number) =>
            network.columns(qkv, { groups: 1, period: packed, offset, size });
          const q = network.rope(part(0, query), rotary);
          const k = network.rope(part(query, keyValue), rotary);
          const v = part(query + keyValue, keyValue);
          const attended = network.attention(layer, q, k, v, { window });
          x = network.add(x, network.linear(`${at}.self_attn.o_proj`, attended));
          const beforeMlp = network.rmsNorm(`${at}.post_attention_layernorm`, x, eps);
          const gateUp = network.linear(`${at}.mlp.gate_up_proj`, beforeMlp);
          const half = (offset: number) =>
            network.columns(gateUp, { groups: 1, period: 2 * intermediateSize, offset, size: intermediateSize });
          const gated = network.gated("silu", half(0), half(intermediateSize));
          x = network.add(x, network.linear(`${at}.mlp.down_proj`, gated));
        }
        return network.rmsNorm("model.norm", x, eps);
      },
    };
  },
};
