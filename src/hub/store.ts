/** Where downloaded bytes lie: folders of files by name. `opfs-store.ts` keeps them on disk, `memoryStore` for a while. */

/** One open file; nobody else writes it. */
export interface StoreWriter {
  readonly size: number;
  /** At the end. Rejects with the browser's QuotaExceededError where there is no room; the size is then as before. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  read(at: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

export interface LockOptions {
  readonly mode?: "exclusive" | "shared";
  readonly signal?: AbortSignal | null;
}

export interface ModelStore {
  /** False: everything is gone when the tab closes. */
  readonly kept: boolean;
  folders(): Promise<string[]>;
  folderBytes(folder: string): Promise<number>;
  /** 0 where there is none. */
  size(folder: string, name: string): Promise<number>;
  /** Null where there is none. Its bytes are read only when asked for. */
  file(folder: string, name: string): Promise<Blob | null>;
  openWriter(folder: string, name: string): Promise<StoreWriter>;
  /** Removing what is not there is no error. */
  removeFile(folder: string, name: string): Promise<void>;
  removeFolder(folder: string): Promise<void>;
  /** Across all tabs. */
  lock<T>(name: string, options: LockOptions, work: () => Promise<T>): Promise<T>;
  /** The same without waiting: null where another has it. */
  tryLock<T>(name: string, work: () => Promise<T>): Promise<T | null>;
}

/** Bytes are handed over to the browser in pieces of this size, so that they do not lie in this thread's memory. */
const pieceBytes = 4_000_000;

/** A file that grows in memory. */
export class MemoryWriter implements StoreWriter {
  size = 0;
  #pieces: Blob[] = [];
  #open: Uint8Array<ArrayBuffer>[] = [];
  #openBytes = 0;

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#open.push(bytes);
    this.#openBytes += bytes.length;
    this.size += bytes.length;
    if (this.#openBytes >= pieceBytes) this.#flush();
  }

  async read(at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(
      await this.blob()
        .slice(at, at + length)
        .arrayBuffer(),
    );
  }

  async truncate(size: number): Promise<void> {
    this.#pieces = [this.blob().slice(0, size)];
    this.size = size;
  }

  async close(): Promise<void> {}

  blob(): Blob {
    this.#flush();
    return new Blob(this.#pieces);
  }

  #flush(): void {
    if (this.#openBytes > 0) this.#pieces.push(new Blob(this.#open));
    this.#open = [];
    this.#openBytes = 0;
  }
}

/** Of one tab only, so that its locks are always free. */
export function memoryStore(): ModelStore {
  const folders = new Map<string, Map<string, MemoryWriter>>();
  const find = (folder: string, name: string) => folders.get(folder)?.get(name);
  return {
    kept: false,
    folders: async () => [...folders.keys()],
    folderBytes: async (folder) =>
      [...(folders.get(folder)?.values() ?? [])].reduce((sum, writer) => sum + writer.size, 0),
    size: async (folder, name) => find(folder, name)?.size ?? 0,
    file: async (folder, name) => find(folder, name)?.blob() ?? null,
    async openWriter(folder, name) {
      const files = folders.get(folder) ?? new Map<string, MemoryWriter>();
      folders.set(folder, files);
      const writer = files.get(name) ?? new MemoryWriter();
      files.set(name, writer);
      return writer;
    },
    async removeFile(folder, name) {
      folders.get(folder)?.delete(name);
    },
    async removeFolder(folder) {
      folders.delete(folder);
    },
    lock: (_name, _options, work) => work(),
    tryLock: (_name, work) => work(),
  };
}
