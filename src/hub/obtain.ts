/** All files of a variant, one after another, into the cache; what is there already is not fetched again. */
import { isFull } from "./disk-errors";
import { downloadFile } from "./download";
import { HubError } from "./errors";
import { type OpenedModel, openedModel } from "./files";
import type { Web } from "./http";
import { changeManifest, fileNameOf, folderOf, type Manifest, readManifest, withVariant } from "./manifest";
import { type ProgressMeter, progressMeter } from "./progress";
import { mostBytes, spillingWriter } from "./spill";
import { roomInWords, storageRoom } from "./storage-room";
import { type ModelStore, memoryStore } from "./store";
import type { DownloadProgress, FoundModel, RemoteFile, Variant } from "./types";
import { holdFolder } from "./use-lock";

const maxFiles = 1000;

export interface Obtained {
  readonly opened: OpenedModel;
  readonly kind: "hub" | "url";
  readonly id: string;
  /** As `FoundModel` has it: of the hub only where `kind` says so. */
  readonly commit: string;
  /** As `FoundModel` has it. */
  readonly base: string | null;
  /** What `openCached` takes; null where it is in memory only. */
  readonly key: string | null;
  /** False: the browser may delete it when space is short; null where it does not say. */
  readonly persisted: boolean | null;
  /** One sentence each, for the user. */
  readonly notes: readonly string[];
  /** Until it is called, nobody can delete the files, here or in another tab. Calling it again is harmless. */
  release(): void;
}

/** Throws `HubError`, or the signal's reason when aborted; what has come in by then is kept and taken up again. */
export async function obtainVariant(
  store: ModelStore,
  model: FoundModel,
  variant: Variant,
  onProgress: (progress: DownloadProgress) => void,
  web: Web,
): Promise<Obtained> {
  checkVariant(model, variant);
  const folder = folderOf(model);
  const release = await holdFolder(store, folder, web.signal);
  try {
    const isRecorded = await changeManifest(store, folder, (old) => withVariant(old, model, variant, Date.now()));
    if (isRecorded || (await readManifest(store, folder))) {
      const meter = progressMeter(new Map(variant.files.map(({ path, bytes }) => [path, bytes])), onProgress);
      return { ...(await fetchAll({ store, folder, model, meter, web }, variant)), release };
    }
    if ((await store.folderBytes(folder)) === 0) await store.removeFolder(folder);
  } catch (error) {
    release();
    throw error;
  }
  release();
  const kept = await obtainVariant(memoryStore(), model, variant, onProgress, web);
  const note = `The browser has no room on disk${await roomInWords()}, so the model stays in memory and will be fetched again next time; delete models that you do not need.`;
  return { ...kept, notes: [note] };
}

/** Without a connection. Throws `HubError` "unusable" where not all of it is here. */
export async function openFolder(store: ModelStore, folder: string, variantId: string | null): Promise<Obtained> {
  const release = await holdFolder(store, folder, null);
  try {
    return { ...(await openWhole(store, folder, variantId)), release };
  } catch (error) {
    release();
    throw error;
  }
}

function checkVariant({ id }: FoundModel, { label, refusal, files }: Variant): void {
  if (refusal !== null) throw new HubError("unusable", `${label} of ${id} cannot be used. ${refusal}`);
  if (files.length <= maxFiles) return;
  throw new HubError("unusable", `${label} of ${id} has ${files.length} files; at most ${maxFiles} are fetched.`);
}

interface Job {
  readonly store: ModelStore;
  readonly folder: string;
  readonly model: FoundModel;
  readonly meter: ProgressMeter;
  readonly web: Web;
}

async function fetchAll(job: Job, variant: Variant): Promise<Omit<Obtained, "release">> {
  const { store, folder, model, web } = job;
  const notes: string[] = [];
  const inMemory = new Map<string, Blob>();
  let isRecorded = true;
  for (const file of variant.files) {
    const fetched = await store.lock(`${folder}/${fileNameOf(file.path)}`, { signal: web.signal }, () =>
      obtainFile(job, file),
    );
    isRecorded &&= fetched.isRecorded;
    if (!fetched.blob) continue;
    inMemory.set(file.path, fetched.blob);
    notes.push(
      `The browser has no room for ${file.path}${await roomInWords()}, so it is kept in memory and will be fetched again next time; delete models that you do not need.`,
    );
  }
  if (!(await changeManifest(store, folder, (old) => withVariant(old, model, variant, Date.now())))) isRecorded = false;
  if (!isRecorded) {
    notes.push(
      `The browser has no room to note what is downloaded${await roomInWords()}, so some of it will be checked or fetched again next time; delete models that you do not need.`,
    );
  }
  if (!store.kept) {
    notes.push(
      "This browser gives no room on disk here (a private window?), so the model stays in memory and will be fetched again next time.",
    );
  }
  return {
    opened: await openedModel(model, variant, (path) => openFile(store, folder, path, inMemory)),
    kind: model.kind,
    id: model.id,
    commit: model.commit,
    base: model.base,
    key: store.kept ? folder : null,
    persisted: (await storageRoom()).persisted,
    notes,
  };
}

async function openWhole(
  store: ModelStore,
  folder: string,
  variantId: string | null,
): Promise<Omit<Obtained, "release">> {
  const manifest = await readManifest(store, folder);
  if (!manifest) throw new HubError("unusable", "This model is no longer on this device; download it again.");
  const variants = manifest.variants.filter(({ id }) => variantId === null || id === variantId);
  for (const variant of variants) {
    const here = await Promise.all(variant.files.map(({ path }) => isFinished(store, folder, manifest, path)));
    if (!here.every((finished) => finished)) continue;
    const model: FoundModel = { ...manifest, preferred: variant.id, notes: [] };
    // Only when it was used last is at stake.
    await changeManifest(store, folder, (old) => old && withVariant(old, model, variant, Date.now()));
    return {
      opened: await openedModel(model, variant, (path) => openFile(store, folder, path, new Map())),
      kind: manifest.kind,
      id: manifest.id,
      commit: manifest.commit,
      base: manifest.base,
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

interface Fetched {
  /** The file where it had to stay in memory. */
  readonly blob: Blob | null;
  /** False where the disk had no room to note that it is there. */
  readonly isRecorded: boolean;
}

/** Nobody else writes the file meanwhile. */
async function obtainFile({ store, folder, model, meter, web }: Job, file: RemoteFile): Promise<Fetched> {
  const { path } = file;
  const name = fileNameOf(path);
  const manifest = await readManifest(store, folder);
  if (manifest && (await isFinished(store, folder, manifest, path))) {
    const bytes = manifest.finished[path] ?? 0;
    meter.begin(path, bytes, bytes);
    return { blob: null, isRecorded: true };
  }
  if (!store.kept && (file.bytes ?? 0) > mostBytes) throw await noRoom(path);
  const writer = spillingWriter(await store.openWriter(folder, name), path);
  const onEtag = async (etag: string): Promise<void> => {
    await changeManifest(store, folder, (old) => old && { ...old, etags: { ...old.etags, [path]: etag } });
  };
  const subject = { model: model.id, what: path, hub: model.kind === "hub" };
  try {
    await downloadFile({ file, writer, meter, subject, etag: manifest?.etags[path] ?? null, onEtag }, web);
  } catch (error) {
    // What went wrong first says more than what goes wrong in its wake.
    await writer.close().catch(() => undefined);
    if (writer.spilled || writer.size === 0) await store.removeFile(folder, name).catch(() => undefined);
    throw error;
  }
  try {
    await writer.close();
  } catch (error) {
    if (!isFull(error)) throw error;
    if (!writer.spilled) throw await noRoom(path);
  }
  if (writer.spilled) await store.removeFile(folder, name);
  if (writer.spilled) return { blob: writer.spilled.blob(), isRecorded: true };
  const { size } = writer;
  const isRecorded = await changeManifest(
    store,
    folder,
    (old) => old && { ...old, finished: { ...old.finished, [path]: size } },
  );
  return { blob: null, isRecorded };
}

const noRoom = async (path: string): Promise<HubError> =>
  new HubError(
    "storage",
    `The browser has no room for ${path}${await roomInWords()}, and it may be too large for memory; delete models that you do not need, or free disk space.`,
  );

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
