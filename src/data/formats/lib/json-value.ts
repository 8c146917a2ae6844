/** What a reader gives as a JSON value: big integers, dates, typed arrays and bytes have none of their own. */

/** Safe integers as numbers, larger ones as strings, dates as ISO text, NaN and infinities as null; `onBytes` decides about bytes. */
export function jsonValue(value: unknown, onBytes: (bytes: Uint8Array) => unknown): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
    case "object":
      break;
    default:
      return null;
  }
  if (value === null) return null;
  if (value instanceof Uint8Array) return onBytes(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) return value.map((item) => jsonValue(item, onBytes));
  if (ArrayBuffer.isView(value)) {
    const items = value instanceof DataView ? [] : Array.from(value as unknown as ArrayLike<number | bigint>);
    return items.map((item) => jsonValue(item, onBytes));
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonValue(item, onBytes)]));
}
