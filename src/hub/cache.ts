/** The models on this device: what there is, how large, and how to be rid of it. */

import { preferredVariant } from "./choose";
import { HubError } from "./errors";
import { fileNameOf, type Manifest, readManifest } from "./manifest";
import { storageRoom } from "./storage-room";
import type { ModelStore } from "./store";
import type { CachedFile, CachedModel, CachedModels, FoundModel } from "./types";
import { ifUnused } from "./use-lock";

/** Newest use first; half-finished and damaged ones are there too. */
export async function listCached(store: ModelStore): Promise<CachedModels> {
  const models: CachedModel[] = [];
  for (const folder of await store.folders()) {
    const manifest = await readManifest(store, folder);
    models.push(manifest ? await describe(store, folder, manifest) : damaged(folder, await store.folderBytes(folder)));
  }
  models.sort((a, b) => b.lastUsed - a.lastUsed);
  return { models, bytes: models.reduce((sum, { bytes }) => sum + bytes, 0), room: await storageRoom() };
}

/** Throws `HubError` "busy" while it is downloaded or read, here or in another tab. Deleting what is not there is no error. */
export async function deleteFolder(store: ModelStore, folder: string): Promise<void> {
  if (await ifUnused(store, folder, () => store.removeFolder(folder))) return;
  throw new HubError(
    "busy",
    "This model is being downloaded or loaded, perhaps in another tab; wait until that is done, or stop it there.",
  );
}

/** The model as it was looked up, with the variants that were chosen then; one that is whole comes first. */
function foundIn(manifest: Manifest, whole: ReadonlySet<string>): FoundModel {
  const { kind, id, commit, base, config, variants } = manifest;
  const preferred =
    preferredVariant(
      variants.filter((variant) => whole.has(variant.id)),
      null,
    ) ?? preferredVariant(variants, null);
  return { kind, id, commit, base, config, variants, preferred, notes: [] };
}

async function describe(store: ModelStore, folder: string, manifest: Manifest): Promise<CachedModel> {
  const byPath = new Map(manifest.variants.flatMap(({ files }) => files.map((file) => [file.path, file] as const)));
  const files: CachedFile[] = [];
  for (const file of byPath.values()) {
    const bytes = await store.size(folder, fileNameOf(file.path));
    const done = manifest.finished[file.path];
    const finished = done !== undefined && done === bytes;
    if (bytes > 0 || finished) files.push({ path: file.path, bytes, fullBytes: done ?? file.bytes, finished });
  }
  const here = new Set(files.filter(({ finished }) => finished).map(({ path }) => path));
  const whole = new Set(
    manifest.variants.filter((variant) => variant.files.every(({ path }) => here.has(path))).map(({ id }) => id),
  );
  return {
    key: folder,
    kind: manifest.kind,
    id: manifest.id,
    commit: manifest.commit,
    files,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    created: manifest.created,
    lastUsed: manifest.lastUsed,
    variants: manifest.variants.map((variant) => ({
      id: variant.id,
      label: variant.label,
      format: variant.format,
      finished: whole.has(variant.id),
    })),
    found: foundIn(manifest, whole),
  };
}

function damaged(folder: string, bytes: number): CachedModel {
  return {
    key: folder,
    kind: "damaged",
    id: "a download whose record is damaged",
    commit: "",
    files: [],
    bytes,
    created: 0,
    lastUsed: 0,
    variants: [],
    found: null,
  };
}
