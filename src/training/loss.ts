/** The mean loss of a batch as graph calls, and the loop that measures it over held-out batches. Training and evaluation share both. */
import type { PackedBatch } from "../data/types";
import type { Device } from "../engine/device";
import { type Bindings, runtimeScalar } from "../engine/dims";
import { Graph } from "../engine/graph";
import type { Program } from "../engine/program";
import type { Readback } from "../engine/readback";
import { bufferTensor, PlannedBuffer, type Tensor } from "../engine/tensor";
import { type BatchTensors, planBatch, planRotary, type RotaryTables, recordForward } from "../model/network";
import type { PlannedModel } from "../model/planned-model";
import type { LowRankPair } from "../ops/linear";
import { linearCrossEntropy } from "../ops/linear-cross-entropy";
import { sum } from "../ops/sum";

/** The largest micro-batch of a run, training and held-out data together. */
export interface SessionSizes {
  readonly maxTokens: number;
  readonly maxTargets: number;
  /** Tokens of the longest document. */
  readonly maxSegment: number;
}

/** f32 entries of the statistics buffer: Σ losses in nats, the gradient's norm. */
export const statistics = { loss: 0, norm: 1, size: 4 } as const;
export const statisticsBytes = 4 * statistics.size;

/** What every loss needs beside the model: the batch, the rotary tables and a place for the result. */
export interface LossInputs {
  readonly batch: BatchTensors;
  readonly batchBuffers: readonly PlannedBuffer[];
  readonly rotary: RotaryTables;
  readonly statistics: Tensor;
  readonly statisticsBuffer: PlannedBuffer;
  readonly buffers: readonly PlannedBuffer[];
}

export function planLossInputs(model: PlannedModel, sizes: SessionSizes): LossInputs {
  const { batch, buffers: batchBuffers } = planBatch(sizes.maxTokens, sizes.maxTargets);
  const rotary = planRotary(model, sizes.maxSegment);
  const statisticsBuffer = new PlannedBuffer("statistics", statisticsBytes);
  return {
    batch,
    batchBuffers,
    rotary,
    statistics: bufferTensor("statistics", "f32", [statistics.size], statisticsBuffer),
    statisticsBuffer,
    buffers: [...batchBuffers, ...rotary.buffers, statisticsBuffer],
  };
}

export interface RecordedLoss {
  /** One for each counted token: where a backward pass starts. */
  readonly losses: Tensor;
  /** Intermediates that are there for the loss alone: the counted tokens' hidden states, a chunk of logits, what is between. */
  readonly own: ReadonlySet<Tensor>;
}

/**
 * Records forward pass and loss; Σ losses goes to the statistics. Replays bind tokens, targets, lossScale (the factor of
 * the gradient), accumulateLoss (1 adds to the sum so far) and strength.
 */
export function recordLoss(
  g: Graph,
  model: PlannedModel,
  inputs: LossInputs,
  adapters: ReadonlyMap<string, LowRankPair>,
): RecordedLoss {
  const { batch, rotary } = inputs;
  const hidden = recordForward(g, model, { batch, rotary, adapters, cache: null });
  const first = g.calls.length;
  const losses = linearCrossEntropy(g, hidden, model.output, batch.targets, runtimeScalar("lossScale"));
  sum(g, losses, inputs.statistics, { index: statistics.loss, accumulate: runtimeScalar("accumulateLoss") });
  const own = new Set(g.calls.slice(first).flatMap(({ tensors }) => [...tensors.values()].map(Graph.rootOf)));
  own.delete(Graph.rootOf(hidden));
  return { losses, own };
}

/** Uploads a batch and gives the sizes that a replay binds. */
export function writeBatch(device: Device, inputs: LossInputs, batch: PackedBatch): Bindings {
  // In the order of `planBatch`.
  const arrays = [batch.ids, batch.positions, batch.segmentStart, batch.segmentEnd, batch.targetIndices, batch.targets];
  inputs.batchBuffers.forEach((buffer, index) => {
    const array = arrays[index];
    if (array && array.length > 0) device.write(buffer.gpu, array);
  });
  return { tokens: batch.ids.length, targets: batch.targets.length };
}

/** Held-out batches, made as they are asked for. */
export type Batches = AsyncIterable<PackedBatch> | Iterable<PackedBatch>;

export interface LossOptions {
  /** Multiplies the adapter's scale; 1 as trained. */
  readonly strength?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (countedTokens: number) => void;
}

/** Token-weighted mean cross-entropy in nats. Throws the signal's reason when aborted. */
export async function measureLoss(
  device: Device,
  program: Program,
  readback: Readback,
  inputs: LossInputs,
  batches: Batches,
  options: LossOptions,
): Promise<{ readonly loss: number; readonly countedTokens: number }> {
  let total = 0;
  let countedTokens = 0;
  for await (const batch of batches) {
    options.signal?.throwIfAborted();
    const sizes = writeBatch(device, inputs, batch);
    program.run({ ...sizes, lossScale: 0, accumulateLoss: 0, strength: options.strength ?? 1 });
    const values = new Float32Array(await readback.read(inputs.statisticsBuffer.gpu));
    total += values[statistics.loss] ?? Number.NaN;
    countedTokens += batch.targets.length;
    options.onProgress?.(countedTokens);
  }
  return { loss: total / countedTokens, countedTokens };
}
