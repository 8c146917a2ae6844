/** PEFT adapters among dropped files: folders of two files, or zips of them. Files are hostile: sizes are bounded before they are taken. */
import { unzipSync } from "fflate";
import { AdapterError } from "../export/errors";
import { peftConfigFile, peftWeightsFile } from "../export/peft";
import type { AdapterFiles, DataFile } from "./protocol";
import { runFileName } from "./run-file";

/** Bytes of a zip, and of what is taken out of it: more does not fit into a tab's memory beside a model. */
const mostBytes = 1024 ** 3;
const mostEntries = 20_000;
const mostAdapters = 200;
/** Deflate cannot shrink by more than this factor. */
const deflateLimit = 1032;

export interface FoundAdapter {
  /** Of its folder, or of the zip; "" where two bare files were given. */
  readonly name: string;
  readonly files: AdapterFiles;
  /** Where it was exported here; unread. */
  readonly runFile: Blob | null;
}

interface Folder {
  readonly name: string;
  readonly inside: Map<string, Blob>;
}

/** Throws `AdapterError` where there is none, with what is there instead. */
export async function findAdapters(files: readonly DataFile[]): Promise<readonly FoundAdapter[]> {
  // Folders of different zips are different folders, whatever they are called.
  const folders = new Map<string, Folder>();
  for (const [index, file] of files.entries()) {
    const packed = isZip(file.name);
    for (const { name, blob } of packed ? await unzip(file) : [file]) {
      const path = name.split("/").filter((part) => part !== "" && part !== ".");
      const base = path.pop() ?? "";
      const key = `${packed ? index : ""}:${path.join("/")}`;
      const folder = folders.get(key) ?? { name: path.at(-1) ?? "", inside: new Map<string, Blob>() };
      if (wanted.test(base) && folder.inside.has(base)) {
        throw new AdapterError(
          `${[...path, base].join("/")} came twice; import folders of the same name one after the other.`,
        );
      }
      folder.inside.set(base, blob);
      folders.set(key, folder);
    }
  }
  const found: FoundAdapter[] = [];
  for (const { name, inside } of folders.values()) {
    const config = inside.get(peftConfigFile);
    const weights = inside.get(peftWeightsFile);
    if (config && weights) found.push({ name, files: { config, weights }, runFile: inside.get(runFileName) ?? null });
  }
  const [first] = files;
  if (found.length === 0) throw new AdapterError(whatIsMissing(folders, files.length === 1 ? first?.name : undefined));
  if (found.length > mostAdapters) {
    throw new AdapterError(`There are ${found.length} adapters; import at most ${mostAdapters} at a time.`);
  }
  return found;
}

function whatIsMissing(folders: ReadonlyMap<string, Folder>, file: string | undefined): string {
  const what = file === undefined ? "These files are no adapter" : `${file} is no adapter`;
  for (const { inside } of folders.values()) {
    if (inside.has("adapter_model.bin")) {
      return "adapter_model.bin is a Python pickle, which can carry code and is not opened; save the adapter again as adapter_model.safetensors (safe_serialization=True).";
    }
    if (inside.has(peftConfigFile)) return `${peftConfigFile} came without ${peftWeightsFile}; choose both files.`;
    if (inside.has(peftWeightsFile)) return `${peftWeightsFile} came without ${peftConfigFile}; choose both files.`;
  }
  return `${what}; choose a PEFT folder with ${peftConfigFile} and ${peftWeightsFile}, or a zip of one.`;
}

const wanted = /(^|\/)(adapter_(config\.json|model\.(safetensors|bin))|tabtune-run\.json)$/;
const isZip = (name: string): boolean => /\.zip$/i.test(name);

/** The adapter files in it, under the zip's own name where they lie at its top. */
async function unzip({ name, blob }: DataFile): Promise<readonly DataFile[]> {
  if (blob.size > mostBytes) throw new AdapterError(`${name} is larger than 1 GB; unpack it and choose the folder.`);
  const stem = (name.split("/").at(-1) ?? name).replace(/\.zip$/i, "");
  let entries = 0;
  let total = 0;
  let unpacked: Record<string, Uint8Array<ArrayBuffer>>;
  const bytes = new Uint8Array(await blob.arrayBuffer());
  try {
    unpacked = unzipSync(bytes, {
      filter: (entry) => {
        if (++entries > mostEntries) throw new AdapterError(`${name} has more than ${mostEntries} entries.`);
        if (!wanted.test(entry.name)) return false;
        // A stored entry takes its packed size, whatever it claims to unpack to.
        total += Math.max(entry.size, entry.originalSize);
        if (total > mostBytes || entry.originalSize > deflateLimit * (entry.size + 1)) {
          throw new AdapterError(
            `${name} unpacks to more than it can hold or than 1 GB; unpack it and choose the folder.`,
          );
        }
        return true;
      },
    });
  } catch (error) {
    if (error instanceof AdapterError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new AdapterError(`${name} is no zip, or a damaged one (${detail}); pack or download it again.`);
  }
  const files = Object.entries(unpacked).map(([path, content]) => ({
    name: path.includes("/") ? path : `${stem}/${path}`,
    blob: new Blob([content]),
  }));
  if (files.length === 0) {
    throw new AdapterError(
      `${name} holds no ${peftConfigFile} and ${peftWeightsFile}; choose the zip of a PEFT adapter.`,
    );
  }
  return files;
}
