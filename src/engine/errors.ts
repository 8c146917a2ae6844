/** What can go wrong below the ops; every message names the place, both values and the remedy. */

/** The graph, a kernel declaration or a replay is used wrongly: a defect of the caller, never of the user. */
export class EngineError extends Error {
  override readonly name = "EngineError";
}

/** Tensors given to a kernel do not fit together. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** A shader does not compile; the message carries line, column and the source line. */
export class ShaderError extends Error {
  override readonly name = "ShaderError";
}

/** There is no usable GPU, or it went away. `reason` tells the causes apart. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";
  readonly reason: "no-api" | "no-adapter" | "refused" | "lost" | "limit";
  /** With "limit": WebGPU's name of it, what the kernels need and what there is. */
  readonly limit: string | null;
  readonly needed: number | null;
  readonly offered: number | null;
  constructor(
    reason: DeviceError["reason"],
    message: string,
    shortfall: { readonly limit: string; readonly needed: number; readonly offered: number } | null = null,
  ) {
    super(message);
    this.reason = reason;
    this.limit = shortfall?.limit ?? null;
    this.needed = shortfall?.needed ?? null;
    this.offered = shortfall?.offered ?? null;
  }
}

/** The GPU has no room for a buffer. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  readonly bytes: number;
  constructor(bytes: number, message: string) {
    super(message);
    this.bytes = bytes;
  }
}
