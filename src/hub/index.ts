/**
 * Models from the hub, or from an address on its hosts or on this site, looked up, downloaded and kept. Runs in a worker, whose file handles it needs.
 * Nothing is asked of anyone before a function here is called with what the user chose.
 */
import { parseAddress } from "./address";
import { deleteFolder, listCached } from "./cache";
import { HubError, isPassing } from "./errors";
import { type WebOptions, webOf } from "./http";
import { findKept } from "./kept";
import { type Obtained, obtainVariant, openFolder } from "./obtain";
import { opfsStore } from "./opfs-store";
import { lookUpRepository } from "./repository";
import { type ModelStore, memoryStore } from "./store";
import type { CachedModels, DownloadProgress, FoundModel, Variant } from "./types";
import { lookUpUrl } from "./url";

export { catalogue } from "./catalogue";
export { HubError } from "./errors";
export type { Obtained } from "./obtain";
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
 * What a text typed by the user stands for, with all its variants. Where no answer comes, or one that says to come back
 * later, a model that was downloaded before is found in the cache. Throws `HubError`.
 */
export async function lookUp(source: string, options: LookUpOptions = {}): Promise<FoundModel> {
  const address = parseAddress(source);
  // A disk that cannot be read is no reason not to ask the hub.
  const kept = await findKept(address, await storeOf(options)).catch(() => null);
  // Who has the model already need not wait for minutes.
  const web = kept ? { ...webOf(options), retries: 1, longestWait: 5 } : webOf(options);
  try {
    return address.kind === "hub" ? await lookUpRepository(address, web) : await lookUpUrl(address.url, web);
  } catch (error) {
    const isAway = isPassing(error) || (error instanceof HubError && error.reason === "offline");
    if (kept && isAway) return kept;
    throw error;
  }
}

/**
 * Downloads what is not here yet of one variant. Throws `HubError`, or the signal's reason when aborted: what has come in is
 * kept, and the next call takes it up. A variant that is all here is opened without a request. Nobody can delete the files
 * until `release` of what is returned is called.
 */
export async function obtain(source: FoundModel, variant: Variant, options: ObtainOptions = {}): Promise<Obtained> {
  const ignore = (): void => undefined;
  return obtainVariant(await storeOf(options), source, variant, options.onProgress ?? ignore, webOf(options));
}

/**
 * A model that is on this device, without a request; `variant` null is the first that is whole. Nobody can delete the files
 * until `release` of what is returned is called. Throws `HubError`.
 */
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

/** Throws `HubError` "busy" while the model is downloaded, or obtained and not released. */
export async function deleteCached(key: string, options: StoreOptions = {}): Promise<void> {
  await deleteFolder(await storeOf(options), key);
}

/** Throws `HubError` "busy" where one is in use in that way; the others are deleted then. */
export async function deleteAllCached(options: StoreOptions = {}): Promise<void> {
  const store = await storeOf(options);
  const results = await Promise.allSettled((await store.folders()).map((folder) => deleteFolder(store, folder)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
