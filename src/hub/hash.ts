/** Hashes of files as they come in, piece by piece: the hub gives SHA-256 for large files and git's own for small ones. */
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { FileHash } from "./types";

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Ends it. */
  hex(): string;
}

/** `bytes` is the whole file's size, which git's hash begins with. */
export function hasherFor({ algorithm }: FileHash, bytes: number): Hasher {
  const hash = algorithm === "sha256" ? sha256.create() : sha1.create().update(utf8ToBytes(`blob ${bytes}\0`));
  return {
    update(piece) {
      hash.update(piece);
    },
    hex: () => bytesToHex(hash.digest()),
  };
}

/** A short name for any text, the same everywhere: 40 hex digits. */
export const nameOf = (text: string): string => bytesToHex(sha256(utf8ToBytes(text))).slice(0, 40);
