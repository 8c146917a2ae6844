/**
 * Gemma 3, text only (Gemma Team 2025): norms before and after both halves of a block and on each head of q and k, all by
 * 1 + weight; GeGLU; an embedding scaled by √hidden; five layers with a window and their own rotary base to each without.
 * Gemma3ForCausalLM of transformers.
 */
import type { Architecture } from "../architecture";
import { ConfigFields } from "../config/fields";
import { readIntermediateSize, readRmsNormEps, readSizes, readSliding, readWindow } from "../config/model-config";
import { readRotary } from "../config/rotary";
import { linearTensors, normTensor, perLayer } from "./lib/tensors";

const blockNorms = [
  "input_layernorm",
  "post_attention_layernorm",
  "pre_feedforward_layernorm",
  "post_feedforward_layernorm",
];

export const gemma3Text: Architecture = {
  modelType: "gemma3_text",
  blueprint: (fields) => {
    const sizes = readSizes(fields, { maxPositions: 131072, tied: true, headDim: 256, keyValueHeads: 4 });
    const { hiddenSize, vocabSize, numLayers, numHeads, numKeyValueHeads, headDim } = sizes;
    fields.only("hidden_activation", "gelu_pytorch_tanh");
    fields.only("hidden_act", "gelu_pytorch_tanh");
    fields.only("final_logit_softcapping");
    fields.only("attn_logit_softcapping");
    fields.only("use_bidirectional_attention", false);
    const eps = readRmsNormEps(fields);
    const intermediateSize = readIntermediateSize(fields);
    const bias = fields.flag("attention_bias");
    const scale = 1 / Math.sqrt(fields.number("query_pre_attn_scalar", 1e-3, 1e6, 256));
    const pattern = fields.int("sliding_window_pattern", 1, 1000, fields.int("_sliding_window_pattern", 1, 1000, 6));
    const window = readWindow(fields, 4096);
    const sliding = readSliding(fields, numLayers, (layer) => (layer + 1) % pattern !== 0);
    const parameters = fields.object("rope_parameters");
    if (parameters && fields.object("rope_scaling")?.isEmpty === false) {
      throw fields.error("rope_scaling", "absent beside rope_parameters; write it into rope_parameters.full_attention");
    }
    const localRope = { rope_type: "default", rope_theta: fields.number("rope_local_base_freq", 1, 1e12, 10000) };
    const everywhere = readRotary(fields, {
      ...sizes,
      label: "rotary",
      theta: 1e6,
      parameters: parameters?.object("full_attention") ?? null,
    });
    const local = readRotary(fields, {
      ...sizes,
      label: "local rotary",
      ownFields: true,
      // The scaling of an older config is for the layers without a window alone.
      parameters: parameters?.object("sliding_attention") ?? new ConfigFields(localRope, "config.json"),
    });
    const norm = (module: string) => normTensor(module, hiddenSize);

    return {
      config: {
        modelType: "gemma3_text",
        ...sizes,
        maxPositions: everywhere.maxPositions,
        rotaries: [everywhere, local],
      },
      inputEmbedding: "model.embed_tokens",
      outputMatrix: "lm_head",
      baseModelPrefix: "model",
      adapterTargets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],

      tensors: [
        { name: "model.embed_tokens.weight", shape: [vocabSize, hiddenSize] },
        ...perLayer(numLayers, (layer) => {
          const at = `model.layers.${layer}`;
          return [
            ...blockNorms.map((name) => norm(`${at}.${name}`)),
            ...linearTensors(`${at}.self_attn.q_proj`, numHeads * headDim, hiddenSize, bias),
            ...linearTensors(`${at}.self_attn.k_proj`, numKeyValueHeads * headDim, hiddenSize, bias),
            ...linearTensors(`${at}.self_attn.v_proj`, numKeyValueHeads * headDim, hiddenSize, bias),
            normTensor(`${at}.self_attn.q_norm`, headDim),
            normTensor(`${at}.self_attn.k_norm`, headDim),
            ...linearTensors(`${at}.self_attn.o_proj`, hiddenSize, numHeads * headDim, bias),
            ...linearTensors(`${at}.mlp.gate_proj`, intermediateSize, hiddenSize),
            ...linearTensors(`${at}.mlp.up_proj`, intermediateSize, hiddenSize),
            ...linearTensors(`${at}.mlp.down_proj`, hiddenSize, intermediateSize),
          ];
        }),
        norm("model.norm"),
        { name: "lm_head.weight", shape: [vocabSize, hiddenSize], optional: sizes.tieWordEmbeddings },
      ],

      forward: (network) => {
        const rmsNorm = (module: string, x: ReturnType<typeof network.add>) => network.rmsNorm(module, x, eps, 1);
        let x = network.embedding("model.embed_tokens", Math.fround(Math.sqrt(hiddenSize)));
        for (let layer = 0; layer < numLayers; layer += 1) {
          const at = `model.layers.${layer}`;
          const isLocal = sliding[layer] === true;
          const rotary = isLocal ? local : everywhere;
          const beforeAttention = rmsNorm(`${at}.input_layernorm`, x);
          const [q, k] = ["q", "k"].map((part) => {
            const projected = network.linear(`${at}.self_attn.${part}_proj`, beforeAttention);
            return network.rope(rmsNorm(`${at}.self_attn.${part}_norm`, projected), rotary);
          }) as [typeof x, typeof x];
          const v = network.linear(`${at}.self_attn.v_proj`, beforeAttention);
          const attended = network.attention(layer, q, k, v, { window: isLocal ? window : null, scale });
          const projected = network.linear(`${at}.self_attn.o_proj`, attended);
          x = network.add(x, rmsNorm(`${at}.post_attention_layernorm`, projected));
          const beforeMlp = rmsNorm(`${at}.pre_feedforward_layernorm`, x);
          const gate = network.linear(`${at}.mlp.gate_proj`, beforeMlp);
          const up = network.linear(`${at}.mlp.up_proj`, beforeMlp);
          const down = network.linear(`${at}.mlp.down_proj`, network.gated("gelu_tanh", gate, up));
          x = network.add(x, rmsNorm(`${at}.post_feedforward_layernorm`, down));
        }
        return rmsNorm("model.norm", x);
      },
    };
  },
};
