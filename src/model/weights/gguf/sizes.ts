/** Sizes that all architectures keep under the same metadata keys, and what none of them may ask for. */
import { shortest } from "./decimal";
import type { GgufHeader } from "./header";

export interface Sizes {
  readonly hidden: number;
  readonly inner: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly positions: number;
  readonly vocabulary: number;
  /** Without an output matrix of its own the embedding serves. */
  readonly tied: boolean;
}

/** `tokens` is the number that the file lists. Throws `WeightsError` naming the key. */
export function readSizes(id: string, { metadata, tensors }: GgufHeader, tokens: number): Sizes {
  if (metadata.int(`${id}.expert_count`, 0, 2 ** 16, 0) > 0) {
    throw metadata.error(`${id}.expert_count`, "0; mixtures of experts are not supported");
  }
  if (!metadata.flag(`${id}.attention.causal`, true)) {
    throw metadata.error(`${id}.attention.causal`, "true; models that look ahead cannot be trained to continue a text");
  }
  for (const key of [`${id}.attn_logit_softcapping`, `${id}.final_logit_softcapping`]) {
    if (metadata.number(key, 0, 1e6, 0) !== 0) throw metadata.error(key, "absent; soft caps are not supported");
  }
  const embedding = tensors.get("token_embd.weight")?.shape;
  const rows = embedding?.length === 2 ? (embedding[0] ?? tokens) : null;
  if (rows !== null && rows < tokens) {
    throw metadata.error("tokenizer.ggml.tokens", `a list of at most ${rows} tokens, the rows of token_embd.weight`);
  }
  return {
    ...readHeads(id, { metadata, tensors }),
    inner: metadata.int(`${id}.feed_forward_length`, 1, 2 ** 20),
    layers: metadata.int(`${id}.block_count`, 1, 1000),
    positions: metadata.int(`${id}.context_length`, 1, 2 ** 28),
    vocabulary: rows ?? metadata.int(`${id}.vocab_size`, 1, 2 ** 22, tokens),
    tied: !tensors.has("output.weight"),
  };
}

export function readHeads(
  id: string,
  { metadata }: GgufHeader,
): Pick<Sizes, "hidden" | "heads" | "keyValueHeads" | "headDim"> {
  const keys = `${id}.attention`;
  const hidden = metadata.int(`${id}.embedding_length`, 1, 65536);
  const heads = metadata.int(`${keys}.head_count`, 1, 1024);
  const keyValueHeads = metadata.int(`${keys}.head_count_kv`, 1, heads, heads);
  if (heads % keyValueHeads !== 0) {
    throw metadata.error(`${keys}.head_count_kv`, `a divisor of ${keys}.head_count, ${heads}`);
  }
  const headDim = metadata.int(`${keys}.key_length`, 1, 1024, Math.floor(hidden / heads));
  if (!metadata.has(`${keys}.key_length`) && headDim * heads !== hidden) {
    throw metadata.error(`${keys}.head_count`, `a divisor of ${id}.embedding_length, ${hidden}`);
  }
  if (headDim % 2 !== 0) throw metadata.error(`${keys}.key_length`, "even");
  if (metadata.int(`${keys}.value_length`, 1, 1024, headDim) !== headDim) {
    throw metadata.error(`${keys}.value_length`, `${keys}.key_length, ${headDim}`);
  }
  return { hidden, heads, keyValueHeads, headDim };
}

/** Tokens that an attention window shows; null where there is none, or none that hides anything. */
export function readWindow(id: string, { metadata }: GgufHeader, positions: number): number | null {
  const window = metadata.int(`${id}.attention.sliding_window`, 0, 2 ** 32 - 1, 0);
  return window > 0 && window < positions ? window : null;
}

/** For architectures that have no window. */
export function refuseWindow(id: string, header: GgufHeader, positions: number): void {
  if (readWindow(id, header, positions) === null) return;
  throw header.metadata.error(
    `${id}.attention.sliding_window`,
    "absent; sliding windows are not supported in this architecture",
  );
}

/** The fields that Llama's config.json and those like it have in common. */
export function llamaFields(id: string, { metadata }: GgufHeader, sizes: Sizes): Readonly<Record<string, unknown>> {
  return {
    hidden_act: "silu",
    vocab_size: sizes.vocabulary,
    hidden_size: sizes.hidden,
    intermediate_size: sizes.inner,
    num_hidden_layers: sizes.layers,
    num_attention_heads: sizes.heads,
    num_key_value_heads: sizes.keyValueHeads,
    head_dim: sizes.headDim,
    rms_norm_eps: shortest(metadata.number(`${id}.attention.layer_norm_rms_epsilon`, 1e-12, 1)),
    max_position_embeddings: sizes.positions,
    tie_word_embeddings: sizes.tied,
  };
}
