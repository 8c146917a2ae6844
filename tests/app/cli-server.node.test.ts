/** The static server of the commands and the end-to-end tests: bytes, ranges, types, and nothing outside its folder. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRange, serveStatic } from "../../scripts/lib/static-server.mjs";

let folder = "";
let server: Awaited<ReturnType<typeof serveStatic>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tabtune-server-"));
  mkdirSync(join(folder, "dist", "sub"), { recursive: true });
  writeFileSync(join(folder, "secret.txt"), "secret");
  writeFileSync(join(folder, "dist", "index.html"), "<p>hello</p>");
  writeFileSync(join(folder, "dist", "sub", "a b.bin"), "0123456789");
  writeFileSync(join(folder, "dist", "empty.wasm"), "");
  symlinkSync(join(folder, "secret.txt"), join(folder, "dist", "leak.txt"));
  server = await serveStatic(join(folder, "dist"));
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** The raw path, which fetch would tidy. */
function get(path: string, headers: Record<string, string> = {}, method = "GET") {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    request({ hostname, port, path, headers, method }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    })
      .on("error", reject)
      .end();
  });
}

describe("static server", () => {
  it("serves files with their types and the isolation headers", async () => {
    const page = await get("/");
    expect(page).toMatchObject({ status: 200, body: "<p>hello</p>" });
    expect(page.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "content-length": "12",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    expect(await get("/sub/a%20b.bin?x=1")).toMatchObject({ status: 200, body: "0123456789" });
    const wasm = await get("/empty.wasm");
    expect(wasm).toMatchObject({ status: 200, body: "" });
    expect(wasm.headers["content-type"]).toBe("application/wasm");
  });

  it("sends the policy with every answer, scripts of workers and refusals too, and lets nothing be kept unasked", async () => {
    for (const path of ["/", "/sub/a%20b.bin", "/nothing"]) {
      const { headers } = await get(path);
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; .*; frame-ancestors 'none'$/);
      expect(headers).toMatchObject({ "cache-control": "no-cache", "referrer-policy": "no-referrer" });
    }
  });

  it("answers ranges", async () => {
    const file = "/sub/a%20b.bin";
    const part = await get(file, { Range: "bytes=2-4" });
    expect(part).toMatchObject({ status: 206, body: "234" });
    expect(part.headers["content-range"]).toBe("bytes 2-4/10");
    expect((await get(file, { Range: "bytes=8-99" })).body).toBe("89");
    expect((await get(file, { Range: "bytes=-3" })).body).toBe("789");
    expect((await get(file, { Range: "bytes=7-" })).body).toBe("789");
    const beyond = await get(file, { Range: "bytes=10-" });
    expect(beyond.status).toBe(416);
    expect(beyond.headers["content-range"]).toBe("bytes */10");
  });

  it("answers HEAD without a body and refuses to write", async () => {
    const head = await get("/", {}, "HEAD");
    expect(head).toMatchObject({ status: 200, body: "" });
    expect(head.headers["content-length"]).toBe("12");
    expect((await get("/", {}, "PUT")).status).toBe(405);
    expect((await get("/", {}, "POST")).status).toBe(405);
  });

  it.each([
    "/none.html",
    "/sub",
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/sub/..%2f..%2fsecret.txt",
    "/..\\secret.txt",
    "/leak.txt",
    "//etc/passwd",
    "/%00",
    "/%ff",
  ])("%s is not there", async (path) => {
    expect(await get(path)).toMatchObject({ status: 404, body: "404 Not Found\n" });
  });

  it("reads range headers as RFC 9110 has them", () => {
    expect(parseRange(undefined, 10)).toBeNull();
    expect(parseRange("bytes=-", 10)).toBeNull();
    expect(parseRange("bytes=0-1,3-4", 10)).toBeNull();
    expect(parseRange("bytes=5-4", 10)).toBeNull();
    expect(parseRange("bytes=-0", 10)).toBe("unsatisfiable");
    expect(parseRange("bytes=0-", 0)).toBe("unsatisfiable");
    expect(parseRange("bytes=-50", 10)).toEqual({ start: 0, end: 9 });
  });
});
