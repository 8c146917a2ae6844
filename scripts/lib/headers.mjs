// @ts-check
/**
 * What the built page may run and reach, told once: the build writes it into the pages, into dist/_headers and into the
 * service worker; the servers here send it. The development server cannot: it needs inline scripts.
 */
import fs from "node:fs";
import path from "node:path";
import { root } from "./paths.mjs";

/** @type {readonly string[]} The list that src/hub goes by as well. */
const hubHosts = JSON.parse(fs.readFileSync(path.join(root, "src", "hub", "hosts.json"), "utf8"));

/** Isolation lets onnxruntime-web use threads and high-resolution timers; nothing here depends on it. */
export const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Only our own origin and the model hub can be reached, and only our own files run. */
const directives = [
  "default-src 'none'",
  // onnxruntime and the decompressors are WebAssembly.
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  `connect-src 'self' ${hubHosts.map((host) => `https://${host}`).join(" ")}`,
  // Mantine puts its theme, and what depends on the width of the window, into <style> elements that it makes as it goes;
  // a nonce would have to stand in a static file, where it is no secret. What browsers that know "-attr" run is tighter.
  "style-src 'self' 'unsafe-inline'",
  "style-src-attr 'none'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "manifest-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
];

/** For a meta element, where frame-ancestors has no effect. */
export const metaPolicy = directives.join("; ");

/** With every answer of a server: a worker is bound by the headers of its own script, not by the page's meta element. */
export const pageHeaders = {
  ...isolation,
  "Content-Security-Policy": `${metaPolicy}; frame-ancestors 'none'`,
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};
