/** What of a model is on this device, for when its hub or its server does not answer. */
import { listCached } from "./cache";
import { preferredVariant } from "./choose";
import type { ModelStore } from "./store";
import type { CachedModel, FoundModel, ModelAddress } from "./types";

/** The one used last, whole ones first; of the commit, file and type that were named. Null where there is none. */
export async function findKept(address: ModelAddress, store: ModelStore): Promise<FoundModel | null> {
  const { models } = await listCached(store);
  const same = models.filter((model) => isSame(model, address));
  const model = same.find(({ variants }) => variants.some(({ finished }) => finished)) ?? same[0];
  if (!model?.found) return null;
  const { found } = model;
  const whole = new Set(model.variants.filter(({ finished }) => finished).map(({ id }) => id));
  const here = found.variants.filter(({ id }) => whole.has(id));
  const [where, version, file, type] =
    address.kind === "hub" ? ["The hub", "commit", address.file, address.type] : ["The server", "version", null, null];
  const preferred = preferredVariant(here, file, type) ?? found.preferred;
  const note = `${where} does not answer, so these are the files that are on this device (${version} ${model.commit.slice(0, 7)}).`;
  return { ...found, preferred, notes: [note] };
}

function isSame({ kind, id, commit, found }: CachedModel, address: ModelAddress): boolean {
  if (kind !== address.kind) return false;
  if (address.kind === "url") {
    // The id lacks the query, and with another one it may be another file.
    const { href } = withoutHash(address.url);
    return found?.variants.some(({ files }) => files[0]?.url === href) ?? false;
  }
  const { revision } = address;
  if (id.toLowerCase() !== address.id.toLowerCase()) return false;
  return revision === null || !/^[0-9a-f]{7,40}$/.test(revision) || commit.startsWith(revision);
}

function withoutHash(address: string): URL {
  const url = new URL(address);
  url.hash = "";
  return url;
}
