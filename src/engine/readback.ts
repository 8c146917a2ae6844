/** A ring of staging buffers, so that a step's few numbers can be read while the next step already runs. */
import type { Device } from "./device";
import { EngineError } from "./errors";

export class Readback {
  readonly #device: Device;
  readonly #bytes: number;
  readonly #ring: readonly GPUBuffer[];
  #next = 0;

  private constructor(device: Device, bytes: number, ring: readonly GPUBuffer[]) {
    this.#device = device;
    this.#bytes = bytes;
    this.#ring = ring;
  }

  /** `depth` reads may be under way at once. Free with `destroy`. */
  static async create(device: Device, bytes: number, depth = 3): Promise<Readback> {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    return new Readback(
      device,
      bytes,
      await device.allocate(Array.from({ length: depth }, () => ({ label: "readback", bytes, usage }))),
    );
  }

  static plannedBytes(bytes: number, depth = 3): number {
    return bytes * depth;
  }

  /** Copies the buffer's first bytes as they are after everything submitted so far. */
  async read(source: GPUBuffer, byteOffset = 0): Promise<ArrayBuffer> {
    const staging = this.#ring[this.#next % this.#ring.length];
    this.#next += 1;
    if (staging?.mapState !== "unmapped") throw new EngineError("More reads are under way than the ring is deep.");
    return this.#device.readThrough(staging, source, byteOffset, this.#bytes);
  }

  destroy(): void {
    for (const buffer of this.#ring) this.#device.free(buffer);
  }
}
