/** Downloads over connections that break, lie and stall, with what they leave behind. */
import { describe, expect, it } from "vitest";
import {
  cachedModels,
  type DownloadProgress,
  deleteAllCached,
  deleteCached,
  HubError,
  lookUp,
  obtain,
  openCached,
} from "../../src/hub";
import { type ModelStore, memoryStore } from "../../src/hub/store";
import { type FakeFault, type FakeHubOptions, fakeHub } from "../support/fake-hub";
import { goldenRepositories } from "../support/fake-hub-models";

const repositories = await goldenRepositories();
const weights = "onnx/model_q4.onnx";
const whole = repositories[0]?.files.get(weights) ?? new Uint8Array();

/** A memory store that counts as a disk. */
const diskLike = (): ModelStore => ({ ...memoryStore(), kept: true });

async function setUp(faults: FakeFault[] = [], options: Partial<FakeHubOptions> = {}) {
  const hub = fakeHub({ repositories, faults, ...options });
  const waits: number[] = [];
  const store = diskLike();
  const common = { fetchFile: hub.fetchFile, wait: async (ms: number) => void waits.push(ms), store };
  const found = await lookUp("tests/tiny-int4", common);
  const [variant] = found.variants;
  if (!variant) expect.fail("no variant");
  hub.requests.length = 0;
  const events: DownloadProgress[] = [];
  const get = (
    more: { signal?: AbortSignal; stallAfter?: number; onProgress?: (event: DownloadProgress) => void } = {},
  ) => obtain(found, variant, { ...common, onProgress: (event) => events.push(event), ...more });
  return { hub, waits, store, common, found, variant, events, get };
}

const asked = (hub: { requests: readonly { url: string; range: string | null }[] }) =>
  hub.requests.filter(({ url }) => url.includes("cas-bridge")).map(({ range }) => range);

async function failure(promise: Promise<unknown>): Promise<HubError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HubError)) expect.fail(`expected a HubError, got ${String(error)}`);
  expect(error.message).toMatch(/^[^\n]+\.$/);
  return error;
}

async function bytesOf(obtained: Awaited<ReturnType<typeof obtain>>, path: string): Promise<Uint8Array> {
  if (obtained.opened.kind !== "folder") expect.fail("no folder");
  return new Uint8Array(await (await obtained.opened.files.open(path)).arrayBuffer());
}

/** Typed arrays of this length take `toEqual` a second. */
function expectSame(actual: Uint8Array, expected: Uint8Array | undefined): void {
  expect(actual.length).toBe(expected?.length);
  expect(actual.findIndex((byte, i) => byte !== expected?.[i])).toBe(-1);
}

describe("a download", () => {
  it("brings every file, byte for byte, and says how far it is", async () => {
    const { get, events, variant, found } = await setUp();
    const obtained = await get();
    if (obtained.opened.kind !== "folder") expect.fail("no folder");
    expect(obtained.opened.files.paths).toEqual(variant.files.map(({ path }) => path));
    for (const path of obtained.opened.files.paths) {
      expectSame(await bytesOf(obtained, path), repositories[0]?.files.get(path));
    }
    expect(obtained).toMatchObject({ id: "tests/tiny-int4", commit: found.commit, notes: [] });
    const last = events.at(-1);
    expect(last).toMatchObject({ done: variant.bytes, total: variant.bytes });
    expect(events.every(({ done }, i) => done >= (events[i - 1]?.done ?? 0))).toBe(true);
    expect(structuredClone(last)).toEqual(last);
    await expect(obtained.opened.files.open("README.md")).rejects.toThrow("no file README.md on this device");
  });

  it("that breaks at 60 % goes on there", async () => {
    const { get, hub, waits, events } = await setUp([{ path: weights, kind: { type: "break", at: 0.6 } }]);
    expectSame(await bytesOf(await get(), weights), whole);
    expect(asked(hub)).toEqual([null, `bytes=${Math.floor(0.6 * whole.length)}-`]);
    expect(waits).toEqual([1000]);
    expect(events.every(({ done }, i) => done >= (events[i - 1]?.done ?? 0))).toBe(true);
  });

  it("begins again where the server ignores the range", async () => {
    const { get, hub } = await setUp([
      { path: weights, kind: { type: "break", at: 0.6 } },
      { path: weights, kind: { type: "ignore-range" } },
    ]);
    expectSame(await bytesOf(await get(), weights), whole);
    expect(asked(hub)).toHaveLength(2);
  });

  it("gives up after three more tries, keeps what came and goes on next time", async () => {
    const { get, hub, waits, common } = await setUp([{ path: weights, times: 4, kind: { type: "break", at: 0.5 } }]);
    expect(await failure(get())).toMatchObject({ reason: "network" });
    expect(waits).toEqual([1000, 2000, 4000]);
    const { models } = await cachedModels(common);
    expect(models[0]?.files).toContainEqual({
      path: weights,
      bytes: Math.floor(whole.length / 2),
      fullBytes: whole.length,
      finished: false,
    });
    expect(models[0]?.variants[0]?.finished).toBe(false);
    expect(await failure(openCached(models[0]?.key ?? "", null, common))).toMatchObject({ reason: "unusable" });
    hub.requests.length = 0;
    expectSame(await bytesOf(await get(), weights), whole);
    expect(asked(hub)).toEqual([`bytes=${Math.floor(whole.length / 2)}-`]);
  });

  it("waits as long as the server says", async () => {
    const { get, waits } = await setUp([
      { path: weights, kind: { type: "status", status: 429, retryAfter: 9 } },
      { path: weights, kind: { type: "status", status: 503 } },
    ]);
    expectSame(await bytesOf(await get(), weights), whole);
    expect(waits).toEqual([9000, 2000]);
  });

  it("that is refused is not tried again", async () => {
    const { get, waits } = await setUp([{ path: weights, kind: { type: "status", status: 403 } }]);
    expect(await failure(get())).toMatchObject({ reason: "refused", message: expect.stringContaining(weights) });
    expect(waits).toEqual([]);
  });

  it("takes a silent connection for a broken one", async () => {
    const { get, hub } = await setUp([{ path: weights, kind: { type: "hang", at: 0.3 } }]);
    expectSame(await bytesOf(await get({ stallAfter: 50 }), weights), whole);
    expect(asked(hub)).toHaveLength(2);
  });

  it.each([
    ["large", weights],
    ["small", "tokenizer_config.json"],
  ])("with a wrong byte in a %s file deletes it and says so", async (_, path) => {
    const { get, common } = await setUp([{ path, kind: { type: "corrupt" } }]);
    const error = await failure(get());
    expect(error).toMatchObject({
      reason: "damaged",
      message: expect.stringContaining(`${path} of tests/tiny-int4 was damaged`),
    });
    const { models } = await cachedModels(common);
    expect(models[0]?.files.map((file) => file.path)).not.toContain(path);
    expectSame(await bytesOf(await get(), path), repositories[0]?.files.get(path));
  });

  it("checks the bytes of an earlier visit too", async () => {
    const { get, store, found } = await setUp([{ path: weights, times: 4, kind: { type: "break", at: 0.5 } }]);
    await failure(get());
    const { fileNameOf, folderOf } = await import("../../src/hub/manifest");
    const writer = await store.openWriter(folderOf(found), fileNameOf(weights));
    const half = await writer.read(0, writer.size);
    half[7] = (half[7] ?? 0) ^ 1;
    await writer.truncate(0);
    await writer.write(half);
    expect(await failure(get())).toMatchObject({ reason: "damaged" });
    expectSame(await bytesOf(await get(), weights), whole);
  });

  it("that sends more than it should is cut off", async () => {
    const files = new Map(repositories[0]?.files).set(weights, new Uint8Array(whole.length + 1));
    const longer = fakeHub({ repositories: [{ id: "tests/tiny-int4", commit: "1".repeat(40), files }] });
    const { found, variant, common } = await setUp();
    const error = await failure(obtain(found, variant, { ...common, fetchFile: longer.fetchFile }));
    expect(error).toMatchObject({
      reason: "damaged",
      message: expect.stringContaining(`more than the ${whole.length} bytes`),
    });
  });

  it("stops when it is cancelled, keeps what came, and goes on there", async () => {
    const { get, hub, common } = await setUp([{ path: weights, kind: { type: "hang", at: 0.4 } }]);
    const control = new AbortController();
    setTimeout(() => control.abort(), 50);
    await expect(get({ signal: control.signal })).rejects.toMatchObject({ name: "AbortError" });
    const { models } = await cachedModels(common);
    const kept = models[0]?.files.find(({ path }) => path === weights)?.bytes ?? 0;
    expect(kept).toBe(Math.floor(0.4 * whole.length));
    expectSame(await bytesOf(await get(), weights), whole);
    expect(asked(hub).at(-1)).toBe(`bytes=${kept}-`);
  });
});

describe("a cancelled download", () => {
  it("does not wait for its next try", async () => {
    const { found, variant, common } = await setUp([{ path: weights, kind: { type: "status", status: 503 } }]);
    const control = new AbortController();
    setTimeout(() => control.abort(), 20);
    const wait = () => new Promise<void>(() => undefined);
    const cancelled = obtain(found, variant, { ...common, wait, signal: control.signal });
    await expect(cancelled).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("what is on the device", () => {
  it("opens again without a request, is found by name without a connection, and is deleted", async () => {
    const { get, hub, common, found, variant } = await setUp();
    const { key } = await get();
    hub.requests.length = 0;
    expectSame(await bytesOf(await get(), weights), whole);
    expectSame(await bytesOf(await openCached(key ?? "", variant.id, common), weights), whole);
    expect(hub.requests).toEqual([]);
    hub.offline = true;
    const again = await lookUp("tests/tiny-int4", common);
    expect(again).toMatchObject({
      commit: found.commit,
      preferred: weights,
      notes: [expect.stringContaining("The hub does not answer")],
    });
    hub.requests.length = 0;
    const [kept] = again.variants;
    if (!kept) expect.fail("no variant");
    expectSame(await bytesOf(await obtain(again, kept, common), weights), whole);
    expect(hub.requests).toEqual([]);

    const list = await cachedModels(common);
    expect(list.models).toHaveLength(1);
    expect(list.models[0]).toMatchObject({
      key,
      id: "tests/tiny-int4",
      bytes: variant.bytes,
      variants: [{ finished: true }],
    });
    expect(list.bytes).toBe(variant.bytes);
    expect(structuredClone(list)).toEqual(list);
    await deleteCached(key ?? "", common);
    expect((await cachedModels(common)).models).toEqual([]);
    expect(await failure(openCached(key ?? "", null, common))).toMatchObject({ reason: "unusable" });
  });

  it("shares files between variants of one commit, and is deleted all at once", async () => {
    const files = new Map(repositories[0]?.files).set("onnx/model_q4f16.onnx", new Uint8Array(60_000));
    const { common, hub } = await setUp([], {
      repositories: [{ id: "tests/tiny-int4", commit: "1".repeat(40), files }],
    });
    const found = await lookUp("tests/tiny-int4", common);
    for (const variant of found.variants) await obtain(found, variant, common);
    expect(hub.requests.filter(({ url }) => url.endsWith("/tokenizer.json"))).toHaveLength(1);
    const { models } = await cachedModels(common);
    expect(models[0]?.variants).toHaveLength(2);
    await deleteAllCached(common);
    expect((await cachedModels(common)).models).toEqual([]);
  });

  it("is listed even where its record is damaged, and can be deleted", async () => {
    const { get, store, common } = await setUp();
    const { key } = await get();
    for (const slot of ["manifest-0.json", "manifest-1.json"]) {
      const writer = await store.openWriter(key ?? "", slot);
      await writer.truncate(5);
    }
    const { models } = await cachedModels(common);
    expect(models).toMatchObject([{ key, kind: "damaged", found: null }]);
    expect(models[0]?.bytes).toBeGreaterThan(whole.length);
    await deleteCached(key ?? "", common);
    expect((await cachedModels(common)).models).toEqual([]);
  });

  it("survives a record that was half written", async () => {
    const { get, hub, store, common } = await setUp();
    const { key } = await get();
    const slots = ["manifest-0.json", "manifest-1.json"];
    const texts = await Promise.all(slots.map(async (slot) => (await store.file(key ?? "", slot))?.text() ?? ""));
    const [one = 0, other = 0] = texts.map((text): number => JSON.parse(text).sequence);
    const writer = await store.openWriter(key ?? "", slots[one > other ? 0 : 1] ?? "");
    await writer.truncate(20);
    hub.requests.length = 0;
    expectSame(await bytesOf(await openCached(key ?? "", null, common), weights), whole);
  });

  it("stays in memory, with a word about it, where the browser gives no disk", async () => {
    const { found, variant, common } = await setUp();
    const obtained = await obtain(found, variant, { ...common, store: memoryStore() });
    expect(obtained).toMatchObject({ key: null, notes: [expect.stringContaining("no room on disk")] });
    expectSame(await bytesOf(obtained, weights), whole);
  });
});

describe("a full disk", () => {
  /** Holds `room` bytes in all. */
  function fullStore(room: number): ModelStore {
    const store = diskLike();
    let used = 0;
    return {
      ...store,
      async openWriter(folder, name) {
        const writer = await store.openWriter(folder, name);
        return {
          get size() {
            return writer.size;
          },
          async write(bytes) {
            if (!name.startsWith("manifest") && used + bytes.length > room) {
              throw new DOMException("full", "QuotaExceededError");
            }
            used += bytes.length;
            await writer.write(bytes);
          },
          read: (at, length) => writer.read(at, length),
          async truncate(size) {
            used -= writer.size - size;
            await writer.truncate(size);
          },
          close: () => writer.close(),
        };
      },
    };
  }

  it("leaves the file that does not fit in memory, whole and checked, and says so", async () => {
    const { found, variant, common, hub } = await setUp();
    const store = fullStore(60_000);
    const obtained = await obtain(found, variant, { ...common, store });
    for (const { path } of variant.files) expectSame(await bytesOf(obtained, path), repositories[0]?.files.get(path));
    expect(obtained.notes).toEqual([
      expect.stringMatching(/^The browser has no room for onnx\/model_q4\.onnx.*kept in memory/),
    ]);
    const { models } = await cachedModels({ store });
    expect(models[0]?.variants[0]?.finished).toBe(false);
    expect(models[0]?.files.map(({ path }) => path)).not.toContain(weights);
    hub.requests.length = 0;
    await obtain(found, variant, { ...common, store });
    expect(asked(hub)).toHaveLength(1);
  });

  it("is no reason to skip the hash", async () => {
    const { found, variant, common } = await setUp([{ path: weights, kind: { type: "corrupt" } }]);
    expect(await failure(obtain(found, variant, { ...common, store: fullStore(60_000) }))).toMatchObject({
      reason: "damaged",
    });
  });
});

describe("a download from an address", () => {
  const address = "https://cdn-lfs.hf.co/tiny.Q4_0.gguf";
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * i) % 251);

  async function start(site: Uint8Array<ArrayBuffer>, faults: FakeFault[] = []) {
    const hub = fakeHub({ repositories: [], sites: new Map([[address, site]]), faults });
    const common = { fetchFile: hub.fetchFile, wait: async () => undefined, store: diskLike() };
    const found = await lookUp(address, common);
    const [variant] = found.variants;
    if (!variant) expect.fail("no variant");
    return { hub, common, found, variant };
  }

  it("goes on where it broke, if the file is still the same", async () => {
    const { hub, common, found, variant } = await start(bytes, [
      { path: address, times: 4, kind: { type: "break", at: 0.6 } },
    ]);
    expect(await failure(obtain(found, variant, common))).toMatchObject({ reason: "network" });
    hub.requests.length = 0;
    const { opened } = await obtain(found, variant, common);
    if (opened.kind !== "gguf") expect.fail("no GGUF");
    expect(opened.files.map(({ path }) => path)).toEqual(["tiny.Q4_0.gguf"]);
    expect(new Uint8Array((await opened.files[0]?.blob.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(bytes);
    expect(hub.requests[0]).toMatchObject({ range: "bytes=42000-", ifRange: expect.stringMatching(/^".+"$/) });
  });

  it("begins again where the file has changed", async () => {
    const { common, found, variant } = await start(bytes, [
      { path: address, times: 4, kind: { type: "break", at: 0.6 } },
    ]);
    await failure(obtain(found, variant, common));
    const other = bytes.map((byte) => byte ^ 255);
    const changed = fakeHub({ repositories: [], sites: new Map([[address, other]]) });
    const { opened } = await obtain(found, variant, { ...common, fetchFile: changed.fetchFile });
    if (opened.kind !== "gguf") expect.fail("no GGUF");
    expect(new Uint8Array((await opened.files[0]?.blob.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(other);
    expect(changed.requests).toHaveLength(1);
  });
});
