/**
 * Walks a structure in Thrift's compact protocol without keeping any of it, so that a hostile one is refused before the
 * reader makes objects from it: lengths beyond the bytes, lists longer than the bytes could hold, endless nesting.
 */
import { FormatFault } from "./fault";

const deepest = 24;
/** Fields and list items in one structure. */
const mostItems = 4_000_000;

const stop = 0;
const boolTrue = 1;
const boolFalse = 2;
const byte = 3;
const int16 = 4;
const int64 = 6;
const double = 7;
const binary = 8;
const list = 9;
const struct = 12;

/** The offset after the structure that begins at `offset`. Throws `FormatFault`. */
export function checkStruct(bytes: Uint8Array, offset: number): number {
  const walk = new Walk(bytes, offset);
  walk.struct(0);
  return walk.offset;
}

class Walk {
  readonly #bytes: Uint8Array;
  offset: number;
  #items = 0;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.offset = offset;
  }

  struct(depth: number): void {
    if (depth > deepest) throw new FormatFault("its structure is nested too deeply");
    for (;;) {
      this.#count(1);
      const head = this.#byte();
      const type = head & 0x0f;
      if (type === stop) return;
      if (head >> 4 === 0) this.#varint();
      this.#value(type, depth);
    }
  }

  #value(type: number, depth: number): void {
    if (type === boolTrue || type === boolFalse) return;
    if (type === byte) this.#skip(1);
    else if (type >= int16 && type <= int64) this.#varint();
    else if (type === double) this.#skip(8);
    else if (type === binary) this.#skip(this.#varint());
    else if (type === list) this.#list(depth);
    else if (type === struct) this.struct(depth + 1);
    else throw new FormatFault(`its structure has a field of the unknown type ${type}`);
  }

  #list(depth: number): void {
    const head = this.#byte();
    const type = head & 0x0f;
    const size = head >> 4 === 15 ? this.#varint() : head >> 4;
    // Every item takes at least a byte.
    if (size > this.#bytes.length - this.offset) throw new FormatFault(`a list of ${size} items does not fit in it`);
    this.#count(size);
    if (depth > deepest) throw new FormatFault("its structure is nested too deeply");
    for (let i = 0; i < size; i++) {
      if (type === boolTrue || type === boolFalse) this.#skip(1);
      else this.#value(type, depth + 1);
    }
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const next = this.#byte();
      value += (next & 0x7f) * scale;
      if (next < 0x80) return value;
      scale *= 128;
    }
    throw new FormatFault("a number in its structure has no end");
  }

  #byte(): number {
    const next = this.#bytes[this.offset];
    if (next === undefined) throw new FormatFault("its structure ends too early");
    this.offset++;
    return next;
  }

  #skip(length: number): void {
    if (length > this.#bytes.length - this.offset) throw new FormatFault("its structure ends too early");
    this.offset += length;
  }

  #count(items: number): void {
    this.#items += items;
    if (this.#items > mostItems) throw new FormatFault("its structure has too many parts");
  }
}
