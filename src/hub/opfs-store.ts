/**
 * Downloaded models in the browser's private file system, in a folder of their own. Files grow in place through
 * synchronous handles, which workers alone have: what came in before a tab closed is there when the next one opens.
 */
import { HubError } from "./errors";
import type { ModelStore, StoreWriter } from "./store";

const rootName = "tabtune-models";

/** The part that is used of FileSystemSyncAccessHandle, which the types for pages do not have. */
interface SyncHandle {
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
  const find = async (folder: string, name: string): Promise<FileSystemFileHandle | null> => {
    const handle = await root.getDirectoryHandle(folder).catch(absent);
    return (await handle?.getFileHandle(name).catch(absent)) ?? null;
  };
  const lockName = (name: string): string => `${rootName}/${name}`;
  return {
    kept: true,
    async folders() {
      const names: string[] = [];
      for await (const name of root.keys()) names.push(name);
      return names;
    },
    async folderBytes(folder) {
      let bytes = 0;
      const handle = await root.getDirectoryHandle(folder).catch(absent);
      for await (const name of handle?.keys() ?? []) bytes += (await (await find(folder, name))?.getFile())?.size ?? 0;
      return bytes;
    },
    size: async (folder, name) => (await (await find(folder, name))?.getFile())?.size ?? 0,
    file: async (folder, name) => (await (await find(folder, name))?.getFile()) ?? null,
    async openWriter(folder, name) {
      const handle = await root.getDirectoryHandle(folder, { create: true });
      const file = await handle.getFileHandle(name, { create: true });
      if (!isSync(file)) throw new HubError("storage", "This browser's file system can only be written from a worker.");
      return writerOf(await file.createSyncAccessHandle());
    },
    async removeFile(folder, name) {
      const handle = await root.getDirectoryHandle(folder).catch(absent);
      await handle?.removeEntry(name).catch(absent);
    },
    async removeFolder(folder) {
      await root.removeEntry(folder, { recursive: true }).catch(absent);
    },
    async lock(name, { mode, signal }, work) {
      const options = { mode: mode ?? "exclusive", ...(signal ? { signal } : {}) };
      return await navigator.locks.request(lockName(name), options, () => work());
    },
    async tryLock(name, work) {
      return await navigator.locks.request(lockName(name), { ifAvailable: true }, (lock) => (lock ? work() : null));
    },
  };
}

function writerOf(handle: SyncHandle): StoreWriter {
  let size = handle.getSize();
  return {
    get size() {
      return size;
    },
    async write(bytes) {
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
    },
    async read(at, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - at)));
      const read = handle.read(bytes, { at });
      return bytes.subarray(0, read);
    },
    async truncate(to) {
      handle.truncate(to);
      size = to;
    },
    async close() {
      handle.flush();
      handle.close();
    },
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
