// @ts-check
/** Modules of src/ for scripts: one source for defaults, ranges and messages. Only such as import nothing of a browser. */
import path from "node:path";
import { root } from "./paths.mjs";

/**
 * @typedef {{
 *   "training/recipe": typeof import("../../src/training/recipe"),
 *   "data/options": typeof import("../../src/data/options"),
 *   "data/errors": typeof import("../../src/data/errors"),
 * }} Sources
 */

/**
 * @template {keyof Sources} K
 * @param {K} name Path below src/, without its ending.
 * @returns {Promise<Sources[K]>}
 */
export async function importSource(name) {
  const { runnerImport } = await import("vite");
  const { module } = await runnerImport(path.join(root, "src", `${name}.ts`), {
    root,
    configFile: false,
    logLevel: "error",
  });
  return /** @type {Sources[K]} */ (module);
}
