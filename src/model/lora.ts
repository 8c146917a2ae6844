/**
 * LoRA adapters (Hu et al. 2021) on the GPU: all A and B of a run in one flat buffer, so that norm, optimizer and
 * checkpoint are one pass each. B is kept transposed, ranks are padded with zeros, which training leaves at zero.
 */
import type { Device } from "../engine/device";
import { type RuntimeScalar, runtimeScalar, scaled } from "../engine/dims";
import { bufferTensor, type PlannedBuffer, type Tensor } from "../engine/tensor";
import type { LowRankPair } from "../ops/linear";
import { ModelError } from "./errors";
import type { PlannedModel } from "./planned-model";

/** A module's place in the flat buffers; offsets in floats. */
export interface LoraSlot {
  readonly module: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly aOffset: number;
  readonly bOffset: number;
}

export interface LoraLayout {
  readonly rank: number;
  /** `rank` rounded up to a multiple of 4. */
  readonly paddedRank: number;
  readonly slots: readonly LoraSlot[];
  /** Floats of one flat buffer. */
  readonly size: number;
  /** Numbers that are trained: Σ rank · (in + out). */
  readonly parameters: number;
}

/** One module's matrices as PEFT has them: A [rank, in], B [out, rank]. */
export interface LoraMatrices {
  readonly module: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
}

/** WebGPU binds buffers at multiples of 256 bytes. */
const alignedFloats = 64;

/** Where each targeted module lies. Throws `ModelError` where a target names no module of the model. */
export function layoutLora(model: PlannedModel, rank: number, targets: readonly string[] | "all-linear"): LoraLayout {
  const names = targets === "all-linear" ? model.blueprint.adapterTargets : targets;
  const known = model.blueprint.adapterTargets;
  for (const name of names) {
    if (!known.includes(name)) {
      throw new ModelError(
        `The target module "${name}" is not in this model; choose from ${known.join(", ")} or all-linear.`,
      );
    }
  }
  const paddedRank = Math.ceil(rank / 4) * 4;
  const slots: LoraSlot[] = [];
  let size = 0;
  let parameters = 0;
  const place = (floats: number) => {
    const offset = size;
    size += Math.ceil(floats / alignedFloats) * alignedFloats;
    return offset;
  };
  for (const [module, matrix] of model.matrices) {
    if (!names.includes(module.slice(module.lastIndexOf(".") + 1))) continue;
    if (matrix.rows % 4 !== 0) throw new ModelError(`${module} has ${matrix.rows} rows; adapters need multiples of 4.`);
    const [inFeatures, outFeatures] = [matrix.columns, matrix.rows];
    slots.push({
      module,
      inFeatures,
      outFeatures,
      aOffset: place(paddedRank * inFeatures),
      bOffset: place(paddedRank * outFeatures),
    });
    parameters += rank * (inFeatures + outFeatures);
  }
  return { rank, paddedRank, slots, size, parameters };
}

/** The flat buffer of an adapter that is used or trained. */
export interface LoraWeights {
  readonly layout: LoraLayout;
  readonly parameters: PlannedBuffer;
}

export interface PairOptions {
  /** α/r or α/√r. */
  readonly scale: number;
  /** Flat gradient buffer; null where the adapter is only used. */
  readonly gradients: PlannedBuffer | null;
  readonly dropout: number;
}

/** Bound at each replay: multiplies every adapter's scale, 1 as trained, 0 the base model. */
const strength: RuntimeScalar = runtimeScalar("strength");
/** Bound at each replay: one number per micro-batch; every module derives its own mask from it. */
const dropoutSeed: RuntimeScalar = runtimeScalar("dropoutSeed");

/** The pairs that `linear` takes, by module. */
export function loraPairs(weights: LoraWeights, options: PairOptions): ReadonlyMap<string, LowRankPair> {
  const { layout, parameters } = weights;
  const view = (buffer: PlannedBuffer, label: string, offset: number, features: number): Tensor =>
    bufferTensor(label, "f32", [layout.paddedRank, features], buffer, 4 * offset);
  return new Map(
    layout.slots.map((slot, index) => {
      const { module, inFeatures, outFeatures, aOffset, bOffset } = slot;
      const { gradients } = options;
      return [
        module,
        {
          a: view(parameters, `${module}.lora_A`, aOffset, inFeatures),
          b: view(parameters, `${module}.lora_B`, bOffset, outFeatures),
          gradients: gradients && {
            a: view(gradients, `${module}.lora_A gradient`, aOffset, inFeatures),
            b: view(gradients, `${module}.lora_B gradient`, bOffset, outFeatures),
          },
          scale: scaled(strength, options.scale),
          dropout: options.dropout,
          dropoutSeed: options.dropout > 0 ? moduleSeed(index) : 0,
        },
      ];
    }),
  );
}

function moduleSeed(index: number): RuntimeScalar {
  return {
    name: `${dropoutSeed.name}#${index}`,
    at: (bindings) => (Math.imul(dropoutSeed.at(bindings) + index + 1, 0x9e3779b1) ^ index) >>> 0,
  };
}

/** Writes every module's matrices. Throws `ModelError` where a module is missing or has another shape. */
export function writeLora(device: Device, weights: LoraWeights, matrices: readonly LoraMatrices[]): void {
  const { layout, parameters } = weights;
  const byModule = new Map(matrices.map((entry) => [entry.module, entry]));
  const flat = new Float32Array(layout.size);
  for (const slot of layout.slots) {
    const entry = byModule.get(slot.module);
    if (!entry) throw new ModelError(`The adapter has no matrices for ${slot.module}.`);
    const { rank } = layout;
    if (entry.a.length !== rank * slot.inFeatures || entry.b.length !== rank * slot.outFeatures) {
      throw new ModelError(
        `The adapter's ${slot.module} is ${entry.inFeatures}→${entry.outFeatures}, the model's is ${slot.inFeatures}→${slot.outFeatures}.`,
      );
    }
    flat.set(entry.a, slot.aOffset);
    transpose(entry.b, slot.outFeatures, rank, flat.subarray(slot.bOffset));
  }
  device.write(parameters.gpu, flat);
}

/**
 * Reads every module's matrices from a flat buffer, the parameters or their gradients, through a mappable buffer of the
 * same size that was planned with the run: what was learned must not be lost for want of memory at the end.
 */
export async function readLora(
  device: Device,
  layout: LoraLayout,
  buffer: PlannedBuffer,
  staging: PlannedBuffer,
): Promise<LoraMatrices[]> {
  const flat = new Float32Array(await device.readThrough(staging.gpu, buffer.gpu, 0, 4 * layout.size));
  const { rank } = layout;
  return layout.slots.map(({ module, inFeatures, outFeatures, aOffset, bOffset }) => {
    const b = new Float32Array(outFeatures * rank);
    transpose(flat.subarray(bOffset, bOffset + rank * outFeatures), rank, outFeatures, b);
    return { module, inFeatures, outFeatures, a: flat.slice(aOffset, aOffset + rank * inFeatures), b };
  });
}

/** PEFT's start: A uniform within ±1/√in (Kaiming, a = √5), B zero, so that the tuned model starts as the base. */
export function initialLora(layout: LoraLayout, uniform: () => number): LoraMatrices[] {
  return layout.slots.map(({ module, inFeatures, outFeatures }) => {
    const bound = 1 / Math.sqrt(inFeatures);
    const a = Float32Array.from({ length: layout.rank * inFeatures }, () => (2 * uniform() - 1) * bound);
    return { module, inFeatures, outFeatures, a, b: new Float32Array(layout.rank * outFeatures) };
  });
}

/** source [rows, columns] → target [columns, rows] */
function transpose(source: Float32Array, rows: number, columns: number, target: Float32Array): void {
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      target[column * rows + row] = source[row * columns + column] as number;
    }
  }
}
