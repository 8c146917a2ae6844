// @ts-check
/** What a command works on: the model, the data and the adapter that its options name, or the embedded ones. */
import path from "node:path";
import { adapterPaths, existingFile, filesOf } from "./options.mjs";
import { root } from "./paths.mjs";

const embeddedModel = "tabtune-tiny";

/** The sample dataset and its held-out part. */
export const sampleData = path.join(root, "public", "datasets", "pirate.jsonl");
export const sampleEvalData = path.join(root, "public", "datasets", "pirate.eval.jsonl");

/** @typedef {{ name: string, folder: string | null, files: readonly string[] }} ModelInput */

/**
 * @param {import("./options.mjs").Values} values
 * @returns {ModelInput} `folder` null: the embedded model.
 */
export function modelInput(values) {
  if (values["model"] === undefined) return { name: embeddedModel, folder: null, files: [] };
  const given = String(values["model"]);
  const place = path.resolve(given);
  if (/\.gguf$/i.test(given)) {
    existingFile("model", given);
    return {
      name: path.basename(place, path.extname(place)),
      folder: path.dirname(place),
      files: [path.basename(place)],
    };
  }
  return { name: path.basename(place), folder: place, files: filesOf("model", given) };
}

/**
 * The config and weights of the adapter folder that an option names, or null.
 * @param {import("./options.mjs").Values} values
 * @param {string} option
 */
export function adapterInput(values, option) {
  const given = values[option];
  return given === undefined ? null : adapterPaths(option, String(given));
}

/**
 * @param {import("./studio.mjs").Studio} studio
 * @param {ModelInput} model
 */
export async function openModel(studio, { name, folder, files }) {
  if (folder === null) return studio.call("openModel", { embedded: name });
  await studio.giveFiles(
    "model",
    files.map((file) => path.join(folder, file)),
    files,
  );
  return studio.call("openModel", { name, files: "model" });
}

/**
 * Puts an adapter folder's files into the studio as a run and gives its id; null for the base model.
 * @param {import("./studio.mjs").Studio} studio
 * @param {readonly string[] | null} paths
 */
export async function openAdapter(studio, paths) {
  if (paths === null) return null;
  await studio.giveFiles("adapter", paths);
  const name = path.basename(path.dirname(paths[0] ?? ""));
  const { id } = await studio.call("importAdapter", { name, files: "adapter" });
  return id;
}
