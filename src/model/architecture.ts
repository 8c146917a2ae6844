/** The contract of one network: which tensors it has and how they are put together. One file per architecture beside this one. */
import type { Tensor } from "../engine/tensor";
import type { ColumnRuns } from "../ops/columns";
import type { ConfigFields } from "./config/fields";
import type { ModelConfig } from "./config/model-config";
import type { Rotary } from "./config/rotary";

export interface TensorSpec {
  /** Hugging Face name. */
  readonly name: string;
  /** [out, in] for matrices, [size] for vectors. */
  readonly shape: readonly [number, number] | readonly [number];
  /** May be absent from the file. */
  readonly optional?: boolean;
  /** A `Conv1D` of transformers (GPT-2): checkpoints store it as [in, out]. `shape` is [out, in] all the same. */
  readonly conv1d?: boolean;
}

export interface AttentionOptions {
  /** Sees so many tokens, its own included; all where absent. */
  readonly window?: number | null;
  /** Multiplies q·k; 1/√headDim where absent. */
  readonly scale?: number;
}

/** What a forward pass is written with. Modules are named by their Hugging Face path, without ".weight". */
export interface Network {
  /** Rows of an embedding for the batch's tokens, times `scale` (1 where absent): [tokens, hidden]. */
  embedding(module: string, scale?: number): Tensor;
  /** Rows of a table of learned positions for the batch's positions: [tokens, hidden]. */
  positionEmbedding(module: string): Tensor;
  /** With the bias, where the model has the tensor `${module}.bias`. */
  linear(module: string, x: Tensor): Tensor;
  /** Over each run of the weight's length: a whole row, or each head. `weightOffset` is added to the weight (1 in Gemma). */
  rmsNorm(module: string, x: Tensor, eps: number, weightOffset?: number): Tensor;
  layerNorm(module: string, x: Tensor, eps: number): Tensor;
  /** Rotary position embedding of [tokens, heads · headDim], by one of the config's `rotaries`. */
  rope(x: Tensor, rotary: Rotary): Tensor;
  /** Causal attention within each document: q [tokens, heads · headDim], k and v [tokens, kvHeads · headDim]. */
  attention(layer: number, q: Tensor, k: Tensor, v: Tensor, options?: AttentionOptions): Tensor;
  /** activation(gate) · up */
  gated(activation: "silu" | "gelu_tanh", gate: Tensor, up: Tensor): Tensor;
  gelu(approximation: "tanh" | "erf", x: Tensor): Tensor;
  columns(x: Tensor, runs: ColumnRuns): Tensor;
  /**
   * The residual stream's addition. It hands its gradient on uncopied, so of everything that uses `a` or `b` it must be
   * recorded last.
   */
  add(a: Tensor, b: Tensor): Tensor;
}

/** One model, as its config.json describes it. */
export interface Blueprint {
  readonly config: ModelConfig;
  readonly tensors: readonly TensorSpec[];
  /** Names of the linear modules of a block that can carry an adapter, in the block's order. */
  readonly adapterTargets: readonly string[];
  readonly inputEmbedding: string;
  /** The output matrix; the input embedding where the file has none and the config ties them. */
  readonly outputMatrix: string;
  /** "transformer" where checkpoints of the bare model leave "transformer." off every name. */
  readonly baseModelPrefix: string;
  /** Hidden states after the last norm: [tokens, hidden]. */
  readonly forward: (network: Network) => Tensor;
}

export interface Architecture {
  /** `model_type` of config.json, and the file's name. */
  readonly modelType: string;
  /** Throws `ModelError` naming the field that is missing, out of range or asks for what is not built. */
  readonly blueprint: (fields: ConfigFields) => Blueprint;
}
