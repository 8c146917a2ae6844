/** From where the user said a model is, to its folder: the site's own, given files, an address, the hub, or this device. */
import type { Obtained } from "../hub/index";
import { filesFolder, httpFolder } from "../model/folder";
import type { ModelFiles } from "../model/weights/types";
import type { ModelSource, ProgressEvent } from "./protocol";

/** These load with the first model that is not the page's own. */
const hub = () => import("../hub/index");
const gguf = () => import("../model/gguf-folder");

/** What a folder in public/models/ holds. */
const embeddedFiles = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "onnx/model_q4.onnx",
] as const;

export interface ModelFolder {
  readonly files: ModelFiles;
  /** What an adapter of it is for: the model that this one was converted from, where the hub says so, else its own name. */
  readonly base: string;
  /** The base's commit on the hub; null where it is from elsewhere, or only a conversion of it is here. */
  readonly revision: string | null;
  /** What the user should know of the download, one sentence each. */
  readonly notes: readonly string[];
  /** Call it when the weights are read: until then nobody may delete the files. */
  readonly release: () => void;
}

export interface SourceOptions {
  /** Where models/ lies; it ends with a slash. */
  readonly siteRoot: URL;
  readonly emit: (event: ProgressEvent) => void;
  readonly signal: AbortSignal;
}

/** Downloads what is not here yet. Throws `ModelError`, `WeightsError`, `HubError`, or the signal's reason when aborted. */
export async function openModelFolder(source: ModelSource, options: SourceOptions): Promise<ModelFolder> {
  const { siteRoot, emit, signal } = options;
  const plain = (files: ModelFiles): ModelFolder => ({
    files,
    base: files.name,
    revision: null,
    notes: [],
    release: () => undefined,
  });
  switch (source.kind) {
    case "embedded": {
      const base = new URL(`models/${encodeURIComponent(source.id)}/`, siteRoot);
      return plain(httpFolder(source.id, base.href, embeddedFiles));
    }
    case "files": {
      const { ggufFolder } = await gguf();
      return plain((await ggufFolder(source.files)) ?? filesFolder(source.name, source.files));
    }
    case "url":
      return plain(httpFolder(source.name, source.base, source.paths));
    case "stored": {
      const { openCached } = await hub();
      return fromHub(await openCached(source.key, source.variant));
    }
    case "found": {
      const { HubError, obtain } = await hub();
      const variant = source.model.variants.find(({ id }) => id === source.variant);
      if (!variant) {
        throw new HubError("unusable", `${source.model.id} has no variant ${source.variant}; choose one of its list.`);
      }
      return fromHub(
        await obtain(source.model, variant, {
          signal,
          onProgress: (download) =>
            emit({ phase: "downloading the model", done: download.done, total: download.total ?? 0, download }),
        }),
      );
    }
    default:
      return source satisfies never;
  }
}

async function fromHub({ opened, kind, id, base, commit, notes, release }: Obtained): Promise<ModelFolder> {
  try {
    const files = opened.kind === "gguf" ? await (await gguf()).ggufFolder(opened.files) : opened.files;
    const { HubError } = await hub();
    if (!files) throw new HubError("unusable", `${id} holds no model that can be read; choose another variant.`);
    const revision = kind === "hub" && base === null ? commit : null;
    return { files: { ...files, name: id }, base: base ?? id, revision, notes, release };
  } catch (error) {
    release();
    throw error;
  }
}
