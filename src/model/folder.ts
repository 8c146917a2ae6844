/** A model folder, wherever it comes from: files that the user gave, or files behind an HTTP address. */
import { ModelError } from "./errors";
import type { ModelFiles } from "./weights/types";

const maxPaths = 10_000;

/** Every model folder has these; one of the weight files comes on top. */
const required = ["config.json", "tokenizer.json"] as const;

export interface FolderFile {
  /** Relative; a picked folder puts its own name in front of every path, which is taken off here. */
  readonly path: string;
  readonly blob: Blob;
}

/** Throws `ModelError` where config.json or tokenizer.json is missing. */
export function filesFolder(name: string, files: readonly FolderFile[]): ModelFiles {
  const clean = files.map(({ path, blob }) => ({ path: normalize(path), blob }));
  const prefix = topFolder(clean.map(({ path }) => path));
  const blobs = new Map(clean.map(({ path, blob }) => [path.slice(prefix.length), blob]));
  const paths = [...blobs.keys()];
  checkFolder(name, paths);
  return {
    name,
    paths,
    async open(path) {
      const blob = blobs.get(path);
      if (!blob) throw missing(name, path);
      return blob;
    },
  };
}

/**
 * A folder served over HTTP; `base` is its address. Each file is fetched once and kept while the folder is in use.
 * Throws `ModelError` for what is missing or cannot be fetched.
 */
export function httpFolder(
  name: string,
  base: string,
  given: readonly string[],
  fetchFile: typeof fetch = fetch,
): ModelFiles {
  const paths = given.map(normalize);
  checkFolder(name, paths);
  const folder = base.endsWith("/") ? base : `${base}/`;
  const fetched = new Map<string, Promise<Blob>>();
  return {
    name,
    paths,
    async open(path) {
      if (!paths.includes(path)) throw missing(name, path);
      const pending =
        fetched.get(path) ??
        fetchBlob(fetchFile, folder + path.split("/").map(encodeURIComponent).join("/"), name, path);
      fetched.set(path, pending);
      // A failed download may be tried again.
      pending.catch(() => fetched.delete(path));
      return pending;
    },
  };
}

/** The JSON in a small file of the folder. Throws `ModelError` where it is missing, over `maxBytes` or no JSON. */
export async function readJson(files: ModelFiles, path: string, maxBytes: number): Promise<unknown> {
  const text = await readText(files, path, maxBytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ModelError(`${path} of ${files.name} is not valid JSON (${reasonOf(error)}); download it again.`, {
      cause: error,
    });
  }
}

/** UTF-8 text of a small file of the folder. */
export async function readText(files: ModelFiles, path: string, maxBytes: number): Promise<string> {
  const blob = await files.open(path);
  if (blob.size > maxBytes) {
    throw new ModelError(
      `${path} of ${files.name} has ${blob.size} bytes, more than the ${maxBytes} that are read; this is no file of that kind.`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await blob.arrayBuffer());
  } catch (error) {
    throw new ModelError(
      `${path} of ${files.name} cannot be read as UTF-8 text (${reasonOf(error)}); download it again.`,
      { cause: error },
    );
  }
}

async function fetchBlob(fetchFile: typeof fetch, url: string, name: string, path: string): Promise<Blob> {
  let reason: string;
  try {
    const response = await fetchFile(url);
    if (response.ok) return await response.blob();
    reason = `HTTP status ${response.status}`;
  } catch (error) {
    reason = reasonOf(error);
  }
  throw new ModelError(
    `${path} of ${name} could not be fetched from ${url} (${reason}); check the address and the connection.`,
  );
}

function checkFolder(name: string, paths: readonly string[]): void {
  if (paths.length > maxPaths) {
    throw new ModelError(`${name} holds ${paths.length} files, more than ${maxPaths}; give the model's own folder.`);
  }
  const lacking = required.filter((path) => !paths.includes(path));
  if (lacking.length === 0) return;
  const found =
    paths.length === 0 ? "it is empty" : `it holds ${paths.slice(0, 5).join(", ")}${paths.length > 5 ? ", …" : ""}`;
  throw new ModelError(
    `${name} is not a model folder: ${lacking.join(" and ")} ${lacking.length > 1 ? "are" : "is"} missing (${found}).`,
  );
}

/** "a/" where every path lies in folder a and config.json lies right below it, else "". */
function topFolder(paths: readonly string[]): string {
  const first = paths[0];
  if (first === undefined || paths.includes("config.json")) return "";
  const prefix = first.slice(0, first.indexOf("/") + 1);
  return prefix !== "" && paths.every((path) => path.startsWith(prefix)) ? prefix : "";
}

/** Forward slashes, no leading "./" or "/". */
function normalize(path: string): string {
  return path.replaceAll("\\", "/").replace(/^(\.?\/)+/, "");
}

function missing(name: string, path: string): ModelError {
  return new ModelError(`${name} has no file ${path}; add it to the folder.`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
