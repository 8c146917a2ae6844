/**
 * Models to begin with. Each config is the repository's own, less what decides no shape and no number, so that
 * parameters, download and memory are known before anything is fetched. Sizes of downloads are those of 2025.
 */

export interface CatalogueEntry {
  /** On the hub. */
  readonly id: string;
  readonly name: string;
  readonly family: string;
  /** One line. */
  readonly description: string;
  /** In a word. */
  readonly licence: string;
  /** What is looked up and downloaded: `id`, or where that is gated a copy without the gate. */
  readonly from: string;
  /** One sentence where `from` is not `id`. */
  readonly gate: string | null;
  /** Copies without the gate. */
  readonly mirrors: readonly string[];
  /** config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The variant to begin with, in `from`; `bytes` with tokenizer and config, to about a hundredth. */
  readonly variant: { readonly id: string; readonly label: string; readonly bytes: number };
}

const llama = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  attention_bias: false,
  mlp_bias: false,
  hidden_act: "silu",
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};

const smollm2 = {
  ...llama,
  bos_token_id: 1,
  eos_token_id: 2,
  pad_token_id: 2,
  max_position_embeddings: 8192,
  rope_interleaved: false,
  rope_scaling: null,
  rope_theta: 100000,
  vocab_size: 49152,
};

const qwen = {
  hidden_act: "silu",
  bos_token_id: 151643,
  eos_token_id: 151645,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000,
  tie_word_embeddings: true,
  use_sliding_window: false,
  vocab_size: 151936,
};

const pythia = {
  architectures: ["GPTNeoXForCausalLM"],
  model_type: "gpt_neox",
  bos_token_id: 0,
  eos_token_id: 0,
  hidden_act: "gelu",
  layer_norm_eps: 1e-5,
  max_position_embeddings: 2048,
  rotary_emb_base: 10000,
  rotary_pct: 0.25,
  tie_word_embeddings: false,
  use_parallel_residual: true,
  vocab_size: 50304,
};

const onnx4 = { id: "onnx/model_q4.onnx", label: "ONNX, 4-bit" };
const tensors = { id: "model.safetensors", label: "safetensors, as trained" };
const open = (id: string) => ({ id, from: id, gate: null, mirrors: [] });
const gatedBehind = (id: string, owner: string, from: string, ...mirrors: string[]) => ({
  id,
  from,
  gate: `${owner} asks to accept the licence at https://huggingface.co/${id} before downloading; the same weights come from ${from}, under the same licence.`,
  mirrors: [from, ...mirrors],
});

export const catalogue: readonly CatalogueEntry[] = [
  {
    ...open("HuggingFaceTB/SmolLM2-135M-Instruct"),
    name: "SmolLM2 135M Instruct",
    family: "SmolLM2",
    description: "The smallest that holds a conversation; trains in minutes on most machines.",
    licence: "Apache-2.0",
    config: {
      ...smollm2,
      hidden_size: 576,
      intermediate_size: 1536,
      num_attention_heads: 9,
      num_hidden_layers: 30,
      num_key_value_heads: 3,
    },
    variant: { ...onnx4, bytes: 202_000_000 },
  },
  {
    ...open("HuggingFaceTB/SmolLM2-360M-Instruct"),
    name: "SmolLM2 360M Instruct",
    family: "SmolLM2",
    description: "The same recipe with more room: better answers, about three times the work.",
    licence: "Apache-2.0",
    config: {
      ...smollm2,
      hidden_size: 960,
      intermediate_size: 2560,
      num_attention_heads: 15,
      num_hidden_layers: 32,
      num_key_value_heads: 5,
    },
    variant: { ...onnx4, bytes: 419_000_000 },
  },
  {
    ...open("Qwen/Qwen2.5-0.5B-Instruct"),
    name: "Qwen2.5 0.5B Instruct",
    family: "Qwen2.5",
    description: "Many languages, code and JSON; a strong all-rounder of its size.",
    licence: "Apache-2.0",
    config: {
      ...qwen,
      architectures: ["Qwen2ForCausalLM"],
      model_type: "qwen2",
      hidden_size: 896,
      intermediate_size: 4864,
      max_position_embeddings: 32768,
      max_window_layers: 21,
      num_attention_heads: 14,
      num_hidden_layers: 24,
      num_key_value_heads: 2,
      sliding_window: 32768,
    },
    variant: { ...tensors, bytes: 995_000_000 },
  },
  {
    ...open("Qwen/Qwen3-0.6B"),
    name: "Qwen3 0.6B",
    family: "Qwen3",
    description: "Thinks before it answers if asked to; many languages.",
    licence: "Apache-2.0",
    config: {
      ...qwen,
      architectures: ["Qwen3ForCausalLM"],
      model_type: "qwen3",
      attention_bias: false,
      head_dim: 128,
      hidden_size: 1024,
      intermediate_size: 3072,
      max_position_embeddings: 40960,
      max_window_layers: 28,
      num_attention_heads: 16,
      num_hidden_layers: 28,
      num_key_value_heads: 8,
      rope_scaling: null,
      sliding_window: null,
    },
    variant: { ...tensors, bytes: 1_515_000_000 },
  },
  {
    ...gatedBehind(
      "google/gemma-3-270m-it",
      "Google",
      "unsloth/gemma-3-270m-it",
      "onnx-community/gemma-3-270m-it-ONNX",
    ),
    name: "Gemma 3 270M Instruct",
    family: "Gemma 3",
    description: "Made to be fine-tuned for one task; two thirds of it is vocabulary.",
    licence: "Gemma",
    config: {
      architectures: ["Gemma3ForCausalLM"],
      model_type: "gemma3_text",
      _sliding_window_pattern: 6,
      attention_bias: false,
      attn_logit_softcapping: null,
      bos_token_id: 2,
      eos_token_id: 1,
      pad_token_id: 0,
      final_logit_softcapping: null,
      head_dim: 256,
      hidden_activation: "gelu_pytorch_tanh",
      hidden_size: 640,
      intermediate_size: 2048,
      layer_types: Array.from({ length: 18 }, (_, i) => (i % 6 === 5 ? "full_attention" : "sliding_attention")),
      max_position_embeddings: 32768,
      num_attention_heads: 4,
      num_hidden_layers: 18,
      num_key_value_heads: 1,
      query_pre_attn_scalar: 256,
      rms_norm_eps: 1e-6,
      rope_local_base_freq: 10000,
      rope_scaling: null,
      rope_theta: 1000000,
      sliding_window: 512,
      use_bidirectional_attention: false,
      vocab_size: 262144,
    },
    variant: { ...tensors, bytes: 571_000_000 },
  },
  {
    ...gatedBehind(
      "meta-llama/Llama-3.2-1B-Instruct",
      "Meta",
      "onnx-community/Llama-3.2-1B-Instruct",
      "unsloth/Llama-3.2-1B-Instruct",
    ),
    name: "Llama 3.2 1B Instruct",
    family: "Llama 3.2",
    description: "The largest here; for machines with a graphics card of its own.",
    licence: "Llama 3.2",
    config: {
      ...llama,
      bos_token_id: 128000,
      eos_token_id: [128001, 128008, 128009],
      head_dim: 64,
      hidden_size: 2048,
      intermediate_size: 8192,
      max_position_embeddings: 131072,
      num_attention_heads: 32,
      num_hidden_layers: 16,
      num_key_value_heads: 8,
      rope_scaling: {
        factor: 32,
        high_freq_factor: 4,
        low_freq_factor: 1,
        original_max_position_embeddings: 8192,
        rope_type: "llama3",
      },
      rope_theta: 500000,
      vocab_size: 128256,
    },
    variant: { ...onnx4, bytes: 1_670_000_000 },
  },
  {
    ...open("openai-community/gpt2"),
    name: "GPT-2",
    family: "GPT-2",
    description: "The classic of 2019: continues text, knows no conversation; good for learning how it works.",
    licence: "MIT",
    config: {
      architectures: ["GPT2LMHeadModel"],
      model_type: "gpt2",
      activation_function: "gelu_new",
      bos_token_id: 50256,
      eos_token_id: 50256,
      layer_norm_epsilon: 1e-5,
      n_ctx: 1024,
      n_embd: 768,
      n_head: 12,
      n_layer: 12,
      n_positions: 1024,
      vocab_size: 50257,
    },
    variant: { ...tensors, bytes: 549_500_000 },
  },
  {
    ...open("EleutherAI/pythia-70m"),
    name: "Pythia 70M",
    family: "Pythia",
    description: "Tiny and well studied; continues text, and most of it is vocabulary.",
    licence: "Apache-2.0",
    config: { ...pythia, hidden_size: 512, intermediate_size: 2048, num_attention_heads: 8, num_hidden_layers: 6 },
    variant: { ...tensors, bytes: 168_000_000 },
  },
  {
    ...open("EleutherAI/pythia-160m"),
    name: "Pythia 160M",
    family: "Pythia",
    description: "Well studied, with checkpoints of every stage of its training; continues text.",
    licence: "Apache-2.0",
    config: { ...pythia, hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12, num_hidden_layers: 12 },
    variant: { ...tensors, bytes: 377_000_000 },
  },
];
