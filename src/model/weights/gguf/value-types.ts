/** The number types that GGUF metadata is written in, by their id. Source: docs/gguf.md of ggml. */
import type { Cursor } from "./cursor";

export interface NumberType {
  /** Bytes. */
  readonly width: number;
  readonly read: (cursor: Cursor) => number;
}

export const numberTypes: ReadonlyMap<number, NumberType> = new Map([
  [0, { width: 1, read: (cursor) => cursor.uint8() }],
  [1, { width: 1, read: (cursor) => cursor.int8() }],
  [2, { width: 2, read: (cursor) => cursor.uint16() }],
  [3, { width: 2, read: (cursor) => cursor.int16() }],
  [4, { width: 4, read: (cursor) => cursor.uint32() }],
  [5, { width: 4, read: (cursor) => cursor.int32() }],
  [6, { width: 4, read: (cursor) => cursor.float32() }],
  [10, { width: 8, read: (cursor) => cursor.uint64() }],
  [11, { width: 8, read: (cursor) => cursor.int64() }],
  [12, { width: 8, read: (cursor) => cursor.float64() }],
]);

/** Flags, one byte each. */
export const boolType = 7;
