/** A file on disk that goes on in memory when the disk is full, so that a download does not fail for want of room. */
import { isFull } from "./disk-errors";
import { HubError } from "./errors";
import { roomInWords } from "./storage-room";
import { MemoryWriter, type StoreWriter } from "./store";

/** More than this in memory would end the tab. */
export const mostBytes = 2_000_000_000;
const copyBytes = 8_000_000;

export interface SpillingWriter extends StoreWriter {
  /** The file in memory, where it came to that. */
  readonly spilled: MemoryWriter | null;
}

/** `file` is how the error names it. Takes over `disk` and closes it. */
export function spillingWriter(disk: StoreWriter, file: string): SpillingWriter {
  let memory: MemoryWriter | null = null;
  const current = (): StoreWriter => memory ?? disk;
  return {
    get size() {
      return current().size;
    },
    get spilled() {
      return memory;
    },
    async write(bytes) {
      if (!memory) {
        try {
          return await disk.write(bytes);
        } catch (error) {
          if (!isFull(error)) throw error;
          memory = await inMemory(disk);
        }
      }
      if (memory.size + bytes.length > mostBytes) {
        throw new HubError(
          "storage",
          `The browser has no room for ${file}${await roomInWords()}, and it is too large for memory; delete models that you do not need, or free disk space.`,
        );
      }
      await memory.write(bytes);
    },
    read: (at, length) => current().read(at, length),
    truncate: (size) => current().truncate(size),
    close: () => disk.close(),
  };
}

/** What is on disk moves to memory, which also frees the disk for smaller files. */
async function inMemory(disk: StoreWriter): Promise<MemoryWriter> {
  const memory = new MemoryWriter();
  while (memory.size < disk.size) await memory.write(await disk.read(memory.size, copyBytes));
  await disk.truncate(0);
  return memory;
}
