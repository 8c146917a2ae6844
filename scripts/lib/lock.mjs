// @ts-check
/** One process at a time: a lock file that holds its owner's process id. No dependencies. */
import fs from "node:fs";
import path from "node:path";
import { CommandError } from "./errors.mjs";
import { cacheDir } from "./paths.mjs";

const giveUpAfterMs = 30 * 60_000;

/**
 * Runs `body` while no other process runs a body under the same name. A lock whose owner is gone is taken over.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} body
 * @param {{ folder?: string, onWait?: (owner: number) => void }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(name, body, { folder = cacheDir, onWait } = {}) {
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}.lock`);
  const start = Date.now();
  for (let waiting = false; !take(file); waiting = true) {
    if (Date.now() - start > giveUpAfterMs) {
      throw new CommandError(`Another process has held ${file} for half an hour; end it or delete the file.`);
    }
    if (!waiting) onWait?.(ownerOf(file) ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  try {
    return await body();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

/**
 * Takes the lock, or removes one that its owner left behind (the next try takes it).
 * @param {string} file
 */
function take(file) {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    const owner = ownerOf(file);
    if (owner !== null && !isAlive(owner)) remove(file, owner);
    return false;
  }
}

/**
 * Moving the file away before it is deleted lets only one of several waiters delete it, and shows whose it was:
 * a lock that somebody took in between goes back.
 * @param {string} file
 * @param {number} owner
 */
function remove(file, owner) {
  const aside = `${file}.${process.pid}`;
  try {
    fs.renameSync(file, aside);
    if (ownerOf(aside) === owner) fs.rmSync(aside);
    else fs.renameSync(aside, file);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ENOENT") throw error;
  }
}

/**
 * The process id in a lock file; null where it has gone or is being written.
 * @param {string} file
 */
function ownerOf(file) {
  try {
    return Number(fs.readFileSync(file, "utf8")) || null;
  } catch {
    return null;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
