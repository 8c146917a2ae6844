/** Llama (Touvron et al. 2023): pre-norm blocks, rotary grouped-query attention, SwiGLU. Names as in transformers' LlamaForCausalLM. */
import type { Architecture, TensorSpec } from "../architecture";

export const llama: Architecture = {
  modelType: "llama",
  inputEmbedding: "model.embed_tokens",
  outputMatrix: "lm_head",
  adapterTargets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],

  tensors: (config) => {
    const { hiddenSize, intermediateSize, vocabSize, numHeads, numKeyValueHeads, headDim } = config;
    const query = numHeads * headDim;
    const keyValue = numKeyValueHeads * headDim;
    const linear = (module: string, out: number, inFeatures: number, bias: boolean): TensorSpec[] => [
      { name: `${module}.weight`, shape: [out, inFeatures] },
      ...(bias ? [{ name: `${module}.bias`, shape: [out] } as const] : []),
    ];
    const block = (layer: number): TensorSpec[] => {
      const at = `model.layers.${layer}`;
      return [
        { name: `${at}.input_layernorm.weight`, shape: [hiddenSize] },
        ...linear(`${at}.self_attn.q_proj`, query, hiddenSize, config.attentionBias),
        ...linear(`${at}.self_attn.k_proj`, keyValue, hiddenSize, config.attentionBias),
        ...linear(`${at}.self_attn.v_proj`, keyValue, hiddenSize, config.attentionBias),
        ...linear(`${at}.self_attn.o_proj`, hiddenSize, query, config.attentionBias),
        { name: `${at}.post_attention_layernorm.weight`, shape: [hiddenSize] },
        ...linear(`${at}.mlp.gate_proj`, intermediateSize, hiddenSize, config.mlpBias),
        ...linear(`${at}.mlp.up_proj`, intermediateSize, hiddenSize, config.mlpBias),
        ...linear(`${at}.mlp.down_proj`, hiddenSize, intermediateSize, config.mlpBias),
      ];
    };
    return [
      { name: "model.embed_tokens.weight", shape: [vocabSize, hiddenSize] },
      ...Array.from({ length: config.numLayers }, (_, layer) => block(layer)).flat(),
      { name: "model.norm.weight", shape: [hiddenSize] },
      { name: "lm_head.weight", shape: [vocabSize, hiddenSize], optional: config.tieWordEmbeddings },
    ];
  },

  forward: (network, config) => {
    let x = network.embedding("model.embed_tokens");
    for (let layer = 0; layer < config.numLayers; layer += 1) {
      const at = `model.layers.${layer}`;
      const beforeAttention = network.rmsNorm(`${at}.input_layernorm`, x);
      const q = network.rope(network.linear(`${at}.self_attn.q_proj`, beforeAttention));
      const k = network.rope(network.linear(`${at}.self_attn.k_proj`, beforeAttention));
      const v = network.linear(`${at}.self_attn.v_proj`, beforeAttention);
      const attended = network.attention(layer, q, k, v);
      x = network.add(x, network.linear(`${at}.self_attn.o_proj`, attended));
      const beforeMlp = network.rmsNorm(`${at}.post_attention_layernorm`, x);
      const gate = network.linear(`${at}.mlp.gate_proj`, beforeMlp);
      const up = network.linear(`${at}.mlp.up_proj`, beforeMlp);
      x = network.add(x, network.linear(`${at}.mlp.down_proj`, network.swiglu(gate, up)));
    }
    return network.rmsNorm("model.norm", x);
  },
};
