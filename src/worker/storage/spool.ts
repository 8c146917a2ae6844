/**
 * A spool on disk, in the browser's private file system: a folder for this worker, held by a Web Lock, so that the folders
 * of tabs that are gone can be told from those in use and removed. Without such a file system, rows are spooled in memory.
 */
import { DataError } from "../../data/errors";
import { memorySpool } from "../../data/rows/memory-spool";
import type { Spool, SpoolFile } from "../../data/rows/types";

const folderName = "tabtune-spool";
const lockName = (session: string): string => `${folderName}-${session}`;

export const diskSpool: Spool = {
  async create() {
    const folder = await sessionFolder();
    return folder ? diskFile(folder) : memorySpool().create();
  },
};

let session: Promise<FileSystemDirectoryHandle | null> | null = null;

function sessionFolder(): Promise<FileSystemDirectoryHandle | null> {
  session ??= openSession();
  return session;
}

/** Null where the browser gives no private file system, as in some private windows. */
async function openSession(): Promise<FileSystemDirectoryHandle | null> {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(folderName, { create: true });
    const id = crypto.randomUUID();
    await holdLock(lockName(id));
    await removeStale(folder);
    return await folder.getDirectoryHandle(id, { create: true });
  } catch {
    return null;
  }
}

/** Resolves when the lock is held; it is until the worker ends. */
function holdLock(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const forever = () => new Promise<never>(() => resolve());
    navigator.locks.request(name, forever).catch(reject);
  });
}

async function removeStale(folder: FileSystemDirectoryHandle): Promise<void> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  for (const name of names) {
    await navigator.locks.request(lockName(name), { ifAvailable: true }, async (lock) => {
      // What cannot be removed now is tried again at the next start.
      if (lock) await folder.removeEntry(name, { recursive: true }).catch(() => undefined);
    });
  }
}

async function diskFile(folder: FileSystemDirectoryHandle): Promise<SpoolFile> {
  const name = crypto.randomUUID();
  const handle = await folder.getFileHandle(name, { create: true });
  const stream = await handle.createWritable();
  let open = true;
  const close = async (): Promise<void> => {
    if (open) await stream.close();
    open = false;
  };
  return {
    write: (bytes) => guarded(() => stream.write(bytes)),
    finish: () =>
      guarded(async () => {
        await close();
        return handle.getFile();
      }),
    async discard() {
      if (open) await stream.abort().catch(() => undefined);
      open = false;
      await folder.removeEntry(name).catch(() => undefined);
    },
  };
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause;
    const full = cause.name === "QuotaExceededError";
    throw new DataError(
      {
        file: "the dataset",
        problem: full
          ? "the browser has no room for its rows, which this format needs on disk"
          : `the browser's storage failed over its rows (${cause.name})`,
        remedy: "free disk space, delete runs from the library or give the data as JSON Lines",
      },
      { cause },
    );
  }
}
