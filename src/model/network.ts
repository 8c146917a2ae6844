/** Turns an architecture's forward pass into a graph: looks tensors and adapters up by module and places attention. */

import type { Device } from "../engine/device";
import { type RuntimeScalar, type SymbolicDim, symbolicDim } from "../engine/dims";
import { EngineError } from "../engine/errors";
import type { Graph } from "../engine/graph";
import { bufferTensor, PlannedBuffer, type Tensor } from "../engine/tensor";
import { attention } from "../ops/attention";
import { embedding } from "../ops/embedding";
import { appendToCache } from "../ops/kv-cache";
import { type LowRankPair, linear } from "../ops/linear";
import type { Targets } from "../ops/linear-cross-entropy";
import { residualAdd } from "../ops/residual-add";
import { rmsNorm } from "../ops/rms-norm";
import { rope, ropeTables } from "../ops/rope";
import { swiglu } from "../ops/swiglu";
import type { Network } from "./architecture";
import type { LoadedModel } from "./load";

/** The buffers that hold one batch, sized for the largest; written before each replay. */
export interface BatchTensors {
  readonly tokens: SymbolicDim;
  readonly ids: Tensor;
  readonly positions: Tensor;
  readonly segmentStart: Tensor;
  readonly segmentEnd: Tensor;
  readonly targets: Targets;
}

/** Replays bind "tokens" and "targets". */
export function planBatch(maxTokens: number, maxTargets: number): { batch: BatchTensors; buffers: PlannedBuffer[] } {
  const tokens = symbolicDim("tokens", maxTokens);
  const targets = symbolicDim("targets", maxTargets);
  const buffers: PlannedBuffer[] = [];
  const input = (label: string, dim: SymbolicDim): Tensor => {
    const buffer = new PlannedBuffer(label, 4 * dim.max);
    buffers.push(buffer);
    return bufferTensor(label, "u32", [dim], buffer);
  };
  const batch: BatchTensors = {
    tokens,
    ids: input("ids", tokens),
    positions: input("positions", tokens),
    segmentStart: input("segment_start", tokens),
    segmentEnd: input("segment_end", tokens),
    targets: { indices: input("target_indices", targets), ids: input("target_ids", targets) },
  };
  return { batch, buffers };
}

/** Rotary tables for positions 0 … maxPositions − 1: [maxPositions, headDim / 2]. */
export interface RotaryTables {
  readonly cosines: Tensor;
  readonly sines: Tensor;
  readonly buffers: readonly PlannedBuffer[];
  /** Fills the buffers; call it once they are allocated. */
  readonly write: (device: Device) => void;
}

export function planRotary(model: LoadedModel, maxPositions: number): RotaryTables {
  const { headDim, ropeTheta } = model.config;
  const half = headDim / 2;
  const cos = new PlannedBuffer("rotary cos", 4 * maxPositions * half);
  const sin = new PlannedBuffer("rotary sin", 4 * maxPositions * half);
  return {
    cosines: bufferTensor(cos.label, "f32", [maxPositions, half], cos),
    sines: bufferTensor(sin.label, "f32", [maxPositions, half], sin),
    buffers: [cos, sin],
    write: (device) => {
      // Rounded to f32 where torch rounds: at large positions the difference would show in the angle.
      const frequencies = Float32Array.from({ length: half }, (_, pair) => {
        const power = Math.fround(ropeTheta ** Math.fround((2 * pair) / headDim));
        return 1 / power;
      });
      const tables = ropeTables(frequencies, maxPositions);
      device.write(cos.gpu, tables.cosines);
      device.write(sin.gpu, tables.sines);
    },
  };
}

/** Keys and values of earlier tokens, one pair of [capacity, kvHeads · headDim] per layer. */
export interface KeyValueCache {
  readonly layers: readonly { readonly k: Tensor; readonly v: Tensor }[];
  /** Filled length after this replay's tokens are appended. */
  readonly length: SymbolicDim;
  /** Cache row of this replay's first token. */
  readonly offset: RuntimeScalar;
}

export interface NetworkOptions {
  readonly batch: BatchTensors;
  readonly rotary: RotaryTables;
  readonly adapters: ReadonlyMap<string, LowRankPair>;
  /** Null while training: every document is whole. */
  readonly cache: KeyValueCache | null;
}

/** The forward pass as graph calls: hidden states after the last norm, [tokens, hidden]. */
export function recordForward(g: Graph, model: LoadedModel, options: NetworkOptions): Tensor {
  const { config, architecture, matrices, vectors } = model;
  const { batch, rotary, adapters, cache } = options;
  const matrix = (module: string) => {
    const found = matrices.get(module);
    if (!found) throw new EngineError(`The model has no matrix named ${module}.`);
    return found;
  };
  const vector = (name: string) => {
    const found = vectors.get(name);
    if (!found) throw new EngineError(`The model has no vector named ${name}.`);
    return found;
  };
  const heads = { heads: config.numHeads, keyValueHeads: config.numKeyValueHeads, headDim: config.headDim };
  const network: Network = {
    embedding: (module) => g.checkpoint(embedding(g, batch.ids, matrix(module))),
    linear: (module, x) =>
      linear(g, x, matrix(module), vectors.get(`${module}.bias`) ?? null, adapters.get(module) ?? null),
    rmsNorm: (module, x) => rmsNorm(g, x, vector(`${module}.weight`), config.rmsNormEps),
    rope: (x) => rope(g, x, batch.positions, rotary),
    attention: (layer, q, k, v) => {
      if (!cache) return attention(g, { q, k, v }, batch, heads);
      const stored = cache.layers[layer];
      if (!stored) throw new EngineError(`The cache has no layer ${layer}.`);
      appendToCache(g, k, stored.k, cache.offset);
      appendToCache(g, v, stored.v, cache.offset);
      const filled = (tensor: Tensor): Tensor => ({ ...tensor, shape: [cache.length, ...tensor.shape.slice(1)] });
      return attention(g, { q, k: filled(stored.k), v: filled(stored.v) }, batch, {
        ...heads,
        queryOffset: cache.offset,
      });
    },
    swiglu: (gate, up) => swiglu(g, gate, up),
    add: (a, b) => g.checkpoint(residualAdd(g, a, b)),
  };
  return architecture.forward(network, config);
}
