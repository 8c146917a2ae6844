/** Which files the service worker fetches when, which requests it answers, which answers it keeps, and what the policy allows. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { metaPolicy, pageHeaders } from "../../scripts/lib/headers.mjs";
import { fetchedAt, filesOf } from "../../scripts/lib/offline-plugin.mjs";
import { type Around, isAlone, type Teller } from "../../src/offline/alone";
import { type Asked, addressOf, type BuiltFile, decide, isWhole, keyOf, stale } from "../../src/offline/files";

const scope = "https://example.org/some/where/";
const file = (path: string, fetched: BuiltFile["fetched"] = "install"): BuiltFile => ({ path, fetched, hash: "ab12" });
const files = [file("index.html"), file("assets/studio-1.js"), file("models/a b/x.onnx", "model")];
const ask = (path: string, more: Partial<Asked> = {}): Asked => ({
  method: "GET",
  url: scope + path,
  mode: "cors",
  cache: "default",
  range: null,
  ...more,
});

describe("when a file of the build is fetched", () => {
  it.each([
    ["index.html", "install"],
    ["assets/studio-1.js", "install"],
    ["assets/studio.worker-1.js", "install"],
    ["assets/studio-1.css", "install"],
    ["manifest.webmanifest", "install"],
    ["icons/icon-192.png", "install"],
    ["datasets/pirate.jsonl", "install"],
    ["models/tabtune-tiny/onnx/model_q4.onnx", "model"],
    ["models/tabtune-tiny/config.json", "model"],
    ["assets/self-check-1.js", "use"],
    ["assets/ort-wasm-1.js", "use"],
    ["assets/ort-wasm-1.wasm", "use"],
    ["models/tabtune-tiny/README.md", null],
    ["headless.html", null],
    ["assets/headless-1.js", null],
    ["service-worker.js", null],
    ["_headers", null],
    [".sources.sha256", null],
  ])("%s: %s", (name, expected) => {
    expect(fetchedAt(name)).toBe(expected);
  });

  it("is listed with the hash of its content", () => {
    const folder = mkdtempSync(join(tmpdir(), "tabtune-dist-"));
    try {
      mkdirSync(join(folder, "assets"));
      writeFileSync(join(folder, "index.html"), "abc");
      writeFileSync(join(folder, "assets", "a-1.js"), "");
      writeFileSync(join(folder, "_headers"), "");
      expect(filesOf(folder)).toEqual([
        {
          path: "assets/a-1.js",
          hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
          fetched: "install",
        },
        {
          path: "index.html",
          hash: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          fetched: "install",
        },
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a request", () => {
  it.each([
    ["the page", ask("", { mode: "navigate" }), "index.html"],
    ["the page by name", ask("index.html", { mode: "navigate" }), "index.html"],
    ["the page with something behind it", ask("?from=app#/train", { mode: "navigate" }), "index.html"],
    ["the page, reloaded", ask("", { mode: "navigate", cache: "no-cache" }), "index.html"],
    ["a script", ask("assets/studio-1.js"), "assets/studio-1.js"],
    ["a name with a blank", ask("models/a%20b/x.onnx"), "models/a b/x.onnx"],
  ])("for %s is answered", (_, asked, path) => {
    expect(decide(asked, files, scope)).toEqual({ kind: "file", file: expect.objectContaining({ path }) });
  });

  it.each([
    ["another origin", ask("", { url: "https://huggingface.co/api/models/a/b" })],
    ["an origin that begins alike", ask("", { url: "https://example.org.evil.example/some/where/index.html" })],
    ["another folder of the origin", ask("", { url: "https://example.org/some/index.html" })],
    ["what was not built", ask("api/x.json")],
    ["another answer of a file", ask("assets/studio-1.js?raw")],
    ["a part of a file", ask("models/a%20b/x.onnx", { range: "bytes=0-9" })],
    ["something else than GET", ask("", { method: "POST" })],
    ["its headers alone", ask("assets/studio-1.js", { method: "HEAD" })],
    ["what must not be fetched", ask("assets/studio-1.js", { cache: "only-if-cached" })],
  ])("for %s is left alone", (_, asked) => {
    expect(decide(asked, files, scope)).toEqual({ kind: "leave" });
  });

  it("for a hashed file of another version is looked for among what is left of it", () => {
    expect(decide(ask("assets/studio-0.js"), files, scope)).toEqual({ kind: "other-version" });
  });
});

describe("an answer", () => {
  it.each([
    [{ status: 200, type: "basic" }, true],
    [{ status: 206, type: "basic" }, false],
    [{ status: 404, type: "basic" }, false],
    [{ status: 0, type: "opaque" }, false],
    [{ status: 0, type: "opaqueredirect" }, false],
    [{ status: 200, type: "cors" }, false],
  ] as const)("%o is kept: %s", (response, expected) => {
    expect(isWhole(response)).toBe(expected);
  });

  it("is kept under its content, and only what no file has any more is deleted", () => {
    expect(files.map((one) => addressOf(one, scope))).toEqual([
      scope,
      `${scope}assets/studio-1.js`,
      `${scope}models/a%20b/x.onnx`,
    ]);
    const keys = files.map((one) => keyOf(one, scope));
    const old = keyOf({ ...file("index.html"), hash: "0000" }, scope);
    expect(stale([...keys, old], files, scope)).toEqual([old]);
  });
});

describe("the files of other versions are nobody's", () => {
  const window = (id: string, url = scope) => ({ id, url });
  const around = (more: Partial<Around> = {}): Around => ({
    installing: null,
    waiting: null,
    windows: [],
    scope,
    ...more,
  });
  const teller: Teller = { id: "a", script: `${scope}assets/studio-1.js` };

  it.each<[string, Around, Teller | null]>([
    ["no window is open", around(), null],
    ["only other folders of the origin are open", around({ windows: [window("b", "https://example.org/")] }), null],
    ["the only window runs this version", around({ windows: [window("a", `${scope}#/train`)] }), teller],
    [
      "it does, beside another folder's",
      around({ windows: [window("a"), window("b", "https://example.org/some/")] }),
      teller,
    ],
  ])("where %s", (_, given, asking) => {
    expect(isAlone(given, files, asking)).toBe(true);
  });

  it.each<[string, Around, Teller | null]>([
    ["a version is being installed", around({ installing: {} }), null],
    ["a version waits", around({ waiting: {} }), null],
    ["a version waits for the only window", around({ waiting: {}, windows: [window("a")] }), teller],
    ["a window is open that has not said its version", around({ windows: [window("a")] }), null],
    ["another window is open, too", around({ windows: [window("a"), window("b")] }), teller],
    ["the only window is another one", around({ windows: [window("b")] }), teller],
    [
      "the window runs the version before",
      around({ windows: [window("a")] }),
      { id: "a", script: `${scope}assets/studio-0.js` },
    ],
    ["the window names no script", around({ windows: [window("a")] }), { id: "a", script: "" }],
  ])("but not where %s", (_, given, asking) => {
    expect(isAlone(given, files, asking)).toBe(false);
  });
});

describe("the policy", () => {
  const sources = (name: string): string[] | undefined =>
    metaPolicy
      .split("; ")
      .map((directive) => directive.split(" "))
      .find(([first]) => first === name)
      ?.slice(1);

  it("allows nothing that is not named, and no script but our own files", () => {
    expect(sources("default-src")).toEqual(["'none'"]);
    expect(sources("script-src")).toEqual(["'self'", "'wasm-unsafe-eval'"]);
    expect(sources("worker-src")).toEqual(["'self'"]);
  });

  it("lets the page ask its own origin and the hub's hosts, and nobody else", () => {
    expect(sources("connect-src")).toEqual([
      "'self'",
      "https://huggingface.co",
      "https://*.huggingface.co",
      "https://*.hf.co",
    ]);
  });

  it("is sent whole as a header, with what a page cannot say of itself", () => {
    expect(pageHeaders["Content-Security-Policy"]).toBe(`${metaPolicy}; frame-ancestors 'none'`);
  });
});
