/** A finished download as the loaders take it: read from disk slice by slice, when a slice is asked for. */
import type { FolderFile } from "../model/folder";
import type { ModelFiles } from "../model/weights/types";
import { HubError } from "./errors";
import type { FoundModel, Variant } from "./types";

/** What the loader opens: a model folder, or a single GGUF file, which brings its own config and tokenizer. */
export type OpenedModel =
  | { readonly kind: "folder"; readonly files: ModelFiles }
  | { readonly kind: "gguf"; readonly files: readonly FolderFile[] };

/** Throws `HubError` "unusable" where a file is gone by now. */
export async function openedModel(
  model: FoundModel,
  variant: Variant,
  open: (path: string) => Promise<Blob | null>,
): Promise<OpenedModel> {
  const paths = variant.files.map(({ path }) => path);
  const read = async (path: string): Promise<Blob> => {
    const blob = paths.includes(path) ? await open(path) : null;
    if (blob) return blob;
    throw new HubError("unusable", `${model.id} has no file ${path} on this device; download it again.`);
  };
  if (variant.format !== "gguf") return { kind: "folder", files: { name: model.id, paths, open: read } };
  return { kind: "gguf", files: await Promise.all(paths.map(async (path) => ({ path, blob: await read(path) }))) };
}
