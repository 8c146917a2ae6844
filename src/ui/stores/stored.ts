/** The models on this device. */
import { createStore } from "zustand/vanilla";
import type { CachedModel, CachedModels, ErrorData, FoundModel } from "../../worker/protocol";

export interface StoredState {
  /** Null before the first reading. */
  readonly cached: CachedModels | null;
  /** The model whose deletion waits for a yes, by its key; "all" for all of them. */
  readonly confirming: string | null;
  readonly deleting: boolean;
  /** The browser was asked to keep them and did not agree. */
  readonly refusedToKeep: boolean;
  readonly error: ErrorData | null;
}

export interface Kept {
  readonly key: string;
  /** Of the variant's files, on disk. */
  readonly bytes: number;
  /** All of it is here. */
  readonly whole: boolean;
}

/** What there is of one variant on this device; null where there is nothing. */
export function keptOf(
  cached: CachedModels | null,
  found: Pick<FoundModel, "kind" | "id" | "commit" | "variants">,
  variant: string,
): Kept | null {
  const model = cached?.models.find(
    ({ kind, id, commit }) => kind === found.kind && id === found.id && commit === found.commit,
  );
  if (model === undefined) return null;
  const files = found.variants.find(({ id }) => id === variant)?.files ?? [];
  const wanted = new Set(files.map(({ path }) => path));
  const bytes = model.files.reduce((sum, file) => sum + (wanted.has(file.path) ? file.bytes : 0), 0);
  const whole = model.variants.some(({ id, finished }) => id === variant && finished);
  return bytes > 0 || whole ? { key: model.key, bytes, whole } : null;
}

/** The same for a model of the list. */
export const keptVariant = (model: CachedModel, variant: string, cached: CachedModels): Kept | null =>
  model.found === null ? null : keptOf(cached, model.found, variant);

export const createStoredStore = () =>
  createStore<StoredState>(() => ({
    cached: null,
    confirming: null,
    deleting: false,
    refusedToKeep: false,
    error: null,
  }));
