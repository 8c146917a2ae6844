/** From the names of a GGUF file's tensors to Hugging Face's. */

export interface NameTable {
  /** Tensors outside the blocks, by full name. */
  readonly top: Readonly<Record<string, string>>;
  /** What comes before a block's number: "model.layers". */
  readonly blocks: string;
  /** Modules of a block, without the name's end. */
  readonly modules: Readonly<Record<string, string>>;
}

/** null for a name that the table lacks. */
export function huggingFaceName({ top, blocks, modules }: NameTable, name: string): string | null {
  if (Object.hasOwn(top, name)) return top[name] ?? null;
  const [, layer, part = "", kind] = /^blk\.(\d{1,6})\.([a-z_]+)\.(weight|bias)$/.exec(name) ?? [];
  return Object.hasOwn(modules, part) ? `${blocks}.${layer}.${modules[part]}.${kind}` : null;
}

/** Llama's names, which most architectures share. */
export const llamaNames: NameTable = {
  top: {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
  },
  blocks: "model.layers",
  modules: {
    attn_norm: "input_layernorm",
    attn_q: "self_attn.q_proj",
    attn_k: "self_attn.k_proj",
    attn_v: "self_attn.v_proj",
    attn_output: "self_attn.o_proj",
    ffn_norm: "post_attention_layernorm",
    ffn_gate: "mlp.gate_proj",
    ffn_up: "mlp.up_proj",
    ffn_down: "mlp.down_proj",
  },
};

/** Beside the model: they are read with the config, or can be computed. */
export const isRotaryTensor = (name: string): boolean =>
  /^(rope_freqs|rope_factors_long|rope_factors_short)\.weight$|^blk\.\d{1,6}\.attn_rot_embd\./.test(name);
