/** Dropped or picked files as a model folder. */
import { strings } from "../strings";

export interface ModelFolder {
  readonly name: string;
  readonly files: readonly { readonly path: string; readonly blob: Blob }[];
}

const weights = /\.(gguf|safetensors|onnx)$/i;

export const holdsWeights = (files: readonly File[]): boolean => files.some(({ name }) => weights.test(name));

/** For the file picker, which cannot look inside. */
export const modelFiles = [".gguf", ".safetensors", ".onnx", ".onnx_data", ".data", ".json", ".jinja"].join(",");

/** Paths lose the folder's own name; hidden files are left out. */
export function asModelFolder(files: readonly File[]): ModelFolder {
  const entries = files.map((blob) => ({ path: relativePath(blob), blob }));
  const parts = entries.map(({ path }) => path.split("/"));
  const top = parts[0]?.[0];
  const shared = top !== undefined && parts.every((path) => path.length > 1 && path[0] === top);
  const named = entries
    .map(({ path, blob }) => ({ path: shared ? path.slice(path.indexOf("/") + 1) : path, blob }))
    .filter(({ path }) => !path.split("/").some((part) => part.startsWith(".")));
  const heavy = named.filter(({ path }) => weights.test(path));
  const [only, another] = heavy;
  const single = only !== undefined && another === undefined ? only.path : null;
  const name = shared ? top : (single?.replace(weights, "") ?? strings.model.own.folderName);
  return { name, files: named.map(({ path, blob }) => ({ path: path === single ? loaderName(path) : path, blob })) };
}

/** Whatever a single safetensors file is called, the loader knows this name. */
const loaderName = (path: string): string =>
  !path.includes("/") && /\.safetensors$/i.test(path) ? "model.safetensors" : path;

function relativePath(file: File): string {
  const dropped = "path" in file && typeof file.path === "string" ? file.path : "";
  return (file.webkitRelativePath || dropped || file.name).replace(/^\.?\/+/, "");
}
