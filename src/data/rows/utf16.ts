/** UTF-16 → UTF-8, chunk by chunk. Half a surrogate pair becomes bytes that no strict decoder takes, so that its row is an error. */

export type Utf16 = "utf-16le" | "utf-16be";

/** Bytes that are looked at where there is no byte order mark. */
const looked = 1_024;

/** By its byte order mark, or by zero bytes in every other place: Western text has them there and nowhere else. */
export function utf16Of(head: Uint8Array): Utf16 | null {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  const pairs = Math.floor(Math.min(head.length, looked) / 2);
  if (pairs < 2) return null;
  let first = 0;
  let second = 0;
  let controls = 0;
  for (let pair = 0; pair < pairs; pair++) {
    const a = head[2 * pair] ?? 0;
    const b = head[2 * pair + 1] ?? 0;
    if (a === 0) first++;
    if (b === 0) second++;
    const code = a | b;
    if ((a === 0 || b === 0) && code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) controls++;
  }
  // A file of numbers has zeros in both places, or control characters.
  if (controls > 0) return null;
  if (first === 0 && head[1] === 0 && second >= pairs / 10) return "utf-16le";
  if (second === 0 && head[0] === 0 && first >= pairs / 10) return "utf-16be";
  return null;
}

export class Utf16Transcoder {
  readonly #littleEndian: boolean;
  readonly #decoder: TextDecoder;
  readonly #encoder = new TextEncoder();
  /** Half a character: up to three bytes. */
  #carry = new Uint8Array(0);
  #begun = false;

  constructor(encoding: Utf16) {
    this.#littleEndian = encoding === "utf-16le";
    this.#decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  }

  feed(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
    let bytes = new Uint8Array(this.#carry.length + chunk.length);
    bytes.set(this.#carry);
    bytes.set(chunk, this.#carry.length);
    let end = bytes.length - (bytes.length % 2);
    if (end >= 2 && isHigh(this.#unit(bytes, end - 2))) end -= 2;
    this.#carry = bytes.slice(end);
    bytes = bytes.subarray(0, end);
    if (!this.#begun && end >= 2) {
      this.#begun = true;
      if (this.#unit(bytes, 0) === 0xfeff) bytes = bytes.subarray(2);
    }
    return this.#encode(bytes);
  }

  finish(): Uint8Array<ArrayBuffer> {
    const { length } = this.#carry;
    const rest = this.#encode(this.#carry.subarray(0, length - (length % 2)));
    if (length % 2 === 0) return rest;
    // Half a code unit: 0xFF stands in no UTF-8.
    const marked = new Uint8Array(rest.length + 1).fill(0xff);
    marked.set(rest);
    return marked;
  }

  #encode(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    try {
      return this.#encoder.encode(this.#decoder.decode(bytes));
    } catch {
      return this.#encodeUnits(bytes);
    }
  }

  /** Unit by unit, half pairs as three bytes of their own (which UTF-8 forbids). */
  #encodeUnits(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array((bytes.length / 2) * 3);
    let length = 0;
    for (let at = 0; at + 1 < bytes.length; at += 2) {
      let code = this.#unit(bytes, at);
      const low = at + 3 < bytes.length ? this.#unit(bytes, at + 2) : 0;
      if (isHigh(code) && (low & 0xfc00) === 0xdc00) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        at += 2;
      }
      if ((code & 0xf800) === 0xd800) {
        out[length++] = 0xe0 | (code >> 12);
        out[length++] = 0x80 | ((code >> 6) & 0x3f);
        out[length++] = 0x80 | (code & 0x3f);
      } else {
        length += this.#encoder.encodeInto(String.fromCodePoint(code), out.subarray(length)).written;
      }
    }
    return out.slice(0, length);
  }

  #unit(bytes: Uint8Array, at: number): number {
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    return this.#littleEndian ? first | (second << 8) : (first << 8) | second;
  }
}

function isHigh(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}
