/**
 * Downloaded models in the browser's private file system, in a folder of their own. Files grow in place through
 * synchronous handles, which workers alone have: what came in before a tab closed is there when the next one opens.
 */
import { onDisk } from "./disk-errors";
import { HubError } from "./errors";
import type { ModelStore, StoreWriter } from "./store";

const rootName = "tabtune-models";

/** The part that is used of FileSystemSyncAccessHandle, which the types for pages do not have. */
export interface SyncHandle {
  read(into: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  write(bytes: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

interface SyncFile {
  createSyncAccessHandle(): Promise<SyncHandle>;
}

const isSync = (file: FileSystemFileHandle): file is FileSystemFileHandle & SyncFile =>
  "createSyncAccessHandle" in file;

/** Null where there is no such file system, as in some private windows, or no synchronous handle, as in a page. */
export async function opfsStore(): Promise<ModelStore | null> {
  try {
    const top = await navigator.storage.getDirectory();
    const root = await top.getDirectoryHandle(rootName, { create: true });
    return "createSyncAccessHandle" in FileSystemFileHandle.prototype ? storeIn(root) : null;
  } catch {
    return null;
  }
}

function storeIn(root: FileSystemDirectoryHandle): ModelStore {
  const find = async (folder: string, name: string): Promise<File | null> => {
    const handle = await root.getDirectoryHandle(folder).catch(absent);
    const file = await handle?.getFileHandle(name).catch(absent);
    return (await file?.getFile().catch(absent)) ?? null;
  };
  const lockName = (name: string): string => `${rootName}/${name}`;
  return {
    kept: true,
    folders: () =>
      onDisk(async () => {
        const names: string[] = [];
        for await (const name of root.keys()) names.push(name);
        return names;
      }),
    folderBytes: (folder) =>
      onDisk(async () => {
        let bytes = 0;
        const handle = await root.getDirectoryHandle(folder).catch(absent);
        for await (const name of handle?.keys() ?? []) bytes += (await find(folder, name))?.size ?? 0;
        return bytes;
      }),
    size: (folder, name) => onDisk(async () => (await find(folder, name))?.size ?? 0),
    file: (folder, name) => onDisk(() => find(folder, name)),
    openWriter: (folder, name) =>
      onDisk(async () => {
        const handle = await root.getDirectoryHandle(folder, { create: true });
        const file = await handle.getFileHandle(name, { create: true });
        if (!isSync(file)) {
          throw new HubError("storage", "This browser's file system can only be written from a worker.");
        }
        return writerOf(await file.createSyncAccessHandle());
      }),
    removeFile: (folder, name) =>
      onDisk(async () => {
        const handle = await root.getDirectoryHandle(folder).catch(absent);
        await handle?.removeEntry(name).catch(absent);
      }),
    removeFolder: (folder) =>
      onDisk(async () => {
        await root.removeEntry(folder, { recursive: true }).catch(absent);
      }),
    async lock(name, { mode, signal }, work) {
      const options = { mode: mode ?? "exclusive", ...(signal ? { signal } : {}) };
      return await navigator.locks.request(lockName(name), options, () => work());
    },
    async tryLock(name, work) {
      return await navigator.locks.request(lockName(name), { ifAvailable: true }, (lock) => (lock ? work() : null));
    },
  };
}

/** Exported for its test: a handle that fails cannot be had of a browser. */
export function writerOf(handle: SyncHandle): StoreWriter {
  let size = handle.getSize();
  return {
    get size() {
      return size;
    },
    write: (bytes) =>
      onDisk(async () => {
        try {
          for (let done = 0; done < bytes.length; ) {
            const written = handle.write(bytes.subarray(done), { at: size + done });
            if (written === 0) throw new NoRoomError("no byte was written");
            done += written;
          }
        } catch (error) {
          handle.truncate(size);
          throw error;
        }
        size += bytes.length;
      }),
    read: (at, length) =>
      onDisk(async () => {
        const bytes = new Uint8Array(Math.max(0, Math.min(length, size - at)));
        const read = handle.read(bytes, { at });
        return bytes.subarray(0, read);
      }),
    truncate: (to) =>
      onDisk(async () => {
        handle.truncate(to);
        size = to;
      }),
    close: () =>
      onDisk(async () => {
        try {
          handle.flush();
        } finally {
          handle.close();
        }
      }),
  };
}

/** A file system that takes no byte and does not say why; the name is the browser's for a full disk. */
class NoRoomError extends Error {
  override readonly name = "QuotaExceededError";
}

function absent(error: unknown): null {
  if (error instanceof DOMException && error.name === "NotFoundError") return null;
  throw error;
}
