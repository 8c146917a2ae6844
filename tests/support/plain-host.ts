/** A copy of the built page on the plainest of hosts: under a path of its own, with types and not one header more. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

export interface PlainHost {
  /** Of the page; ends with a slash. */
  readonly url: string;
  /** Another version: index.html with a text replaced, and a service worker that knows. */
  update(from: string, to: string): void;
  /** index.html with a text replaced and a service worker that does not know, as of hosts that rewrite what they send. */
  rewrite(from: string, to: string): void;
  /** From then on nobody answers. */
  goAway(): Promise<void>;
  remove(): Promise<void>;
}

export async function plainHost(dist: string): Promise<PlainHost> {
  const root = mkdtempSync(join(tmpdir(), "tabtune-host-"));
  const folder = join(root, "some", "where");
  cpSync(dist, folder, { recursive: true });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://host");
    const file = join(root, pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    if (!file.startsWith(root) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "Content-Type": types[extname(file)] ?? "application/octet-stream" });
    response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const goAway = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}/some/where/`,
    update(from, to) {
      const [page, worker] = ["index.html", "service-worker.js"].map((name) => join(folder, name));
      if (page === undefined || worker === undefined) return;
      const before = readFileSync(page, "utf8");
      const after = before.replace(from, to);
      writeFileSync(page, after);
      writeFileSync(worker, readFileSync(worker, "utf8").replace(sha256(before), sha256(after)));
    },
    rewrite(from, to) {
      const page = join(folder, "index.html");
      writeFileSync(page, readFileSync(page, "utf8").replace(from, to));
    },
    goAway,
    async remove() {
      await goAway();
      rmSync(root, { recursive: true });
    },
  };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
