/** What data leaves on disk: spools in the private file system, indexes in IndexedDB; both bounded, both cleared away. */
import { clear, createStore, get } from "idb-keyval";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DataError } from "../../src/data/errors";
import { indexCache } from "../../src/worker/storage/index-cache";
import { diskSpool } from "../../src/worker/storage/spool";

const bytes = (...values: number[]) => Uint8Array.from(values);

async function spoolFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle("tabtune-spool", { create: true });
}

async function namesIn(folder: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the spool", () => {
  it("removes the folders of tabs that are gone, and only those", async () => {
    const folder = await spoolFolder();
    await folder.getDirectoryHandle("gone", { create: true });
    await folder.getDirectoryHandle("alive", { create: true });
    const lock = await new Promise<() => void>((resolve) => {
      const held = () => new Promise<void>((release) => resolve(release));
      void navigator.locks.request("tabtune-spool-alive", held);
    });
    const file = await diskSpool.create();
    const names = await namesIn(folder);
    expect(names).toContain("alive");
    expect(names).not.toContain("gone");
    expect(names).toHaveLength(2);
    await file.discard();
    lock();
    await folder.removeEntry("alive");
  });

  it("gives back what was written, as often as it is read, until it is discarded", async () => {
    const file = await diskSpool.create();
    await file.write(bytes(1, 2, 3));
    await file.write(bytes(4));
    const blob = await file.finish();
    expect([...new Uint8Array(await blob.arrayBuffer())]).toEqual([1, 2, 3, 4]);
    expect([...new Uint8Array(await blob.slice(1, 3).arrayBuffer())]).toEqual([2, 3]);
    await file.discard();
    await expect(blob.arrayBuffer()).rejects.toThrow();
    await file.discard();
  });

  it("can be discarded before it is finished, and leaves nothing", async () => {
    const file = await diskSpool.create();
    await file.write(bytes(1));
    await file.discard();
    const folder = await spoolFolder();
    for (const session of await namesIn(folder))
      expect(await namesIn(await folder.getDirectoryHandle(session))).toEqual([]);
  });

  it("says in one sentence that the disk is full", async () => {
    vi.spyOn(FileSystemWritableFileStream.prototype, "write").mockRejectedValue(
      new DOMException("full", "QuotaExceededError"),
    );
    const file = await diskSpool.create();
    const error: unknown = await file.write(bytes(1)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject({ message: expect.stringMatching(/^the dataset: the browser has no room .*\.$/) });
    await file.discard();
  });
});

describe("the index cache", () => {
  beforeEach(() => clear(createStore("tabtune-indexes", "indexes")));

  it("gives back what it was given, typed arrays too, and nothing for other keys", async () => {
    const value = { rows: 2, chunks: [{ spans: Uint32Array.of(1, 2) }] };
    await indexCache.set("a", value);
    expect(await indexCache.get("a")).toEqual(value);
    expect(await indexCache.get("b")).toBeUndefined();
  });

  it("keeps those that were used last", async () => {
    let now = 1000;
    vi.spyOn(Date, "now").mockImplementation(() => now++);
    for (let index = 0; index < 32; index++) await indexCache.set(`${index}`, { index });
    expect(await indexCache.get("0")).toEqual({ index: 0 });
    await indexCache.set("new", { index: 32 });
    expect(await indexCache.get("0")).toEqual({ index: 0 });
    expect(await indexCache.get("1")).toBeUndefined();
    expect(await indexCache.get("new")).toEqual({ index: 32 });
    expect(await get("index/1", createStore("tabtune-indexes", "indexes"))).toBeUndefined();
  });

  it("is silent where nothing can be kept", async () => {
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    await indexCache.set("a", 1);
    expect(await indexCache.get("a")).toBeUndefined();
  });
});
