/** Models looked up on the fake hub and behind addresses. */
import { describe, expect, it } from "vitest";
import { HubError, lookUp, obtain } from "../../src/hub";
import { memoryStore } from "../../src/hub/store";
import { type FakeHubOptions, fakeHub } from "../support/fake-hub";
import { commits, goldenRepositories } from "../support/fake-hub-models";

const repositories = await goldenRepositories();
const text = (value: string) => new TextEncoder().encode(value);

async function setUp(options: Partial<FakeHubOptions> = {}) {
  const hub = fakeHub({ repositories, ...options });
  const waits: number[] = [];
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  const look = (source: string) => lookUp(source, { fetchFile: hub.fetchFile, wait, store: memoryStore() });
  return { hub, waits, look };
}

const failure = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HubError)) expect.fail(`expected a HubError, got ${String(error)}`);
  expect(error.message).toMatch(/^[^\n]+\.$/);
  return error;
};

describe("a model of the hub", () => {
  it("is found at the commit that its branch stands for, with sizes and hashes", async () => {
    const { hub, look } = await setUp();
    const found = await look("tests/tiny-int4");
    expect(found).toMatchObject({
      kind: "hub",
      id: "tests/tiny-int4",
      commit: commits.int4,
      preferred: "onnx/model_q4.onnx",
    });
    expect(found.config?.["model_type"]).toBe("llama");
    const [variant] = found.variants;
    expect(variant?.files.map(({ path }) => path).sort()).toEqual([
      "config.json",
      "generation_config.json",
      "onnx/model_q4.onnx",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    for (const { url, hash, path } of variant?.files ?? []) {
      expect(url).toContain(`/resolve/${commits.int4}/`);
      expect(hash?.algorithm).toBe(path.endsWith(".onnx") ? "sha256" : "git-sha1");
    }
    expect(variant?.bytes).toBe(variant?.files.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0));
    expect(hub.requests.every(({ url }) => url.startsWith("https://huggingface.co/"))).toBe(true);
    expect(structuredClone(found)).toEqual(found);
  });

  it("is asked for by branch once and by commit from then on", async () => {
    const { hub, look } = await setUp();
    await look("tests/tiny-tied@main");
    const urls = hub.requests.map(({ url }) => url);
    expect(urls.filter((url) => url.includes("/main"))).toHaveLength(1);
    expect(urls.filter((url) => url.includes(commits.tied))).toHaveLength(urls.length - 1);
  });

  it("is found by the address of one of its files, which is then preferred", async () => {
    const { look } = await setUp();
    const found = await look("https://huggingface.co/tests/tiny-tied/blob/main/model.safetensors");
    expect(found.preferred).toBe("model.safetensors");
    const error = await failure(look("https://huggingface.co/tests/tiny-tied/resolve/main/nothing.gguf"));
    expect(error).toMatchObject({ reason: "not-found", message: expect.stringContaining("nothing.gguf") });
  });

  it.each([
    ["tests/nothing", "not-found", "does not exist on the hub or is private"],
    ["tests/private", "not-found", "does not exist on the hub or is private"],
    ["tests/tiny-int4@nothing", "not-found", "no such revision"],
    ["tests/gated", "gated", "licence must be accepted at https://huggingface.co/tests/gated"],
  ])("%s: %s", async (source, reason, message) => {
    const files = repositories[0]?.files ?? new Map();
    const { look } = await setUp({
      repositories: [
        ...repositories,
        { id: "tests/private", commit: "3".repeat(40), isPrivate: true, files },
        { id: "tests/gated", commit: "4".repeat(40), gated: true, files },
      ],
    });
    expect(await failure(look(source))).toMatchObject({ reason, message: expect.stringContaining(message) });
  });

  it.each([
    ["one model", { base_model: "org/base" }, ["m-Q4_0.gguf"], "org/base"],
    ["a list of one", { base_model: ["org/base"], base_model_relation: "quantized" }, ["onnx/model.onnx"], "org/base"],
    ["several", { base_model: ["org/base", "org/other"] }, ["m-Q4_0.gguf"], null],
    [
      "the one it is a fine-tune of",
      { base_model: "org/base", base_model_relation: "finetune" },
      ["m-Q4_0.gguf"],
      null,
    ],
    ["one beside its own weights", { base_model: "org/base" }, ["onnx/model.onnx", "model.safetensors"], null],
    ["one beside its own old weights", { base_model: "org/base" }, ["m-Q4_0.gguf", "pytorch_model.bin"], null],
    ["itself", { base_model: "tests/converted" }, ["m-Q4_0.gguf"], null],
    ["no name", { base_model: "../../x" }, ["m-Q4_0.gguf"], null],
    ["no text", { base_model: { a: 1 } }, ["m-Q4_0.gguf"], null],
    ["nothing", undefined, ["m-Q4_0.gguf"], null],
  ])("whose card names %s as its base", async (_, cardData, paths, base) => {
    const files = new Map(paths.map((path) => [path, new Uint8Array(9)] as const));
    const { look } = await setUp({
      repositories: [{ id: "tests/converted", commit: "7".repeat(40), cardData, files }],
    });
    expect((await look("tests/converted")).base).toBe(base);
  });

  it("is looked up with the GGUF type behind its name, which is then preferred", async () => {
    const files = new Map(["m-Q4_K_M.gguf", "m-Q8_0.gguf"].map((path) => [path, new Uint8Array(9)] as const));
    const { look } = await setUp({ repositories: [{ id: "tests/g", commit: "7".repeat(40), files }] });
    expect(await look("hf.co/tests/g:q8_0")).toMatchObject({ preferred: "m-Q8_0.gguf", notes: [] });
    expect(await look("tests/g:Q6_K")).toMatchObject({
      preferred: "m-Q4_K_M.gguf",
      notes: [expect.stringContaining("has no GGUF file of the type Q6_K")],
    });
  });

  it("is not looked for on another host that an answer names, nor for ever", async () => {
    const pages = (next: string) => {
      const hub = fakeHub({ repositories });
      const fetchFile: typeof fetch = async (input, init) => {
        if (!new Request(input).url.includes("/tree/")) return hub.fetchFile(input, init);
        hub.requests.push({ method: "GET", url: new Request(input).url, range: null, ifRange: null });
        return Response.json([], { headers: { link: `<${next}>; rel="next"` } });
      };
      return { hub, look: lookUp("tests/tiny-int4", { fetchFile, wait: async () => undefined, store: memoryStore() }) };
    };
    const other = pages("https://evil.example/tree/x");
    expect(await failure(other.look)).toMatchObject({ reason: "server" });
    expect(other.hub.requests.every(({ url }) => url.startsWith("https://huggingface.co/"))).toBe(true);
    const endless = pages("https://huggingface.co/api/models/tests/tiny-int4/tree/x");
    expect(await failure(endless.look)).toMatchObject({ reason: "server" });
    expect(endless.hub.requests.length).toBeLessThan(300);
  });

  it("is out of reach where a server takes the question and says nothing", async () => {
    const fetchFile: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
    const silent = lookUp("a/b", { fetchFile, wait: async () => undefined, store: memoryStore(), stallAfter: 20 });
    expect(await failure(silent)).toMatchObject({
      reason: "network",
      message: expect.stringContaining("no byte came"),
    });
  });

  it("names the copies without a gate", async () => {
    const files = repositories[0]?.files ?? new Map();
    const { look } = await setUp({
      repositories: [{ id: "google/gemma-3-270m-it", commit: "5".repeat(40), gated: true, files }],
    });
    const error = await failure(look("google/gemma-3-270m-it"));
    expect(error.message).toContain("unsloth/gemma-3-270m-it or onnx-community/gemma-3-270m-it-ONNX");
  });

  it("is asked for again when the hub is busy, as late as the hub says, and three times at most", async () => {
    const answers = [429, 503, 200];
    const { hub, waits } = await setUp();
    const fetchFile: typeof fetch = async (input, init) => {
      const status = answers.shift() ?? 200;
      return status === 200
        ? hub.fetchFile(input, init)
        : new Response("", { status, headers: { "retry-after": "7" } });
    };
    const wait = async (milliseconds: number) => void waits.push(milliseconds);
    const found = await lookUp("tests/tiny-int4", { fetchFile, wait, store: memoryStore() });
    expect(found.id).toBe("tests/tiny-int4");
    expect(waits).toEqual([7000, 7000]);
    const always = async () => new Response("", { status: 429, headers: { "retry-after": "30" } });
    const error = await failure(lookUp("a/b", { fetchFile: always, wait, store: memoryStore() }));
    expect(error).toMatchObject({ reason: "busy", message: expect.stringContaining("try again in 30 seconds") });
    expect(waits).toEqual([7000, 7000, 30_000, 30_000, 30_000]);
  });

  it("is out of reach without a connection", async () => {
    const { hub, look, waits } = await setUp();
    hub.offline = true;
    expect(await failure(look("tests/tiny-int4"))).toMatchObject({ reason: "network" });
    expect(waits).toEqual([1000, 2000, 4000]);
  });

  it("of 30,000 files is looked at in its two folders, with a bounded number of requests", async () => {
    const files = new Map(repositories[0]?.files);
    for (let i = 0; i < 30_000; i++) files.set(`checkpoints/step-${i}.txt`, new Uint8Array(1));
    const { hub, look } = await setUp({ repositories: [{ id: "tests/many", commit: "6".repeat(40), files }] });
    const found = await look("tests/many");
    expect(found.preferred).toBe("onnx/model_q4.onnx");
    expect(found.notes).toEqual([expect.stringContaining("more than 10000 files")]);
    expect(hub.requests.length).toBeLessThan(16);
  });

  it.each([
    ["no JSON", "<html>"],
    ["another kind of JSON", "[1, 2]"],
    ["a hash that is none", JSON.stringify({ id: "a/b", gated: false, sha: "../../x" })],
    ["a name that leads out", JSON.stringify({ id: "../../x", gated: false, sha: "1".repeat(40) })],
    ["too much", `"${"x".repeat(17_000_000)}"`],
  ])("with an answer that is %s is refused", async (_, body) => {
    const fetchFile: typeof fetch = async () => new Response(body);
    const error = await failure(lookUp("a/b", { fetchFile, wait: async () => undefined, store: memoryStore() }));
    expect(["server", "damaged"]).toContain(error.reason);
  });
});

describe("a model behind an address", () => {
  const gguf = new Uint8Array(5000);
  const sites = new Map([
    ["https://cdn-lfs.hf.co/a/tiny.Q4_0.gguf", gguf],
    ["https://cdn-lfs.hf.co/b/weights.safetensors", new Uint8Array(100)],
    ["https://cdn-lfs.hf.co/b/config.json", text('{"model_type":"llama"}')],
    ["https://cdn-lfs.hf.co/b/tokenizer.json", text("{}")],
    ["https://cdn-lfs.hf.co/b/tokenizer_config.json", text("{}")],
    ["https://cdn-lfs.hf.co/c/model.safetensors", new Uint8Array(100)],
  ]);

  it("is refused on another host before anything is asked, whoever hands it over", async () => {
    const { hub, look } = await setUp({ sites: new Map([["https://example.org/m.gguf", gguf]]) });
    expect(await failure(look("https://example.org/m.gguf"))).toMatchObject({ reason: "elsewhere" });
    expect(hub.requests).toEqual([]);
    // As a record made by an earlier version may still name it.
    const file = { path: "m.gguf", url: "https://example.org/m.gguf", bytes: 5000, hash: null };
    const variant = { id: "m.gguf", format: "gguf", label: "", files: [file], bytes: 5000, refusal: null } as const;
    const model = {
      kind: "url",
      id: file.url,
      commit: "v1",
      base: null,
      variants: [variant],
      preferred: "m.gguf",
      config: null,
      notes: [],
    } as const;
    const obtained = obtain(model, variant, { fetchFile: hub.fetchFile, store: memoryStore() });
    expect(await failure(obtained)).toMatchObject({ reason: "elsewhere" });
    expect(hub.requests).toEqual([]);
  });

  it("is a GGUF file of known size", async () => {
    const { look } = await setUp({ sites });
    const found = await look("https://cdn-lfs.hf.co/a/tiny.Q4_0.gguf");
    expect(found).toMatchObject({ kind: "url", preferred: "tiny.Q4_0.gguf", config: null });
    expect(found.variants[0]).toMatchObject({ format: "gguf", bytes: 5000, refusal: null });
    const changed = await setUp({ sites: new Map([["https://cdn-lfs.hf.co/a/tiny.Q4_0.gguf", new Uint8Array(5001)]]) });
    expect((await changed.look("https://cdn-lfs.hf.co/a/tiny.Q4_0.gguf")).commit).not.toBe(found.commit);
  });

  it("is a safetensors file with the files beside it", async () => {
    const { look } = await setUp({ sites });
    const found = await look("https://cdn-lfs.hf.co/b/weights.safetensors");
    expect(found.config).toEqual({ model_type: "llama" });
    expect(found.variants[0]?.files.map(({ path }) => path)).toEqual([
      "model.safetensors",
      "config.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
  });

  it.each([
    ["https://cdn-lfs.hf.co/c/model.safetensors", "not-found", "https://cdn-lfs.hf.co/c/config.json is not there"],
    ["https://cdn-lfs.hf.co/nothing.gguf", "not-found", "has no nothing.gguf"],
    ["https://cdn-lfs.hf.co/page.html", "address", "no address of a .gguf or .safetensors file"],
    ["https://cdn-lfs.hf.co/model-00001-of-00002.safetensors", "unusable", "one part of several"],
  ])("%s: %s", async (source, reason, message) => {
    const { look } = await setUp({ sites });
    expect(await failure(look(source))).toMatchObject({ reason, message: expect.stringContaining(message) });
  });
});
