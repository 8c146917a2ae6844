/** Row indexes of files seen before, in IndexedDB: a few, the ones used last. Losing one costs time and nothing else. */
import { createStore, delMany, get, setMany, type UseStore } from "idb-keyval";
import type { IndexCache } from "../../data/rows/types";

const database = "tabtune-indexes";
/** An index has 8 bytes a row. */
const mostBytes = 256 * 1024 * 1024;
const mostEntries = 32;
/** Lists what is kept, so that indexes are read only when they are wanted. */
const directoryKey = "directory";

interface Entry {
  readonly key: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly used: number;
}

let opened: UseStore | null = null;
const store = (): UseStore => {
  opened ??= createStore(database, "indexes");
  return opened;
};
const rowKey = (key: string): string => `index/${key}`;

/** Never throws: what cannot be kept or read is as if it had never been there. */
export const indexCache: IndexCache = {
  async get(key) {
    try {
      const value: unknown = await get(rowKey(key), store());
      if (value !== undefined) await keepDirectory(key, null);
      return value;
    } catch {
      return undefined;
    }
  },
  async set(key, value) {
    try {
      await keepDirectory(key, value);
    } catch {
      // Full, blocked or private: the file is indexed again next time.
    }
  },
};

/** Marks a key as used and, with a value, writes it and drops the entries that no longer fit. One at a time, in all tabs. */
function keepDirectory(key: string, value: unknown): Promise<void> {
  return navigator.locks.request(database, () => updateDirectory(key, value));
}

async function updateDirectory(key: string, value: unknown): Promise<void> {
  const known = readDirectory(await get(directoryKey, store()));
  const bytes = value === null ? known.find((entry) => entry.key === key)?.bytes : byteSize(value);
  if (bytes === undefined || bytes > mostBytes) return;
  const kept: Entry[] = [{ key, bytes, used: Date.now() }];
  const dropped: string[] = [];
  let total = bytes;
  for (const entry of known.filter((other) => other.key !== key).sort((a, b) => b.used - a.used)) {
    total += entry.bytes;
    if (kept.length < mostEntries && total <= mostBytes) kept.push(entry);
    else dropped.push(rowKey(entry.key));
  }
  if (dropped.length > 0) await delMany(dropped, store());
  const rows: [string, unknown][] = [[directoryKey, kept]];
  if (value !== null) rows.push([rowKey(key), value]);
  await setMany(rows, store());
}

function readDirectory(value: unknown): Entry[] {
  return Array.isArray(value) ? value.filter(isEntry) : [];
}

function isEntry(value: unknown): value is Entry {
  return (
    typeof value === "object" &&
    value !== null &&
    "key" in value &&
    typeof value.key === "string" &&
    "bytes" in value &&
    typeof value.bytes === "number" &&
    "used" in value &&
    typeof value.used === "number"
  );
}

/** Of the typed arrays and texts in a value, which are nearly all of an index. */
function byteSize(value: unknown): number {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  if (typeof value === "string") return 2 * value.length;
  if (typeof value !== "object" || value === null) return 8;
  return Object.values(value).reduce<number>((sum, part) => sum + byteSize(part), 0);
}
