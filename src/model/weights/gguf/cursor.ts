/** Reads a GGUF header value by value through a window over the file, so that no length in it makes memory. Little-endian. */
import { WeightsError } from "../../errors";
import { readSlice } from "../bytes";

const windowBytes = 256 * 1024;

export class Cursor {
  readonly file: string;
  /** Next byte to read, from the file's start. */
  position = 0;
  readonly #blob: Blob;
  #view = new DataView(new ArrayBuffer(0));
  #windowStart = 0;

  constructor(blob: Blob, file: string) {
    this.#blob = blob;
    this.file = file;
  }

  get left(): number {
    return this.#blob.size - this.position;
  }

  /** True where the next `bytes` can be read at once. Awaiting `need` before every value would take seconds for a vocabulary. */
  has(bytes: number): boolean {
    return this.position >= this.#windowStart && this.position + bytes <= this.#windowStart + this.#view.byteLength;
  }

  /** Makes the next `bytes`, at most a window, readable. `what` is what they hold. Throws `WeightsError` past the file's end. */
  async need(bytes: number, what: string): Promise<void> {
    if (this.has(bytes)) return;
    if (bytes > this.left) throw this.cutOff(what, this.position + bytes);
    const end = Math.min(this.position + Math.max(bytes, windowBytes), this.#blob.size);
    const window = await readSlice(this.#blob, this.position, end, this.file);
    this.#view = new DataView(window.buffer);
    this.#windowStart = this.position;
  }

  /** Passes over bytes that lie in the file. Throws `WeightsError` where they do not. */
  skip(bytes: number, what: string): void {
    if (bytes > this.left) throw this.cutOff(what, this.position + bytes);
    this.position += bytes;
  }

  uint8 = (): number => this.#view.getUint8(this.#advance(1));
  int8 = (): number => this.#view.getInt8(this.#advance(1));
  uint16 = (): number => this.#view.getUint16(this.#advance(2), true);
  int16 = (): number => this.#view.getInt16(this.#advance(2), true);
  uint32 = (): number => this.#view.getUint32(this.#advance(4), true);
  int32 = (): number => this.#view.getInt32(this.#advance(4), true);
  float32 = (): number => this.#view.getFloat32(this.#advance(4), true);
  float64 = (): number => this.#view.getFloat64(this.#advance(8), true);
  /** Above 2^53 the value is inexact, which every bound check still refuses. */
  uint64 = (): number => Number(this.#view.getBigUint64(this.#advance(8), true));
  int64 = (): number => Number(this.#view.getBigInt64(this.#advance(8), true));

  /** A view of the next bytes, good until the next `need`. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#view.buffer, this.#advance(count), count);
  }

  cutOff(what: string, end: number): WeightsError {
    return new WeightsError(
      `${this.file}: ${what} at byte ${this.position} should end at byte ${end}, but the file has ${this.#blob.size} bytes; it is cut off or damaged, download it again.`,
    );
  }

  /** Moves on and gives where the value lies in the window. */
  #advance(bytes: number): number {
    const at = this.position - this.#windowStart;
    this.position += bytes;
    return at;
  }
}
