/** A disk that is full or fails, in words. */
import { describe, expect, it } from "vitest";
import { cachedModels, HubError, lookUp, obtain, openCached } from "../../src/hub";
import { onDisk } from "../../src/hub/disk-errors";
import { type SyncHandle, writerOf } from "../../src/hub/opfs-store";
import { type ModelStore, memoryStore } from "../../src/hub/store";
import { fakeHub } from "../support/fake-hub";
import { goldenRepositories } from "../support/fake-hub-models";

const [tiny] = await goldenRepositories();
const full = () => new DOMException("full", "QuotaExceededError");

interface Faults {
  readonly write?: (name: string, writes: number) => boolean;
  readonly close?: (name: string) => boolean;
}

/** `write` and `close` say when the disk is full, for a file's name and the writes of records so far. */
function failing({ write, close }: Faults): ModelStore {
  const store = memoryStore();
  let records = 0;
  return {
    ...store,
    kept: true,
    async openWriter(folder, name) {
      const writer = await store.openWriter(folder, name);
      return {
        get size() {
          return writer.size;
        },
        async write(bytes) {
          if (name.startsWith("manifest")) records++;
          if (write?.(name, records)) throw full();
          await writer.write(bytes);
        },
        read: (at, length) => writer.read(at, length),
        truncate: (size) => writer.truncate(size),
        async close() {
          if (close?.(name)) throw full();
        },
      };
    },
  };
}

async function download(store: ModelStore) {
  const hub = fakeHub({ repositories: tiny ? [tiny] : [] });
  const options = { fetchFile: hub.fetchFile, wait: async () => undefined, store };
  const found = await lookUp("tests/tiny-int4", options);
  const obtained = await obtain(found, found.variants[0] ?? expect.fail("no variant"), options);
  const { opened } = obtained;
  if (opened.kind !== "folder") expect.fail("no folder");
  for (const path of opened.files.paths) {
    expect((await opened.files.open(path)).size, path).toBe(tiny?.files.get(path)?.length);
  }
  return obtained;
}

describe("a full disk", () => {
  it("that takes no record leaves the model in memory, says so, and keeps nothing half", async () => {
    const store = failing({ write: () => true });
    const { key, notes } = await download(store);
    expect(key).toBeNull();
    expect(notes).toEqual([expect.stringMatching(/^The browser has no room on disk.*stays in memory.*\.$/)]);
    expect(await store.folders()).toEqual([]);
  });

  it("that takes no record any more leaves the files that are there, and says so", async () => {
    const store = failing({ write: (name, records) => name.startsWith("manifest") && records > 2 });
    const { notes, key } = await download(store);
    expect(notes).toEqual([expect.stringMatching(/^The browser has no room to note what is downloaded/)]);
    const { models } = await cachedModels({ store });
    expect(models).toMatchObject([{ key, id: "tests/tiny-int4" }]);
  });

  it("is no reason not to open what is there", async () => {
    let isFull = false;
    const store = failing({ write: () => isFull });
    const { key } = await download(store);
    isFull = true;
    expect(await openCached(key ?? "", null, { store })).toMatchObject({ id: "tests/tiny-int4" });
    expect(await openCached(key ?? "", null, { store })).toMatchObject({ id: "tests/tiny-int4" });
  });

  it("that shows only when a file is closed is told with the remedy", async () => {
    const error = await download(failing({ close: (name) => !name.startsWith("manifest") })).catch(
      (one: unknown) => one,
    );
    if (!(error instanceof HubError)) expect.fail(String(error));
    expect(error).toMatchObject({ reason: "storage", message: expect.stringMatching(/no room for .*delete models/) });
  });
});

describe("a file handle", () => {
  const handle = (more: Partial<SyncHandle>): SyncHandle => ({
    read: () => 0,
    write: (bytes) => bytes.length,
    truncate: () => undefined,
    getSize: () => 0,
    flush: () => undefined,
    close: () => undefined,
    ...more,
  });

  it("is closed even where what was written cannot be flushed", async () => {
    let closed = 0;
    const flush = () => {
      throw full();
    };
    await expect(writerOf(handle({ flush, close: () => void closed++ })).close()).rejects.toMatchObject({
      name: "QuotaExceededError",
    });
    expect(closed).toBe(1);
  });

  it.each([
    ["NoModificationAllowedError", "busy"],
    ["NotReadableError", "storage"],
    ["InvalidStateError", "storage"],
    ["NotFoundError", "unusable"],
  ])("that fails with %s says so in a sentence", async (name, reason) => {
    const fail = () => {
      throw new DOMException("raw text of the browser", name);
    };
    const writer = writerOf(handle({ read: fail, write: fail, flush: fail }));
    for (const call of [() => writer.write(new Uint8Array(1)), () => writer.read(0, 1), () => writer.close()]) {
      const error = await call().catch((one: unknown) => one);
      if (!(error instanceof HubError)) expect.fail(String(error));
      expect(error.reason).toBe(reason);
      expect(error.message).toMatch(/^[^\n]*;[^\n]*\.$|, perhaps[^\n]*\.$/);
      expect(error.message).not.toContain("raw text");
    }
  });

  it("hands on what is no fault of the disk", async () => {
    const stop = new DOMException("stopped", "AbortError");
    await expect(onDisk(() => Promise.reject(stop))).rejects.toBe(stop);
  });
});
