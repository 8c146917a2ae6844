/** What a dataset format is. One file per format in this folder; `index.ts` collects them. */
import type { Conversation } from "../types";

export interface DatasetFormat {
  /** The file's name without `.ts`. */
  readonly id: string;
  /** As a person knows it: "JSON Lines". */
  readonly label: string;
  /** How surely the file is in this format, 0 (no) to 1, from its first bytes (up to `headBytes`) and its name. */
  match(head: Uint8Array, name: string): number;
  /**
   * The file's rows in file order, read as a stream. Throws `DataError`. `onBytes` hears how many bytes of the file the
   * rows given so far cover.
   */
  read(blob: Blob, name: string, onBytes?: (bytes: number) => void): AsyncIterable<Conversation>;
}

/** How much of a file `match` sees. */
export const headBytes = 4096;
