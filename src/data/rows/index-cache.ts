/** Keeps the index of a large file, so that a gigabyte chosen again is ready at once. */
import type { FileContext } from "../formats/types";
import { readSlice } from "./bytes";
import { RowIndex } from "./row-index";
import type { DataFile, IndexCache } from "./types";

/** Smaller files are indexed sooner than a cache is asked. */
const cachedFrom = 4 * 1024 * 1024;
const tailBytes = 65_536;
const mostColumns = 10_000;
/** Changes with the index's layout and with what a format takes for a row. */
const version = 2;

export interface CachedIndex {
  readonly index: RowIndex;
  readonly context: FileContext;
}

/** Null where nothing is cached: small files, no cache, or no digest at hand (insecure pages). */
export async function cacheKey(
  cache: IndexCache | null,
  { name, blob }: DataFile,
  head: Uint8Array<ArrayBuffer>,
  format: string,
): Promise<string | null> {
  if (cache === null || blob.size < cachedFrom || globalThis.crypto?.subtle === undefined) return null;
  const tail = await readSlice(blob, blob.size - tailBytes, blob.size, name);
  const modified = blob instanceof File ? blob.lastModified : "";
  const ends = new Uint8Array(await new Blob([head, tail]).arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", ends));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return JSON.stringify(["rows", version, format, name, blob.size, modified, hex]);
}

/** Null where nothing usable is cached. A cache that fails is no reason to fail. */
export async function cachedIndex(cache: IndexCache, key: string, bytes: number): Promise<CachedIndex | null> {
  const value: unknown = await cache.get(key).catch(() => undefined);
  if (typeof value !== "object" || value === null || !("index" in value) || !("context" in value)) return null;
  const context = value.context;
  if (!isContext(context)) return null;
  const index = RowIndex.fromData(value.index, bytes);
  return index === null ? null : { index, context };
}

export async function keepIndex(cache: IndexCache, key: string, { index, context }: CachedIndex): Promise<void> {
  await cache.set(key, { index: index.toData(), context }).catch(() => undefined);
}

function isContext(value: unknown): value is FileContext {
  if (typeof value !== "object" || value === null || !("columns" in value) || !("delimiter" in value)) return false;
  const { columns, delimiter } = value;
  if (delimiter !== null && (typeof delimiter !== "string" || delimiter.length > 16)) return false;
  if (columns === null) return true;
  return (
    Array.isArray(columns) && columns.length <= mostColumns && columns.every((column) => typeof column === "string")
  );
}
