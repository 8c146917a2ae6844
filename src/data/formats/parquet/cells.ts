/** Cells of a Parquet column as JSON values. */
import type { ParquetParsers, SchemaTree } from "hyparquet";
import { jsonValue } from "../lib/json-value";

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text where the bytes are UTF-8, the bytes themselves otherwise: nothing is replaced unseen. */
function textOrBytes(bytes: Uint8Array | undefined): string | Uint8Array | undefined {
  if (bytes === undefined) return undefined;
  try {
    return text.decode(bytes);
  } catch {
    return bytes;
  }
}

function timestamp(milliseconds: number): string | number {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? milliseconds : date.toISOString();
}

export const parsers: Partial<ParquetParsers> = {
  stringFromBytes: textOrBytes,
  jsonFromBytes(bytes: Uint8Array | undefined) {
    const decoded = textOrBytes(bytes);
    if (typeof decoded !== "string") return decoded;
    try {
      return JSON.parse(decoded);
    } catch {
      return decoded;
    }
  },
  dateFromDays(days) {
    const date = timestamp(days * 86_400_000);
    return typeof date === "string" ? date.replace("T00:00:00.000Z", "") : date;
  },
  timestampFromMilliseconds: (milliseconds) => timestamp(Number(milliseconds)),
  timestampFromMicroseconds: (microseconds) => timestamp(Number(microseconds / 1000n)),
  timestampFromNanoseconds: (nanoseconds) => timestamp(Number(nanoseconds / 1_000_000n)),
};

/** The cell holds bytes that are no text. */
type OnBinary = () => void;

export function cellValue(cell: unknown, onBinary: OnBinary): unknown {
  const value = jsonValue(cell, (bytes) => {
    const decoded = textOrBytes(bytes);
    if (typeof decoded === "string") return decoded;
    onBinary();
    return null;
  });
  return turnsFromLists(value);
}

/**
 * Datasets written by older versions of Hugging Face's library hold a list of turns as one struct of lists,
 * `{role: […], content: […]}`; it becomes the list of objects that it stands for.
 */
function turnsFromLists(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (!("role" in value && "content" in value) && !("from" in value && "value" in value)) return value;
  const lists: [string, readonly unknown[]][] = [];
  for (const [name, list] of Object.entries(value)) {
    if (!Array.isArray(list) || list.length !== (lists[0]?.[1].length ?? list.length)) return value;
    lists.push([name, list]);
  }
  return (lists[0]?.[1] ?? []).map((_, turn) => Object.fromEntries(lists.map(([name, list]) => [name, list[turn]])));
}

/** Whether a column may hold bytes by its type: one of its leaves is a byte array that is not marked as text. */
export function mayHoldBytes(column: SchemaTree): boolean {
  if (column.children.length > 0) return column.children.some(mayHoldBytes);
  const { type, converted_type: converted, logical_type: logical } = column.element;
  if (type !== "BYTE_ARRAY" && type !== "FIXED_LEN_BYTE_ARRAY") return false;
  return converted === undefined && (logical === undefined || logical.type === "VARIANT");
}
