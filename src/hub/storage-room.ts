/** How much the browser keeps for this origin, and for how long. Alone in its file, so that a page can ask too. */
import type { StorageRoom } from "./types";

export async function storageRoom(): Promise<StorageRoom> {
  const storage = globalThis.navigator?.storage;
  const estimate = await storage?.estimate?.().catch(() => null);
  const persisted = await storage?.persisted?.().catch(() => null);
  return { usage: estimate?.usage ?? null, quota: estimate?.quota ?? null, persisted: persisted ?? null };
}

/** " (3.1 of 3.2 GB used)", or nothing where the browser does not say. */
export async function roomInWords(): Promise<string> {
  const { usage, quota } = await storageRoom();
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  return usage === null || quota === null ? "" : ` (${gigabytes(usage)} of ${gigabytes(quota)} GB used)`;
}

/**
 * Asks the browser to keep what is here even when space is short. Pages can ask and workers cannot: there, and where the
 * browser has no such thing, the answer is what it says now. Null where it does not say.
 */
export async function askToPersist(): Promise<boolean | null> {
  const storage: unknown = globalThis.navigator?.storage;
  if (canPersist(storage)) return await storage.persist().catch(() => null);
  return (await storageRoom()).persisted;
}

const canPersist = (storage: unknown): storage is { persist(): Promise<boolean> } =>
  typeof storage === "object" && storage !== null && "persist" in storage && typeof storage.persist === "function";
