/** A model's files are kept from being deleted while they are downloaded or read, here or in another tab. */
import type { ModelStore } from "./store";

const nameOf = (folder: string): string => `${folder}/use`;

/** Many may hold it at once. What is returned lets go of it; calling that twice is harmless. */
export function holdFolder(store: ModelStore, folder: string, signal: AbortSignal | null): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const hold = (): Promise<void> => new Promise((release) => resolve(() => release()));
    store.lock(nameOf(folder), { mode: "shared", signal }, hold).catch(reject);
  });
}

/** False where somebody holds it. */
export async function ifUnused(store: ModelStore, folder: string, work: () => Promise<void>): Promise<boolean> {
  const done = await store.tryLock(nameOf(folder), async () => {
    await work();
    return true;
  });
  return done ?? false;
}
