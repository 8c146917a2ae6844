/** What crosses between the hub's functions, the worker and the page: plain, structured-cloneable data. */

/** What a user typed, understood. */
export type ModelAddress =
  | {
      readonly kind: "hub";
      /** "org/name", or "name" alone for the hub's oldest models. */
      readonly id: string;
      /** Branch, tag or commit; null for the main branch. */
      readonly revision: string | null;
      /** The file that a pasted address points at. */
      readonly file: string | null;
      /** "Q4_K_M": the GGUF type after a colon, as Ollama and llama.cpp take it. */
      readonly type: string | null;
    }
  | { readonly kind: "url"; readonly url: string };

/** "git-sha1" is git's own: SHA-1 of "blob <bytes>\0" and the content. */
export interface FileHash {
  readonly algorithm: "sha256" | "git-sha1";
  readonly hex: string;
}

export interface RemoteFile {
  /** As the loader sees it, relative to the model folder. */
  readonly path: string;
  /** Where it lies. */
  readonly url: string;
  /** Null where the server does not say; without a hash only what it says, as a server may send fewer bytes, compressed. */
  readonly bytes: number | null;
  /** Null for a file that is not on the hub. */
  readonly hash: FileHash | null;
}

export type VariantFormat = "onnx" | "gguf" | "safetensors" | "other";

/** The files that one choice of weights needs. */
export interface Variant {
  /** The path of its first weight file; unique within a repository. */
  readonly id: string;
  readonly format: VariantFormat;
  /** In words: "ONNX, 4-bit". */
  readonly label: string;
  readonly files: readonly RemoteFile[];
  /** To download if nothing is here yet; null where a server does not say. */
  readonly bytes: number | null;
  /** One sentence why it cannot be used; null where it can. */
  readonly refusal: string | null;
}

/** A model at one commit, so that what was looked at is what is downloaded. */
export interface FoundModel {
  readonly kind: "hub" | "url";
  /** "org/name", or the address without its query, which may hold a secret. */
  readonly id: string;
  /**
   * On the hub the commit's hash. For an address "v" and a fingerprint of its query and of all files' sizes and versions,
   * so that a changed file is another model.
   */
  readonly commit: string;
  /**
   * The hub id of the model that this one was converted from, where the repository holds no weights that transformers
   * opens and the hub names just one; else null.
   */
  readonly base: string | null;
  readonly variants: readonly Variant[];
  /** The id of the variant to begin with; null where none can be used. */
  readonly preferred: string | null;
  /** The parsed config.json where there is one. */
  readonly config: Readonly<Record<string, unknown>> | null;
  /** One sentence each, for the user. */
  readonly notes: readonly string[];
}

/** Bytes that lay here already count as done and not towards the speed. */
export interface DownloadProgress {
  /** "checking": what an earlier visit left of the file is hashed; speed and time left are null then. */
  readonly stage: "checking" | "downloading";
  /** The file that is being checked or fetched. */
  readonly file: string;
  readonly fileBytes: number | null;
  readonly fileDone: number;
  /** Over all files of the variant. */
  readonly done: number;
  readonly total: number | null;
  /** Smoothed; null before the first second. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
}

export interface CachedFile {
  readonly path: string;
  /** On disk. */
  readonly bytes: number;
  /** When finished; null where not known yet. */
  readonly fullBytes: number | null;
  readonly finished: boolean;
}

/** A model on this device, or what there is of it. */
export interface CachedModel {
  /** What `openCached` and `deleteCached` take. */
  readonly key: string;
  readonly kind: "hub" | "url" | "damaged";
  readonly id: string;
  readonly commit: string;
  readonly files: readonly CachedFile[];
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly lastUsed: number;
  readonly variants: readonly {
    readonly id: string;
    readonly label: string;
    readonly format: VariantFormat;
    /** All its files are here: it opens without a connection. Otherwise the download can be resumed. */
    readonly finished: boolean;
  }[];
  /** What `obtain` takes to resume it; null where the record is damaged. */
  readonly found: FoundModel | null;
}

export interface StorageRoom {
  /** Bytes of this origin, and what the browser allows it; null where it does not say. */
  readonly usage: number | null;
  readonly quota: number | null;
  /** False: the browser may clear everything when space is short; null where it does not say. */
  readonly persisted: boolean | null;
}

export interface CachedModels {
  readonly models: readonly CachedModel[];
  readonly bytes: number;
  readonly room: StorageRoom;
}
