// @ts-check
/** The folder that a headless run writes: its log while it goes on, the adapter's files at the end. */
import fs from "node:fs";
import path from "node:path";
import { CommandError } from "./errors.mjs";
import { root } from "./paths.mjs";

/** What an adapter folder holds beside the log. */
const adapterNames = ["adapter_model.safetensors", "adapter_config.json", "README.md"];

/**
 * The folder for a run, made where it is missing. One that holds an adapter is refused, never overwritten; without a
 * wish it is a fresh one in out/.
 * @param {string | undefined} wish
 * @param {string} name What a fresh folder is called.
 * @param {string} [parent]
 */
export function makeRunFolder(wish, name, parent = path.join(root, "out")) {
  if (wish === undefined) return makeFreshFolder(parent, name);
  const folder = path.resolve(wish);
  try {
    fs.mkdirSync(folder, { recursive: true });
    const taken = fs.readdirSync(folder).find((file) => adapterNames.includes(file));
    if (taken)
      throw new CommandError(`--out ${wish}: ${taken} is there already; give another folder or move it away.`, 2);
    fs.accessSync(folder, fs.constants.W_OK);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    const reason =
      code === "EEXIST" || code === "ENOTDIR" ? "this is not a folder" : `this folder cannot be written (${code})`;
    throw new CommandError(`--out ${wish}: ${reason}.`, 2);
  }
  return folder;
}

/**
 * Making the folder is what claims its name, so two runs at once get two.
 * @param {string} parent
 * @param {string} name
 */
function makeFreshFolder(parent, name) {
  const stem = name.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[.-]+/, "") || "run";
  fs.mkdirSync(parent, { recursive: true });
  for (let number = 1; ; number++) {
    const folder = path.join(parent, number === 1 ? stem : `${stem}-${number}`);
    try {
      fs.mkdirSync(folder);
      return folder;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
  }
}

/**
 * Appends one object per optimizer step to log.jsonl, at once: a run that is killed leaves what it measured.
 * @param {string} folder
 */
export function openLog(folder) {
  const file = path.join(folder, "log.jsonl");
  fs.writeFileSync(file, "");
  return {
    /** @param {Extract<import("../../src/worker/protocol").TrainEvent, { kind: "step" }>} event */
    step(event) {
      const entry = {
        step: event.step,
        loss: event.loss,
        lr: event.learningRate,
        grad_norm: event.gradientNorm,
        tokens: event.tokens,
        ms: event.milliseconds,
      };
      fs.appendFileSync(file, `${JSON.stringify(entry)}\n`);
    },
  };
}

/** Takes back what a run that learned nothing left: its empty log, and the folder where that leaves it empty.
 * @param {string} folder
 */
export function discardRunFolder(folder) {
  const log = path.join(folder, "log.jsonl");
  if (fs.statSync(log, { throwIfNoEntry: false })?.size === 0) fs.rmSync(log);
  if (fs.readdirSync(folder).length === 0) fs.rmdirSync(folder);
}

/**
 * Unpacks an exported adapter into the folder. Only plain names are taken from the zip.
 * @param {string} zipFile
 * @param {string} folder
 */
export async function unpackAdapter(zipFile, folder) {
  const { unzipSync } = await import("fflate");
  const files = unzipSync(fs.readFileSync(zipFile));
  for (const [name, bytes] of Object.entries(files)) {
    if (!name.endsWith("/")) fs.writeFileSync(path.join(folder, path.basename(name)), bytes);
  }
  const missing = adapterNames.find((name) => !fs.existsSync(path.join(folder, name)));
  if (missing) throw new CommandError(`The exported adapter lacks ${missing}, which is a fault of Tabtune's own.`);
}
