// @ts-check
/** Where things lie in the checkout. No dependencies: set-up needs this before anything is installed. */
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root folder. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

/** What commands keep for themselves between runs; git ignores it. */
export const cacheDir = path.join(root, ".cache");

export const distDir = path.join(root, "dist");
