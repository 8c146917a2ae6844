/** A tensor as the graph sees it: a name, a shape and where its bytes are. Row-major, 4 bytes an element. */
import { type Dim, maxOf } from "./dims";
import { EngineError } from "./errors";

export type DType = "f32" | "u32";

/** A buffer that is named and sized before it exists, so that a run's memory is known before any is taken. */
export class PlannedBuffer {
  readonly label: string;
  readonly bytes: number;
  /** `GPUBufferUsage` flags; storage that can be copied in and out where absent. */
  readonly usage?: number;
  #gpu: GPUBuffer | null = null;

  constructor(label: string, bytes: number, usage?: number) {
    this.label = label;
    if (usage !== undefined) this.usage = usage;
    this.bytes = Math.max(4, Math.ceil(bytes / 4) * 4);
  }

  /** Throws `EngineError` before `Device.fulfil`. */
  get gpu(): GPUBuffer {
    if (!this.#gpu) throw new EngineError(`The buffer "${this.label}" is used before it is allocated.`);
    return this.#gpu;
  }

  /** Called by the device once. */
  fulfil(gpu: GPUBuffer): void {
    this.#gpu = gpu;
  }
}

export type Storage =
  /** Placed by the memory planner. */
  | { readonly kind: "planned" }
  /** Lies in a buffer that its creator owns and frees. */
  | { readonly kind: "buffer"; readonly buffer: GPUBuffer | PlannedBuffer; readonly byteOffset: number }
  /** Part of a planned tensor. */
  | { readonly kind: "view"; readonly base: Tensor; readonly byteOffset: number };

export interface Tensor {
  readonly label: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly storage: Storage;
}

/** Bytes at the largest binding of every symbolic size. */
export function maxBytes(tensor: Tensor): number {
  return 4 * tensor.shape.reduce<number>((product, dim) => product * maxOf(dim), 1);
}

/** A tensor over (a part of) a buffer of the caller's; `byteOffset` must be a multiple of 256. */
export function bufferTensor(
  label: string,
  dtype: DType,
  shape: readonly Dim[],
  buffer: GPUBuffer | PlannedBuffer,
  byteOffset = 0,
): Tensor {
  return { label, dtype, shape, storage: { kind: "buffer", buffer, byteOffset } };
}
