/** Downloads on disk: the browser's private file system and its locks, from workers as the studio has them. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { askToPersist } from "../../src/hub/storage-room";
import type { CachedModels } from "../../src/hub/types";
import { diskSpool } from "../../src/worker/storage/spool";
import { goldenRepositories } from "../support/fake-hub-models";
import type { HubJob, HubReply } from "../support/hub-worker";

const repositories = await goldenRepositories();
const weights = "onnx/model_q4.onnx";
const files = repositories[0]?.files ?? new Map<string, Uint8Array>();
const whole = files.get(weights) ?? new Uint8Array();
const source = "tests/tiny-int4";
const workers: Worker[] = [];

/** One tab. It is closed by `closeAll`, whatever it does. */
function run(job: Omit<HubJob, "repositories">): Promise<HubReply> {
  const worker = new Worker(new URL("../support/hub-worker.ts", import.meta.url), { type: "module" });
  workers.push(worker);
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }: MessageEvent<HubReply>) => resolve(data);
    worker.postMessage({ repositories, ...job });
  });
}

function closeAll(): void {
  for (const worker of workers.splice(0)) worker.terminate();
}

const obtain: HubJob["call"] = { name: "obtain", source };
const large = ({ requests }: HubReply) => requests.filter(({ url }) => url.includes("cas-bridge"));

async function list(): Promise<CachedModels> {
  const { list: models } = await run({ call: { name: "list" } });
  return models ?? expect.fail("no list");
}

function expectWhole({ files: got, fault }: HubReply): void {
  expect(fault).toBeNull();
  expect([...got.keys()].sort()).toEqual([...files.keys()].sort());
  for (const [path, bytes] of got) {
    expect(bytes.length, path).toBe(files.get(path)?.length);
    expect(
      bytes.findIndex((byte, i) => byte !== files.get(path)?.[i]),
      path,
    ).toBe(-1);
  }
}

async function clear(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry("tabtune-models", { recursive: true }).catch(() => undefined);
}

beforeEach(clear);
afterEach(closeAll);
afterAll(clear);

describe("a model on disk", () => {
  it("is downloaded, listed, opened again without a request, and deleted", async () => {
    expectWhole(await run({ call: obtain }));
    const { models, bytes, room } = await list();
    expect(models).toMatchObject([{ id: source, variants: [{ id: weights, finished: true }] }]);
    expect(bytes).toBe([...files.values()].reduce((sum, file) => sum + file.length, 0));
    expect(room.quota).toBeGreaterThan(bytes);
    const again = await run({ call: { name: "open", key: models[0]?.key ?? "" } });
    expectWhole(again);
    expect(again.requests).toEqual([]);
    expect(await run({ call: { name: "delete", key: models[0]?.key ?? "" } })).toMatchObject({ fault: null });
    expect((await list()).models).toEqual([]);
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle("tabtune-models");
    for await (const name of folder.keys()) expect.fail(`${name} is left`);
  });

  it("goes on at 60 % after its tab was closed there, with the right hash", async () => {
    const faults = [{ path: weights, kind: { type: "hang", at: 0.6 } as const }];
    const kept = Math.floor(0.6 * whole.length);
    void run({ call: obtain, faults });
    await expect
      .poll(async () => (await list()).models[0]?.files, { timeout: 20_000 })
      .toContainEqual({
        path: weights,
        bytes: kept,
        fullBytes: whole.length,
        finished: false,
      });
    closeAll();
    const reply = await run({ call: obtain });
    expectWhole(reply);
    expect(large(reply)).toMatchObject([{ range: `bytes=${kept}-`, ifRange: null }]);
  });

  it("is fetched once when two tabs want it, and not deleted meanwhile", async () => {
    const faults = [{ path: weights, kind: { type: "hang", at: 0.5 } as const }];
    void run({ call: obtain, faults });
    await expect.poll(async () => (await list()).models[0]?.files.some(({ path }) => path === weights)).toBe(true);
    const key = (await list()).models[0]?.key ?? "";
    expect(await run({ call: { name: "delete", key } })).toMatchObject({ fault: { reason: "busy" } });
    let isDone = false;
    const second = run({ call: obtain }).then((reply) => {
      isDone = true;
      return reply;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(isDone).toBe(false);
    // The first tab is closed; its lock goes with it, and the second takes up what it left.
    workers[0]?.terminate();
    const reply = await second;
    expectWhole(reply);
    expect(large(reply)).toMatchObject([{ range: `bytes=${Math.floor(0.5 * whole.length)}-` }]);
  });

  it.each(["obtain", "open"] as const)(
    "cannot be deleted while it is held, and can once its tab is closed (%s)",
    async (name) => {
      if (name === "open") expectWhole(await run({ call: obtain }));
      const key = (await list()).models[0]?.key ?? "";
      expectWhole(await run({ call: name === "open" ? { name, key, holds: true } : { ...obtain, holds: true } }));
      const held = (await list()).models[0]?.key ?? "";
      expect(await run({ call: { name: "delete", key: held } })).toMatchObject({ fault: { reason: "busy" } });
      expectWhole(await run({ call: { name: "open", key: held } }));
      closeAll();
      await expect.poll(async () => (await run({ call: { name: "delete", key: held } })).fault).toBeNull();
      expect((await list()).models).toEqual([]);
    },
  );

  it("goes to memory as a whole where the disk takes not even a record", async () => {
    const reply = await run({ call: { ...obtain, room: 10 } });
    expectWhole(reply);
    expect(reply).toMatchObject({ notes: [expect.stringMatching(/no room on disk.*stays in memory/)] });
    expect((await list()).models).toEqual([]);
  });

  it("says in words that its files are in use", async () => {
    expectWhole(await run({ call: obtain }));
    const { models } = await list();
    const root = await navigator.storage.getDirectory();
    const folder = await (await root.getDirectoryHandle("tabtune-models")).getDirectoryHandle(models[0]?.key ?? "");
    const open: FileSystemWritableFileStream[] = [];
    for await (const name of folder.keys()) {
      open.push(await (await folder.getFileHandle(name)).createWritable({ keepExistingData: true }));
    }
    const { fault } = await run({ call: { name: "delete", key: models[0]?.key ?? "" } });
    expect(fault).toMatchObject({ reason: "busy", message: expect.stringContaining("in use, perhaps in another tab") });
    await Promise.all(open.map((stream) => stream.abort()));
  });

  it("goes to memory where the disk is full, says so, and leaves nothing half there", async () => {
    const reply = await run({ call: { ...obtain, room: 40_000 } });
    expectWhole(reply);
    expect(reply).toMatchObject({
      notes: [expect.stringMatching(/no room for onnx\/model_q4\.onnx \(.* GB used\)/)],
    });
    const { models } = await list();
    expect(models[0]?.files.map(({ path }) => path)).not.toContain(weights);
    expect(models[0]?.variants).toMatchObject([{ finished: false }]);
  });

  it("with a wrong byte is removed from the disk", async () => {
    const reply = await run({ call: obtain, faults: [{ path: weights, kind: { type: "corrupt" } }] });
    expect(reply).toMatchObject({ fault: { reason: "damaged" } });
    const { models } = await list();
    expect(models[0]?.files.map(({ path }) => path)).not.toContain(weights);
  });

  it("is kept for good where the browser grants that to the page", async () => {
    const granted = await askToPersist();
    expect(granted).toBe(await navigator.storage.persisted());
    expect((await list()).room.persisted).toBe(granted);
  });

  it("outlives the clearing away of the datasets' spool", async () => {
    expectWhole(await run({ call: obtain }));
    const file = await diskSpool.create();
    await file.discard();
    expect((await list()).models).toMatchObject([{ variants: [{ finished: true }] }]);
  });
});
