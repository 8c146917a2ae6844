/** A worker that looks up and downloads from a fake hub, as the studio's does from the real one. */
import {
  type CachedModels,
  cachedModels,
  deleteCached,
  HubError,
  lookUp,
  type Obtained,
  obtain,
  openCached,
} from "../../src/hub";
import { type FakeFault, type FakeRepository, type FakeRequest, fakeHub } from "./fake-hub";

export interface HubJob {
  readonly repositories: readonly FakeRepository[];
  readonly faults?: readonly FakeFault[];
  readonly call:
    | {
        readonly name: "obtain";
        readonly source: string;
        /** The disk takes files of so many bytes and none larger. */
        readonly room?: number;
        /** Its files are not let go of. */
        readonly holds?: boolean;
      }
    | { readonly name: "open"; readonly key: string; readonly holds?: boolean }
    | { readonly name: "list" }
    | { readonly name: "delete"; readonly key: string };
}

export interface HubReply {
  /** Of a model that was obtained or opened. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly notes: readonly string[];
  readonly list: CachedModels | null;
  readonly fault: { readonly reason: string; readonly message: string } | null;
  /** Since the look-up. */
  readonly requests: readonly FakeRequest[];
}

const nothing: HubReply = { files: new Map(), notes: [], list: null, fault: null, requests: [] };

addEventListener("message", async ({ data }: MessageEvent<HubJob>) => {
  const hub = fakeHub({ repositories: data.repositories, faults: data.faults ?? [] });
  const reply = await run(data, hub).catch((error: unknown): HubReply => {
    const reason = error instanceof HubError ? error.reason : "";
    return { ...nothing, fault: { reason, message: String(error) } };
  });
  postMessage({ ...reply, requests: hub.requests });
});

async function run({ call }: HubJob, hub: ReturnType<typeof fakeHub>): Promise<HubReply> {
  if (call.name === "list") return { ...nothing, list: await cachedModels() };
  if (call.name === "open") return shown(await openCached(call.key), call.holds);
  if (call.name === "delete") {
    await deleteCached(call.key);
    return nothing;
  }
  if (call.room !== undefined) limitFiles(call.room);
  const options = { fetchFile: hub.fetchFile, wait: async () => undefined };
  const found = await lookUp(call.source, options);
  const variant = found.variants.find(({ id }) => id === found.preferred);
  hub.requests.length = 0;
  return variant ? shown(await obtain(found, variant, options), call.holds) : nothing;
}

async function shown({ opened, notes, release }: Obtained, holds = false): Promise<HubReply> {
  const files = new Map<string, Uint8Array>();
  if (opened.kind === "gguf") {
    for (const { path, blob } of opened.files) files.set(path, new Uint8Array(await blob.arrayBuffer()));
  } else {
    for (const path of opened.files.paths) {
      files.set(path, new Uint8Array(await (await opened.files.open(path)).arrayBuffer()));
    }
  }
  if (!holds) {
    release();
    release();
  }
  return { ...nothing, files, notes };
}

/** A full disk cannot be had in a test, so that the handle's own refusal is put in its place. */
function limitFiles(bytes: number): void {
  const prototype: object = Reflect.get(Reflect.get(globalThis, "FileSystemSyncAccessHandle"), "prototype");
  const write = Reflect.get(prototype, "write");
  Reflect.set(prototype, "write", function (this: unknown, data: Uint8Array, options: { at: number }): unknown {
    if (options.at + data.length > bytes) throw new DOMException("full", "QuotaExceededError");
    return Reflect.apply(write, this, [data, options]);
  });
}
