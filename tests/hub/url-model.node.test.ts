/** Models behind addresses: what they are called, when they are another model, and servers that compress or say little. */
import { describe, expect, it } from "vitest";
import { cachedModels, type FoundModel, HubError, lookUp, obtain } from "../../src/hub";
import { type ModelStore, memoryStore } from "../../src/hub/store";

const diskLike = (): ModelStore => ({ ...memoryStore(), kept: true });

interface Site {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag?: string;
  /** Bytes that the server sends when it may compress, which a page of another site does not see. */
  readonly compressed?: number;
}

const text = (value: unknown): Site => ({ bytes: new TextEncoder().encode(JSON.stringify(value)) });

/** A server of another site: a page sees length, date and type, and the ETag only where the server lets it. */
function server(sites: Record<string, Site>) {
  const requests: Request[] = [];
  const fetchFile: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    requests.push(request);
    const site = sites[request.url];
    if (!site) return new Response(null, { status: 404 });
    const isHead = request.method === "HEAD";
    const length = request.headers.has("range") ? site.bytes.length : (site.compressed ?? site.bytes.length);
    const headers = { "content-length": String(length), ...(site.etag ? { etag: site.etag } : {}) };
    return new Response(isHead ? null : site.bytes, { headers });
  };
  return { fetchFile, requests, wait: async () => undefined };
}

async function get(found: FoundModel, options: Parameters<typeof obtain>[2]) {
  const { opened, notes, kind, base, id } = await obtain(
    found,
    found.variants[0] ?? expect.fail("no variant"),
    options,
  );
  const read = async (path: string): Promise<Uint8Array> => {
    const blob =
      opened.kind === "gguf" ? opened.files.find((file) => file.path === path)?.blob : await opened.files.open(path);
    return new Uint8Array(await (blob ?? expect.fail(path)).arrayBuffer());
  };
  return { read, opened, notes, kind, base, id };
}

const gguf = "https://cdn-lfs.hf.co/a/m.Q4_0.gguf";
const folder = "https://cdn-lfs.hf.co/m/";
const weights = { bytes: new Uint8Array(100), etag: '"w"' };
const config = { model_type: "llama", pad: "x".repeat(5000) };

describe("the name of a model behind an address", () => {
  it("lacks the query, which only the request has", async () => {
    const { fetchFile, requests, wait } = server({ [`${gguf}?sig=SECRET`]: weights });
    const options = { fetchFile, wait, store: diskLike() };
    const found = await lookUp(`${gguf}?sig=SECRET#part`, options);
    expect(found).toMatchObject({ kind: "url", id: gguf, base: null });
    expect(found.commit).not.toMatch(/^[0-9a-f]{7,40}$/);
    const obtained = await get(found, options);
    expect(obtained).toMatchObject({ kind: "url", id: gguf, base: null });
    expect(requests.every(({ url }) => url.includes("SECRET"))).toBe(true);
    const { models } = await cachedModels(options);
    const shown = JSON.stringify([found, models, obtained.notes], (key, value) => (key === "url" ? "" : value));
    expect(shown).not.toContain("SECRET");
  });

  it.each([
    ["nothing there", async () => new Response(null, { status: 404 })],
    ["no access", async () => new Response(null, { status: 403 })],
    ["a failing server", async () => new Response(null, { status: 500 })],
    [
      "no connection",
      async () => {
        throw new TypeError(`cannot load ${gguf}?sig=SECRET`);
      },
    ],
  ])("stands in the error for %s without the query", async (_, fetchFile) => {
    const options = { fetchFile, wait: async () => undefined, store: memoryStore() };
    const error = await lookUp(`${gguf}?sig=SECRET`, options).catch((reason: unknown) => reason);
    if (!(error instanceof HubError)) expect.fail(String(error));
    expect(error.message).toContain(gguf);
    expect(error.message).not.toContain("SECRET");
  });

  it("is shared by two addresses that differ in the query, whose bytes are never mixed", async () => {
    const one = { bytes: new Uint8Array(100).fill(1), etag: '"same"' };
    const two = { bytes: new Uint8Array(100).fill(2), etag: '"same"' };
    const { fetchFile, wait } = server({ [`${gguf}?v=1`]: one, [`${gguf}?v=2`]: two });
    const options = { fetchFile, wait, store: diskLike() };
    for (const [query, site] of [
      ["?v=1", one],
      ["?v=2", two],
    ] as const) {
      const { read } = await get(await lookUp(gguf + query, options), options);
      expect(await read("m.Q4_0.gguf")).toEqual(site.bytes);
    }
    const models = (await cachedModels(options)).models;
    expect(models.map(({ id }) => id)).toEqual([gguf, gguf]);
    expect(new Set(models.map(({ key }) => key)).size).toBe(2);
    const offline: typeof fetch = async () => {
      throw new TypeError("Failed to fetch");
    };
    const again = await lookUp(`${gguf}?v=2`, { ...options, fetchFile: offline });
    expect(again.variants[0]?.files[0]?.url).toBe(`${gguf}?v=2`);
    await expect(lookUp(`${gguf}?v=3`, { ...options, fetchFile: offline })).rejects.toMatchObject({
      reason: "network",
    });
  });
});

describe("a changed file beside the weights", () => {
  const sites = (tokenizer: Site, configured: unknown): Record<string, Site> => ({
    [`${folder}w.safetensors`]: weights,
    [`${folder}config.json`]: text(configured),
    [`${folder}tokenizer.json`]: tokenizer,
  });

  it.each([
    ["config.json", sites({ bytes: new Uint8Array(9), etag: '"1"' }, { model_type: "llama", v: 2 })],
    ["tokenizer.json", sites({ bytes: new Uint8Array(9), etag: '"2"' }, { model_type: "llama", v: 1 })],
    ["tokenizer.json without a version", sites({ bytes: new Uint8Array(8) }, { model_type: "llama", v: 1 })],
  ])("makes another model: %s", async (_, changed) => {
    const store = diskLike();
    const first = server(sites({ bytes: new Uint8Array(9), etag: '"1"' }, { model_type: "llama", v: 1 }));
    const before = await lookUp(`${folder}w.safetensors`, { ...first, store });
    await get(before, { ...first, store });
    expect((await lookUp(`${folder}w.safetensors`, { ...first, store })).commit).toBe(before.commit);
    const second = server(changed);
    const after = await lookUp(`${folder}w.safetensors`, { ...second, store });
    expect(after.commit).not.toBe(before.commit);
    const { read } = await get(after, { ...second, store });
    for (const path of ["config.json", "tokenizer.json"]) {
      expect(await read(path)).toEqual(changed[`${folder}${path}`]?.bytes);
    }
  });

  it("is said to go unnoticed where the server names no version", async () => {
    const { notes } = await lookUp(`${folder}w.safetensors`, {
      ...server(sites({ bytes: new Uint8Array(9) }, {})),
      store: memoryStore(),
    });
    expect(notes).toContainEqual(expect.stringContaining("names no version of config.json and tokenizer.json"));
    const versioned = await lookUp(gguf, { ...server({ [gguf]: weights }), store: memoryStore() });
    expect(versioned.notes).not.toContainEqual(expect.stringContaining("names no version"));
  });
});

describe("a server that compresses where a page cannot see it", () => {
  it("is believed no length: the end of the answer is the end of the file", async () => {
    const site = { ...text(config), compressed: 130 };
    const { fetchFile, wait } = server({
      [`${folder}w.safetensors`]: { ...weights, compressed: 50 },
      [`${folder}config.json`]: site,
      [`${folder}tokenizer.json`]: { bytes: new Uint8Array(40), compressed: 60 },
    });
    const options = { fetchFile, wait, store: diskLike() };
    const found = await lookUp(`${folder}w.safetensors`, options);
    // Asked with a range, it sends them as they are.
    expect(found.variants[0]?.files.map(({ bytes }) => bytes)).toEqual([100, site.bytes.length, 40]);
    const { read } = await get(found, options);
    expect(await read("config.json")).toEqual(site.bytes);
    expect((await read("tokenizer.json")).length).toBe(40);
  });

  it("is believed none even where its look-up said one", async () => {
    const { fetchFile, wait } = server({ [gguf]: weights });
    const options = { fetchFile, wait, store: diskLike() };
    const found = await lookUp(gguf, options);
    for (const bytes of [70, 130]) {
      const variants = found.variants.map((one) => ({ ...one, files: one.files.map((file) => ({ ...file, bytes })) }));
      const totals: (number | null)[] = [];
      const { read } = await get(
        { ...found, commit: `v${bytes}`, variants },
        { ...options, onProgress: ({ total }) => totals.push(total) },
      );
      expect((await read("m.Q4_0.gguf")).length).toBe(100);
      expect(totals[0]).toBe(bytes);
      expect(totals.at(-1)).toBe(100);
    }
  });
});
