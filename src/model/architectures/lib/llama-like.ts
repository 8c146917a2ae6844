/**
 * The decoder of Llama and its kin: pre-norm blocks of rotary grouped-query attention and SwiGLU. The architectures that
 * are this network differ in biases, in norms of q and k, and in which layers have a window.
 */
import type { Blueprint, Network } from "../../architecture";
import type { ConfigFields } from "../../config/fields";
import { readIntermediateSize, readRmsNormEps, type Sizes, type Windows } from "../../config/model-config";
import type { Rotary } from "../../config/rotary";
import { linearTensors, normTensor, perLayer } from "./tensors";

export interface LlamaLike {
  readonly modelType: string;
  readonly fields: ConfigFields;
  readonly sizes: Sizes;
  readonly rotary: Rotary;
  readonly biases: { readonly qkv: boolean; readonly out: boolean; readonly mlp: boolean };
  /** Each head of q and k goes through an RMS norm before it turns. */
  readonly headNorms?: boolean;
  readonly windows?: Windows;
}

export function llamaLike(of: LlamaLike): Blueprint {
  const { modelType, fields, sizes, rotary, biases, headNorms = false, windows = [] } = of;
  fields.only("hidden_act", "silu");
  const eps = readRmsNormEps(fields);
  const intermediateSize = readIntermediateSize(fields);
  const { hiddenSize, vocabSize, numLayers, numHeads, numKeyValueHeads, headDim } = sizes;
  const query = numHeads * headDim;
  const keyValue = numKeyValueHeads * headDim;

  const attention = (network: Network, layer: number, at: string, x: ReturnType<Network["linear"]>) => {
    const turned = (name: string) => {
      const projected = network.linear(`${at}.${name}_proj`, x);
      return network.rope(headNorms ? network.rmsNorm(`${at}.${name}_norm`, projected, eps) : projected, rotary);
    };
    const q = turned("q");
    const k = turned("k");
    const v = network.linear(`${at}.v_proj`, x);
    const attended = network.attention(layer, q, k, v, { window: windows[layer] ?? null });
    return network.linear(`${at}.o_proj`, attended);
  };

  return {
    config: { modelType, ...sizes, maxPositions: rotary.maxPositions, rotaries: [rotary] },
    inputEmbedding: "model.embed_tokens",
    outputMatrix: "lm_head",
    baseModelPrefix: "model",
    adapterTargets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],

    tensors: [
      { name: "model.embed_tokens.weight", shape: [vocabSize, hiddenSize] },
      ...perLayer(numLayers, (layer) => {
        const at = `model.layers.${layer}`;
        return [
          normTensor(`${at}.input_layernorm`, hiddenSize),
          ...linearTensors(`${at}.self_attn.q_proj`, query, hiddenSize, biases.qkv),
          ...linearTensors(`${at}.self_attn.k_proj`, keyValue, hiddenSize, biases.qkv),
          ...linearTensors(`${at}.self_attn.v_proj`, keyValue, hiddenSize, biases.qkv),
          ...(headNorms ? ["q", "k"].map((part) => normTensor(`${at}.self_attn.${part}_norm`, headDim)) : []),
          ...linearTensors(`${at}.self_attn.o_proj`, hiddenSize, query, biases.out),
          normTensor(`${at}.post_attention_layernorm`, hiddenSize),
          ...linearTensors(`${at}.mlp.gate_proj`, intermediateSize, hiddenSize, biases.mlp),
          ...linearTensors(`${at}.mlp.up_proj`, intermediateSize, hiddenSize, biases.mlp),
          ...linearTensors(`${at}.mlp.down_proj`, hiddenSize, intermediateSize, biases.mlp),
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
        x = network.add(x, attention(network, layer, `${at}.self_attn`, beforeAttention));
        const beforeMlp = network.rmsNorm(`${at}.post_attention_layernorm`, x, eps);
        const gate = network.linear(`${at}.mlp.gate_proj`, beforeMlp);
        const up = network.linear(`${at}.mlp.up_proj`, beforeMlp);
        x = network.add(x, network.linear(`${at}.mlp.down_proj`, network.gated("silu", gate, up)));
      }
      return network.rmsNorm("model.norm", x, eps);
    },
  };
}
