/** The contract of one network: which tensors it has and how they are put together. One file per architecture beside this one. */
import type { Tensor } from "../engine/tensor";
import type { ModelConfig } from "./config";

export interface TensorSpec {
  /** Hugging Face name. */
  readonly name: string;
  /** [out, in] for matrices, [size] for vectors. */
  readonly shape: readonly [number, number] | readonly [number];
  /** May be absent from the file. */
  readonly optional?: boolean;
}

/** What a forward pass is written with. Modules are named by their Hugging Face path, without ".weight". */
export interface Network {
  /** Rows of an embedding for the batch's tokens: [tokens, hidden]. */
  embedding(module: string): Tensor;
  linear(module: string, x: Tensor): Tensor;
  rmsNorm(module: string, x: Tensor): Tensor;
  /** Rotary position embedding of [tokens, heads · headDim]. */
  rope(x: Tensor): Tensor;
  /** Causal attention within each document: q [tokens, heads · headDim], k and v [tokens, kvHeads · headDim]. */
  attention(layer: number, q: Tensor, k: Tensor, v: Tensor): Tensor;
  /** silu(gate) · up */
  swiglu(gate: Tensor, up: Tensor): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
}

export interface Architecture {
  /** `model_type` of config.json, and the file's name. */
  readonly modelType: string;
  readonly tensors: (config: ModelConfig) => readonly TensorSpec[];
  /** Linear modules of a block that can carry an adapter, in the block's order. */
  readonly adapterTargets: readonly string[];
  readonly inputEmbedding: string;
  /** The output matrix; the input embedding where the file has none and the config ties them. */
  readonly outputMatrix: string;
  /** Hidden states after the last norm: [tokens, hidden]. */
  readonly forward: (network: Network, config: ModelConfig) => Tensor;
}
