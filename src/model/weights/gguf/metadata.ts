/** The metadata of a GGUF file, read key by key with checks; texts and lists are read from the file when they are asked for. */
import { WeightsError } from "../../errors";
import { readSlice } from "../bytes";
import { Cursor } from "./cursor";
import { boolType, numberTypes } from "./value-types";

/** A text or a list stays in the file; numbers and flags are here. */
export interface StoredValue {
  /** "bytes": a text; "text": a list of texts; a number: a list of that number type, or of flags. */
  readonly element: "bytes" | "text" | number;
  /** Bytes of a text, entries of a list. */
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

export type MetadataValue = number | boolean | StoredValue;

/** Largest text and list that are read into memory: the largest vocabularies have 2^18 tokens and 2^19 merges. */
const maxTextBytes = 2 ** 20;
const maxEntries = 2 ** 20;
const maxListBytes = 2 ** 25;

/** A token may be a byte order mark. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** All getters throw `WeightsError` naming file, key, value and what would be right. */
export class Metadata {
  readonly file: string;
  /** The whole file. */
  readonly blob: Blob;
  readonly #values: ReadonlyMap<string, MetadataValue>;

  constructor(blob: Blob, file: string, values: ReadonlyMap<string, MetadataValue>) {
    this.blob = blob;
    this.file = file;
    this.#values = values;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  int(key: string, min: number, max: number, fallback?: number): number {
    const value = this.#values.get(key) ?? fallback;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw this.error(key, `a whole number from ${min} to ${max}`);
  }

  number(key: string, min: number, max: number, fallback?: number): number {
    const value = this.#values.get(key) ?? fallback;
    if (typeof value === "number" && value >= min && value <= max) return value;
    throw this.error(key, `a number from ${min} to ${max}`);
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.#values.get(key) ?? fallback;
    if (typeof value === "boolean") return value;
    throw this.error(key, "true or false");
  }

  /** null where the key is absent. */
  async text(key: string): Promise<string | null> {
    const value = this.#values.get(key);
    if (value === undefined) return null;
    if (typeof value !== "object" || value.element !== "bytes" || value.count > maxTextBytes) {
      throw this.error(key, `a text of at most ${maxTextBytes} bytes`);
    }
    return this.#decode(await readSlice(this.blob, value.start, value.end, this.file), key);
  }

  /** A list of texts; null where the key is absent. */
  async texts(key: string): Promise<readonly string[] | null> {
    const list = this.#list(key, "texts", (element) => element === "text");
    if (!list) return null;
    const cursor = this.#cursor(list);
    const texts: string[] = [];
    for (let i = 0; i < list.count; i++) {
      // The header's reader has walked over these lengths, so they lie in the file.
      if (!cursor.has(8)) await cursor.need(8, key);
      const length = cursor.uint64();
      if (!cursor.has(length)) await cursor.need(length, key);
      texts.push(this.#decode(cursor.bytes(length), `${key}[${i}]`));
    }
    return texts;
  }

  /** A list of numbers; null where the key is absent. */
  async numbers(key: string): Promise<readonly number[] | null> {
    const list = this.#list(key, "numbers", (element) => typeof element === "number" && numberTypes.has(element));
    const type = numberTypes.get(Number(list?.element));
    if (!list || !type) return null;
    const cursor = this.#cursor(list);
    const numbers: number[] = [];
    for (let i = 0; i < list.count; i++) {
      if (!cursor.has(type.width)) await cursor.need(type.width, key);
      numbers.push(type.read(cursor));
    }
    return numbers;
  }

  /** A list of flags; null where the key is absent. */
  async flags(key: string): Promise<readonly boolean[] | null> {
    const list = this.#list(key, "flags", (element) => element === boolType);
    if (!list) return null;
    return [...(await readSlice(this.blob, list.start, list.end, this.file))].map((byte) => byte !== 0);
  }

  isList(key: string): boolean {
    const value = this.#values.get(key);
    return typeof value === "object" && value.element !== "bytes";
  }

  error(key: string, expected: string): WeightsError {
    return new WeightsError(
      `${this.file}: the key ${key} is ${this.#show(key)}; it must be ${expected}, use another copy of the model.`,
    );
  }

  #list(key: string, what: string, right: (element: StoredValue["element"]) => boolean): StoredValue | null {
    const value = this.#values.get(key);
    if (value === undefined) return null;
    if (
      typeof value === "object" &&
      right(value.element) &&
      value.count <= maxEntries &&
      value.end - value.start <= maxListBytes
    )
      return value;
    throw this.error(key, `a list of at most ${maxEntries} ${what} in ${maxListBytes} bytes`);
  }

  #cursor({ start }: StoredValue): Cursor {
    const cursor = new Cursor(this.blob, this.file);
    cursor.position = start;
    return cursor;
  }

  #decode(bytes: Uint8Array<ArrayBuffer>, key: string): string {
    try {
      return utf8.decode(bytes);
    } catch (error) {
      throw new WeightsError(`${this.file}: ${key} is not valid UTF-8; the file is damaged, download it again.`, {
        cause: error,
      });
    }
  }

  #show(key: string): string {
    const value = this.#values.get(key);
    if (value === undefined) return "missing";
    if (typeof value !== "object") return String(value);
    return value.element === "bytes" ? `a text of ${value.count} bytes` : `a list of ${value.count} values`;
  }
}
