/**
 * Models from the hub or from an address, looked up, downloaded and kept. Runs in a worker, whose file handles it needs.
 * Nothing is asked of anyone before a function here is called with what the user chose.
 */
import { parseAddress } from "./address";
import { deleteFolder, foundIn, listCached } from "./cache";
import { HubError } from "./errors";
import { type WebOptions, webOf } from "./http";
import { readManifest } from "./manifest";
import { type Obtained, obtainVariant, openFolder } from "./obtain";
import { opfsStore } from "./opfs-store";
import { lookUpRepository } from "./repository";
import { type ModelStore, memoryStore } from "./store";
import type { CachedModels, DownloadProgress, FoundModel, ModelAddress, Variant } from "./types";
import { lookUpUrl } from "./url";

export { type CatalogueEntry, catalogue } from "./catalogue";
export { HubError, type HubFault } from "./errors";
export type { OpenedModel } from "./files";
export type { Obtained } from "./obtain";
export { storageRoom } from "./storage-room";
export type * from "./types";

interface StoreOptions {
  /** Where downloads lie; the browser's private file system where not given. */
  readonly store?: ModelStore | undefined;
}

export interface LookUpOptions extends WebOptions, StoreOptions {}

export interface ObtainOptions extends WebOptions, StoreOptions {
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

const storeOf = async ({ store }: StoreOptions): Promise<ModelStore> => store ?? (await opfsStore()) ?? memoryStore();

/**
 * What a text typed by the user stands for, with all its variants. Without a connection, a model that was downloaded before
 * is found in the cache. Throws `HubError`.
 */
export async function lookUp(source: string, options: LookUpOptions = {}): Promise<FoundModel> {
  const address = parseAddress(source);
  const web = webOf(options);
  try {
    return address.kind === "hub" ? await lookUpRepository(address, web) : await lookUpUrl(address.url, web);
  } catch (error) {
    const away = error instanceof HubError && (error.reason === "offline" || error.reason === "network");
    const kept = away ? await findCached(address, await storeOf(options)) : null;
    if (kept) return kept;
    throw error;
  }
}

/**
 * Downloads what is not here yet of one variant. Throws `HubError`, or the signal's reason when aborted: what has come in is
 * kept, and the next call takes it up. A variant that is all here is opened without a request.
 */
export async function obtain(source: FoundModel, variant: Variant, options: ObtainOptions = {}): Promise<Obtained> {
  const ignore = (): void => undefined;
  return obtainVariant(await storeOf(options), source, variant, options.onProgress ?? ignore, webOf(options));
}

/** A model that is on this device, without a request; `variant` null is the first that is whole. Throws `HubError`. */
export async function openCached(
  key: string,
  variant: string | null = null,
  options: StoreOptions = {},
): Promise<Obtained> {
  return openFolder(await storeOf(options), key, variant);
}

export async function cachedModels(options: StoreOptions = {}): Promise<CachedModels> {
  return listCached(await storeOf(options));
}

/** Throws `HubError` "busy" while the model is being downloaded. */
export async function deleteCached(key: string, options: StoreOptions = {}): Promise<void> {
  await deleteFolder(await storeOf(options), key);
}

/** Throws `HubError` "busy" where one is being downloaded; the others are deleted then. */
export async function deleteAllCached(options: StoreOptions = {}): Promise<void> {
  const store = await storeOf(options);
  const results = await Promise.allSettled((await store.folders()).map((folder) => deleteFolder(store, folder)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** The one used last, of a model and, where a commit was named, of that commit. */
async function findCached(address: ModelAddress, store: ModelStore): Promise<FoundModel | null> {
  const id = address.kind === "hub" ? address.id : address.url;
  const commit = address.kind === "hub" ? address.revision : null;
  const { models } = await listCached(store);
  const model = models.find(
    (one) =>
      one.kind === address.kind &&
      one.id.toLowerCase() === id.toLowerCase() &&
      (commit === null || !/^[0-9a-f]{7,40}$/.test(commit) || one.commit.startsWith(commit)),
  );
  const manifest = model && (await readManifest(store, model.key));
  if (!manifest) return null;
  const where = address.kind === "hub" ? "The hub" : "The address";
  return foundIn(manifest, [
    `${where} cannot be reached, so these are the files that are on this device (commit ${manifest.commit.slice(0, 7)}).`,
  ]);
}
