// @ts-check
/** Keeps dist/ equal to the sources: built when their content changed, left alone otherwise. */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { CommandError } from "./errors.mjs";
import { withLock } from "./lock.mjs";
import { distDir, root } from "./paths.mjs";

/** Everything that the build reads. */
const sources = [
  "src",
  "shaders",
  "public",
  "index.html",
  "headless.html",
  "package-lock.json",
  "tsconfig.base.json",
  "vite.config.ts",
  "scripts/lib/headers.mjs",
  "scripts/lib/offline-plugin.mjs",
];

const stampFile = path.join(distDir, ".sources.sha256");

/**
 * A digest over the names and contents of files and folders; what does not exist counts as nothing.
 * @param {string} folder
 * @param {readonly string[]} names
 */
export function digestOf(folder, names) {
  const hash = crypto.createHash("sha256");
  /** @param {string} name */
  const add = (name) => {
    const full = path.join(folder, name);
    const stat = fs.statSync(full, { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      for (const child of fs.readdirSync(full).sort()) add(`${name}/${child}`);
    } else if (stat) {
      hash.update(`${name}\0${stat.size}\0`);
      hash.update(fs.readFileSync(full));
    }
  };
  for (const name of names) add(name);
  return hash.digest("hex");
}

function isCurrent(digest = digestOf(root, sources)) {
  try {
    return fs.readFileSync(stampFile, "utf8") === digest;
  } catch {
    return false;
  }
}

/**
 * Builds dist/ where it is missing or made from other sources.
 * @param {{ quiet?: boolean }} [options] quiet: one line in place of Vite's table.
 * @returns {Promise<boolean>} Whether it had to be built.
 */
export async function ensureBuilt({ quiet = true } = {}) {
  if (isCurrent()) return false;
  return withLock("build", async () => {
    const digest = digestOf(root, sources);
    if (isCurrent(digest)) return false;
    if (quiet) process.stderr.write("Building the studio …\n");
    // Whoever calls (a test runner sets "test"): what is served is React's production build.
    process.env["NODE_ENV"] = "production";
    const { build } = await import("vite");
    try {
      await build({ root, configFile: path.join(root, "vite.config.ts"), logLevel: quiet ? "error" : "info" });
    } catch (error) {
      throw new CommandError(`The studio does not build: ${error instanceof Error ? error.message : String(error)}`);
    }
    fs.writeFileSync(stampFile, digest);
    return true;
  });
}
