/** What is on this device while the hub does not answer, and downloads that were left half done. */
import { describe, expect, it } from "vitest";
import { type DownloadProgress, deleteCached, HubError, lookUp, obtain, openCached } from "../../src/hub";
import { downloadFile } from "../../src/hub/download";
import { webOf } from "../../src/hub/http";
import { progressMeter } from "../../src/hub/progress";
import { MemoryWriter, type ModelStore, memoryStore } from "../../src/hub/store";
import { fakeHub } from "../support/fake-hub";
import { goldenRepositories } from "../support/fake-hub-models";

const diskLike = (): ModelStore => ({ ...memoryStore(), kept: true });
const [tiny] = await goldenRepositories();
const q4 = "onnx/model_q4.onnx";
const other = "onnx/model_fp16.onnx";
const files = new Map(tiny?.files).set(other, new Uint8Array(60_000).fill(3));
const repositories = [{ id: "tests/tiny", commit: "1".repeat(40), files }];

async function setUp() {
  const faults = [{ path: q4, times: 9, kind: { type: "break", at: 0.5 } as const }];
  const hub = fakeHub({ repositories, faults });
  const waits: number[] = [];
  const options = { fetchFile: hub.fetchFile, wait: async (ms: number) => void waits.push(ms), store: diskLike() };
  const found = await lookUp("tests/tiny", options);
  const variant = (id: string) => found.variants.find((one) => one.id === id) ?? expect.fail(id);
  return { hub, waits, options, found, variant };
}

describe("a hub that does not answer", () => {
  it.each([
    ["is busy", async () => new Response(null, { status: 429, headers: { "retry-after": "100" } })],
    ["fails", async () => new Response(null, { status: 503 })],
    ["takes too long", async () => new Response(null, { status: 408 })],
    [
      "is not there",
      async () => {
        throw new TypeError("Failed to fetch");
      },
    ],
    [
      "stays silent",
      (_: unknown, init?: RequestInit) =>
        new Promise<Response>((_resolve, reject) =>
          init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)),
        ),
    ],
  ])("and %s leaves the model that is whole, without a long wait", async (_, fetchFile) => {
    const { options, found, variant, waits } = await setUp();
    await obtain(found, variant(other), options);
    // The one that would be preferred is half here and was asked for last.
    await expect(obtain(found, variant(q4), options)).rejects.toBeInstanceOf(HubError);
    waits.length = 0;
    const kept = await lookUp("tests/tiny", { ...options, fetchFile, stallAfter: 20 });
    expect(kept).toMatchObject({ preferred: other, notes: [expect.stringContaining("does not answer")] });
    expect(kept.variants.map(({ id }) => id).sort()).toEqual([other, q4].sort());
    expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(6000);
  });

  it("is not what a hub is that says no", async () => {
    const { options, found, variant } = await setUp();
    await obtain(found, variant(other), options);
    const fetchFile = async () => new Response(null, { status: 404, headers: { "x-error-code": "RepoNotFound" } });
    await expect(lookUp("tests/tiny", { ...options, fetchFile })).rejects.toMatchObject({ reason: "not-found" });
  });
});

describe("a model that is opened", () => {
  it("can be let go of twice", async () => {
    const { options, found, variant } = await setUp();
    const obtained = await obtain(found, variant(other), options);
    const opened = await openCached(obtained.key ?? "", other, options);
    expect(opened).toMatchObject({ kind: "hub", id: "tests/tiny", base: null, commit: found.commit });
    for (const one of [obtained, opened]) {
      one.release();
      one.release();
    }
    await deleteCached(obtained.key ?? "", options);
  });

  it("does not come back when it is deleted meanwhile", async () => {
    const { options, found, variant } = await setUp();
    const { key } = await obtain(found, variant(other), options);
    const { store } = options;
    const racing: ModelStore = {
      ...store,
      async file(folder, name) {
        const blob = await store.file(folder, name);
        if (!name.startsWith("manifest")) await store.removeFolder(folder);
        return blob;
      },
    };
    await openCached(key ?? "", other, { store: racing });
    expect(await store.folders()).toEqual([]);
  });
});

describe("what an earlier visit left of a file", () => {
  const size = 40_000_000;
  const file = {
    path: "a",
    url: "https://huggingface.co/a",
    bytes: size + 1,
    hash: { algorithm: "sha256", hex: "0" },
  } as const;
  const subject = { model: "m", what: "a", hub: true };

  async function leftOver(): Promise<MemoryWriter> {
    const writer = new MemoryWriter();
    for (let at = 0; at < size; at += 4_000_000) await writer.write(new Uint8Array(4_000_000));
    return writer;
  }

  it("is checked with progress and turns for others, and the check can be cancelled", async () => {
    const control = new AbortController();
    const events: DownloadProgress[] = [];
    let clock = 0;
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const meter = progressMeter(
      new Map([["a", size + 1]]),
      (event) => {
        events.push(event);
        if (event.fileDone >= 20_000_000) control.abort();
      },
      () => (clock += 200),
    );
    let asked = 0;
    const fetchFile: typeof fetch = async () => {
      asked++;
      return new Response(null, { status: 404 });
    };
    const job = { file, subject, writer: await leftOver(), meter, etag: null, onEtag: async () => undefined };
    const web = webOf({ fetchFile, signal: control.signal });
    await expect(downloadFile(job, web)).rejects.toMatchObject({ name: "AbortError" });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
    expect(asked).toBe(0);
    expect(job.writer.size).toBe(size);
    expect(events.map(({ stage, fileDone }) => [stage, fileDone])).toEqual(
      [0, 4, 8, 12, 16, 20].map((done) => ["checking", done * 1_000_000]),
    );
    expect(events.every(({ bytesPerSecond, secondsLeft }) => bytesPerSecond === null && secondsLeft === null)).toBe(
      true,
    );
  });

  it("is followed by the rest, as a download", async () => {
    const stages: string[] = [];
    const meter = progressMeter(new Map([["a", size + 1]]), ({ stage, done }) => stages.push(`${stage} ${done}`));
    const ranges: (string | null)[] = [];
    const fetchFile: typeof fetch = async (_, init) => {
      ranges.push(new Headers(init?.headers).get("range"));
      return new Response(new Uint8Array(1), {
        status: 206,
        headers: { "content-range": `bytes ${size}-${size}/${size + 1}` },
      });
    };
    const job = { file, subject, writer: await leftOver(), meter, etag: null, onEtag: async () => undefined };
    await expect(downloadFile(job, webOf({ fetchFile }))).rejects.toMatchObject({ reason: "damaged" });
    expect(ranges).toEqual([`bytes=${size}-`]);
    expect(stages[0]).toBe("checking 0");
    expect(stages).toContain(`downloading ${size}`);
  });
});
