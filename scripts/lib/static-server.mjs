// @ts-check
/** Serves one folder read-only on 127.0.0.1, as any static host would: ranges, the policy's headers, nothing outside the folder. */
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { pipeline } from "node:stream";
import { pageHeaders } from "./headers.mjs";

/** @type {Readonly<Record<string, string>>} */
const types = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".jsonl": "application/jsonl; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/**
 * Starts the server on a free port.
 * @param {string} folder
 * @returns {Promise<{ url: string, close: () => Promise<void> }>} `url` ends with a slash.
 */
export async function serveStatic(folder) {
  const base = fs.realpathSync(folder);
  const server = http.createServer((request, response) => answer(base, request, response));
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(undefined));
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * @param {string} base
 * @param {http.IncomingMessage} request
 * @param {http.ServerResponse} response
 */
function answer(base, request, response) {
  response.setHeaders(new Map(Object.entries(pageHeaders)));
  response.setHeader("Cache-Control", "no-cache");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refuse(response, 405, { Allow: "GET, HEAD" });
  }
  const file = resolveInside(base, request.url ?? "/");
  if (file === null) return refuse(response, 404);
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const range = parseRange(request.headers.range, size);
  if (range === "unsatisfiable") return refuse(response, 416, { "Content-Range": `bytes */${size}` });
  const { start, end } = range ?? { start: 0, end: size - 1 };
  response.writeHead(range ? 206 : 200, {
    "Accept-Ranges": "bytes",
    "Content-Length": end - start + 1,
    "Content-Type": types[path.extname(file).toLowerCase()] ?? "application/octet-stream",
    ...(range ? { "Content-Range": `bytes ${start}-${end}/${size}` } : {}),
  });
  if (request.method === "HEAD" || size === 0) return response.end();
  pipeline(fs.createReadStream(file, { start, end }), response, () => {});
}

/**
 * @param {http.ServerResponse} response
 * @param {number} status
 * @param {http.OutgoingHttpHeaders} [headers]
 */
function refuse(response, status, headers = {}) {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", ...headers });
  response.end(`${status} ${http.STATUS_CODES[status]}\n`);
}

/**
 * The regular file that a request names, or null: links that lead out of the folder count as outside.
 * @param {string} base A real path.
 * @param {string} url The request's path and query.
 */
function resolveInside(base, url) {
  let name;
  try {
    name = decodeURIComponent(url.replace(/[?#].*$/s, ""));
  } catch {
    return null;
  }
  if (!name.startsWith("/") || name.includes("\0")) return null;
  if (name.endsWith("/")) name += "index.html";
  try {
    const file = fs.realpathSync(path.join(base, name));
    const inside = path.relative(base, file);
    if (inside.startsWith("..") || path.isAbsolute(inside)) return null;
    return fs.statSync(file).isFile() ? file : null;
  } catch {
    return null;
  }
}

/**
 * One byte range of a Range header; null where there is none or a form that may be ignored (several ranges).
 * @param {string | undefined} header
 * @param {number} size
 * @returns {{ start: number, end: number } | "unsatisfiable" | null}
 */
export function parseRange(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return null;
  if (match[1] === "") {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (start >= size) return "unsatisfiable";
  return start > end ? null : { start, end };
}
