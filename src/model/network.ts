/** Turns an architecture's forward pass into a graph: looks tensors and adapters up by module and places attention. */

import type { Device } from "../engine/device";
import { type RuntimeScalar, type SymbolicDim, symbolicDim } from "../engine/dims";
import { EngineError } from "../engine/errors";
import type { Graph } from "../engine/graph";
import { bufferTensor, PlannedBuffer, type Tensor } from "../engine/tensor";
import { attention } from "../ops/attention";
import { columns } from "../ops/columns";
import { embedding } from "../ops/embedding";
import { gatedActivation } from "../ops/gated-activation";
import { gelu } from "../ops/gelu";
import { appendToCache } from "../ops/kv-cache";
import { layerNorm } from "../ops/layer-norm";
import { type LowRankPair, linear } from "../ops/linear";
import type { Targets } from "../ops/linear-cross-entropy";
import { residualAdd } from "../ops/residual-add";
import { rmsNorm } from "../ops/rms-norm";
import { type RopeTables, rope, ropeTables } from "../ops/rope";
import type { Network } from "./architecture";
import type { Rotary } from "./config/rotary";
import type { PlannedModel } from "./planned-model";

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

/** Tables of every rotary embedding of a model, for positions 0 … maxPositions − 1: [maxPositions, rotaryDim / 2]. */
export interface RotaryTables {
  readonly tables: ReadonlyMap<Rotary, RopeTables<Tensor>>;
  readonly buffers: readonly PlannedBuffer[];
  /** Fills the buffers; call it once they are allocated. */
  readonly write: (device: Device) => void;
}

export function planRotary(model: PlannedModel, maxPositions: number): RotaryTables {
  const planned = model.config.rotaries.map((rotary) => {
    const half = rotary.inverseFrequencies.length;
    const buffer = (part: string) => new PlannedBuffer(`${rotary.label} ${part}`, 4 * maxPositions * half);
    return { rotary, half, cos: buffer("cos"), sin: buffer("sin") };
  });
  return {
    tables: new Map(
      planned.map(({ rotary, half, cos, sin }) => [
        rotary,
        {
          cosines: bufferTensor(cos.label, "f32", [maxPositions, half], cos),
          sines: bufferTensor(sin.label, "f32", [maxPositions, half], sin),
        },
      ]),
    ),
    buffers: planned.flatMap(({ cos, sin }) => [cos, sin]),
    write: (device) => {
      for (const { rotary, cos, sin } of planned) {
        const tables = ropeTables(rotary.inverseFrequencies, maxPositions, rotary.factor);
        device.write(cos.gpu, tables.cosines);
        device.write(sin.gpu, tables.sines);
      }
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
export function recordForward(g: Graph, model: PlannedModel, options: NetworkOptions): Tensor {
  const { config, blueprint, matrices, vectors } = model;
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
    embedding: (module, scale) => g.checkpoint(embedding(g, batch.ids, matrix(module), scale)),
    positionEmbedding: (module) => embedding(g, batch.positions, matrix(module)),
    linear: (module, x) =>
      linear(g, x, matrix(module), vectors.get(`${module}.bias`) ?? null, adapters.get(module) ?? null),
    rmsNorm: (module, x, eps, weightOffset = 0) => rmsNorm(g, x, vector(`${module}.weight`), { eps, weightOffset }),
    layerNorm: (module, x, eps) =>
      layerNorm(g, x, vector(`${module}.weight`), vectors.get(`${module}.bias`) ?? null, eps),
    rope: (x, embedded) => {
      const tables = rotary.tables.get(embedded);
      if (!tables) throw new EngineError(`The config lists no rotary embedding "${embedded.label}".`);
      return rope(g, x, batch.positions, tables, config.headDim);
    },
    attention: (layer, q, k, v, { window, scale } = {}) => {
      const how = { ...heads, ...(window ? { window } : {}), ...(scale === undefined ? {} : { scale }) };
      if (!cache) return attention(g, { q, k, v }, batch, how);
      const stored = cache.layers[layer];
      if (!stored) throw new EngineError(`The cache has no layer ${layer}.`);
      appendToCache(g, k, stored.k, cache.offset);
      appendToCache(g, v, stored.v, cache.offset);
      const filled = (tensor: Tensor): Tensor => ({ ...tensor, shape: [cache.length, ...tensor.shape.slice(1)] });
      return attention(g, { q, k: filled(stored.k), v: filled(stored.v) }, batch, {
        ...how,
        queryOffset: cache.offset,
      });
    },
    gated: (activation, gate, up) => gatedActivation(g, gate, up, activation),
    gelu: (approximation, x) => gelu(g, x, approximation),
    columns: (x, runs) => columns(g, x, runs),
    add: (a, b) => g.checkpoint(residualAdd(g, a, b)),
  };
  return blueprint.forward(network);
}
