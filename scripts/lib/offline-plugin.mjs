// @ts-check
/** Vite's part in working offline: the policy in the built pages, the list of files in the service worker, and dist/_headers. */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { CommandError } from "./errors.mjs";
import { metaPolicy, pageHeaders } from "./headers.mjs";

export const workerFile = "service-worker.js";
const headersFile = "_headers";
/** What the service worker's source calls the list. */
const placeholder = "__TABTUNE_BUILT__";
/** Bytes that a first visit fetches ahead of their use. */
const mostInstalled = 6_000_000;

/**
 * When the service worker fetches a file of dist/; null for files that only servers and commands need.
 * @param {string} name Relative, with forward slashes.
 * @returns {"install" | "model" | "use" | null}
 */
export function fetchedAt(name) {
  if (path.posix.basename(name).startsWith(".") || [workerFile, headersFile, "headless.html"].includes(name))
    return null;
  if (/\.(md|txt)$/.test(name) || name.startsWith("assets/headless-")) return null;
  if (name.startsWith("models/")) return "model";
  if (/\.wasm$|^assets\/(ort-|self-check-)/.test(name)) return "use";
  return "install";
}

/**
 * @param {string} folder
 * @returns {{ path: string, hash: string, fetched: "install" | "model" | "use" }[]} `hash`: SHA-256 in hexadecimal digits.
 */
export function filesOf(folder) {
  const names = fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"));
  return names.sort().flatMap((name) => {
    const fetched = fetchedAt(name);
    if (fetched === null) return [];
    const hash = crypto
      .createHash("sha256")
      .update(fs.readFileSync(path.join(folder, name)))
      .digest("hex");
    return [{ path: name, hash, fetched }];
  });
}

/** @returns {import("vite").Plugin} */
export function offline() {
  return {
    name: "tabtune:offline",
    apply: "build",
    enforce: "post",
    transformIndexHtml: () => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: metaPolicy },
        injectTo: "head-prepend",
      },
    ],
    writeBundle({ dir }) {
      if (dir === undefined) throw new CommandError("The build has no folder of its own to write to.");
      const files = filesOf(dir);
      const ahead = files.filter(({ fetched }) => fetched === "install");
      const bytes = ahead.reduce((sum, file) => sum + fs.statSync(path.join(dir, file.path)).size, 0);
      if (bytes > mostInstalled) {
        throw new CommandError(
          `A first visit would fetch ${bytes} bytes ahead of their use, more than ${mostInstalled}; see fetchedAt in scripts/lib/offline-plugin.mjs.`,
        );
      }
      const script = path.join(dir, workerFile);
      const parts = fs.readFileSync(script, "utf8").split(placeholder);
      if (parts.length !== 2) {
        throw new CommandError(`${workerFile} names ${placeholder} ${parts.length - 1} times; once is right.`);
      }
      fs.writeFileSync(script, parts.join(JSON.stringify({ files, headers: pageHeaders })));
      fs.writeFileSync(path.join(dir, headersFile), headersText());
    },
  };
}

/** As Netlify and Cloudflare Pages read it. */
function headersText() {
  const lines = (/** @type {Record<string, string>} */ headers) =>
    Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`);
  return [
    "/*",
    ...lines(pageHeaders),
    `/${workerFile}`,
    ...lines({ "Cache-Control": "no-cache" }),
    "/assets/*",
    ...lines({ "Cache-Control": "public, max-age=31536000, immutable" }),
    "",
  ].join("\n");
}
