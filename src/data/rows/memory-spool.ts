/** A spool in memory, where there is no disk to write to: Node and tests. */
import type { Spool, SpoolFile } from "./types";

export function memorySpool(): Spool {
  return {
    async create(): Promise<SpoolFile> {
      let parts: Blob[] = [];
      return {
        async write(bytes) {
          // A Blob copies: the caller may use its buffer again.
          parts.push(new Blob([bytes]));
        },
        async finish() {
          return new Blob(parts);
        },
        async discard() {
          parts = [];
        },
      };
    },
  };
}
