/** All files of a variant, one after another, into the cache; what is there already is not fetched again. */
import { downloadFile } from "./download";
import { HubError } from "./errors";
import { type OpenedModel, openedModel } from "./files";
import type { Web } from "./http";
import { changeManifest, fileNameOf, folderOf, type Manifest, readManifest, withVariant } from "./manifest";
import { type ProgressMeter, progressMeter } from "./progress";
import { spillingWriter } from "./spill";
import { roomInWords, storageRoom } from "./storage-room";
import type { ModelStore } from "./store";
import type { DownloadProgress, FoundModel, RemoteFile, Variant } from "./types";

const maxFiles = 1000;

export interface Obtained {
  readonly opened: OpenedModel;
  readonly id: string;
  readonly commit: string;
  /** What `openCached` takes; null where it is in memory only. */
  readonly key: string | null;
  /** False: the browser may delete it when space is short; null where it does not say. */
  readonly persisted: boolean | null;
  /** One sentence each, for the user. */
  readonly notes: readonly string[];
}

/** Throws `HubError`, or the signal's reason when aborted; what has come in by then is kept and taken up again. */
export async function obtainVariant(
  store: ModelStore,
  model: FoundModel,
  variant: Variant,
  onProgress: (progress: DownloadProgress) => void,
  web: Web,
): Promise<Obtained> {
  if (variant.refusal !== null) {
    throw new HubError("unusable", `${variant.label} of ${model.id} cannot be used. ${variant.refusal}`);
  }
  if (variant.files.length > maxFiles) {
    throw new HubError(
      "unusable",
      `${variant.label} of ${model.id} has ${variant.files.length} files; at most ${maxFiles} are fetched.`,
    );
  }
  const folder = folderOf(model);
  const notes: string[] = [];
  const inMemory = new Map<string, Blob>();
  const signal = web.signal;
  await store.lock(`${folder}/use`, { mode: "shared", signal }, async () => {
    await changeManifest(store, folder, (old) => withVariant(old, model, variant, Date.now()));
    const sizes = new Map(variant.files.map(({ path, bytes }) => [path, bytes]));
    const meter = progressMeter(sizes, onProgress);
    for (const file of variant.files) {
      const blob = await store.lock(`${folder}/${fileNameOf(file.path)}`, { signal }, () =>
        obtainFile({ store, folder, model, file, meter, web }),
      );
      if (blob) {
        inMemory.set(file.path, blob);
        notes.push(
          `The browser has no room for ${file.path}${await roomInWords()}, so it is kept in memory and will be fetched again next time; delete models that you do not need.`,
        );
      }
    }
    await changeManifest(store, folder, (old) => withVariant(old, model, variant, Date.now()));
  });
  if (!store.kept) {
    notes.push(
      "This browser gives no room on disk here (a private window?), so the model stays in memory and will be fetched again next time.",
    );
  }
  return {
    opened: await openedModel(model, variant, (path) => openFile(store, folder, path, inMemory)),
    id: model.id,
    commit: model.commit,
    key: store.kept ? folder : null,
    persisted: (await storageRoom()).persisted,
    notes,
  };
}

/** Without a connection. Throws `HubError` "unusable" where not all of it is here. */
export async function openFolder(store: ModelStore, folder: string, variantId: string | null): Promise<Obtained> {
  const manifest = await readManifest(store, folder);
  if (!manifest) throw new HubError("unusable", "This model is no longer on this device; download it again.");
  const variants = manifest.variants.filter(({ id }) => variantId === null || id === variantId);
  for (const variant of variants) {
    const here = await Promise.all(variant.files.map(({ path }) => isFinished(store, folder, manifest, path)));
    if (!here.every((finished) => finished)) continue;
    const model: FoundModel = { ...manifest, preferred: variant.id, notes: [] };
    await changeManifest(store, folder, (old) => withVariant(old, model, variant, Date.now()));
    return {
      opened: await openedModel(model, variant, (path) => openFile(store, folder, path, new Map())),
      id: manifest.id,
      commit: manifest.commit,
      key: folder,
      persisted: (await storageRoom()).persisted,
      notes: [],
    };
  }
  throw new HubError(
    "unusable",
    `The download of ${manifest.id} is not finished; go online and download it again, which takes up where it stopped.`,
  );
}

interface FileJob {
  readonly store: ModelStore;
  readonly folder: string;
  readonly model: FoundModel;
  readonly file: RemoteFile;
  readonly meter: ProgressMeter;
  readonly web: Web;
}

/** The file where it had to stay in memory, else null. Nobody else writes it meanwhile. */
async function obtainFile({ store, folder, model, file, meter, web }: FileJob): Promise<Blob | null> {
  const { path } = file;
  const name = fileNameOf(path);
  const manifest = await readManifest(store, folder);
  if (manifest && (await isFinished(store, folder, manifest, path))) {
    const bytes = manifest.finished[path] ?? 0;
    meter.begin(path, bytes, bytes);
    return null;
  }
  const writer = spillingWriter(await store.openWriter(folder, name), path);
  let finished = false;
  try {
    await downloadFile(
      {
        file,
        writer,
        meter,
        subject: { model: model.id, what: path, hub: model.kind === "hub" },
        etag: manifest?.etags[path] ?? null,
        onEtag: (etag) =>
          changeManifest(store, folder, (old) => old && { ...old, etags: { ...old.etags, [path]: etag } }),
      },
      web,
    );
    finished = true;
  } finally {
    await writer.close();
    if (writer.spilled || (!finished && writer.size === 0)) await store.removeFile(folder, name);
  }
  if (writer.spilled) return writer.spilled.blob();
  const { size } = writer;
  await changeManifest(store, folder, (old) => old && { ...old, finished: { ...old.finished, [path]: size } });
  return null;
}

async function isFinished(store: ModelStore, folder: string, manifest: Manifest, path: string): Promise<boolean> {
  const bytes = manifest.finished[path];
  if (bytes === undefined) return false;
  const blob = await store.file(folder, fileNameOf(path));
  return blob !== null && blob.size === bytes;
}

async function openFile(
  store: ModelStore,
  folder: string,
  path: string,
  inMemory: ReadonlyMap<string, Blob>,
): Promise<Blob | null> {
  return inMemory.get(path) ?? (await store.file(folder, fileNameOf(path)));
}
