/** The page that the command line opens (headless.html): the typed client, reachable from a script. No interface, no state of its own. */
import { type Recipe, recipeDefaults } from "../training/recipe";
import { createClient } from "../worker/client";
import { StudioError } from "../worker/errors";
import type {
  AdapterFiles,
  CallName,
  Calls,
  DataSource,
  ErrorData,
  EvaluateSummary,
  GenerateRequest,
  GenerateSummary,
  ModelInfo,
  RunId,
  RunSummary,
} from "../worker/protocol";

/** Values cross to the script as JSON; an error crosses as data, because a thrown one would lose its code. */
export type Outcome<T> = { readonly ok: T } | { readonly error: ErrorData };

/** Files chosen in the page's input, kept under a name that later calls use. */
export type FilesKey = string;

export interface FinetuneRequest {
  /** null: the default of the open model. */
  readonly recipe: Omit<Recipe, "learningRate" | "maxLength"> & {
    readonly learningRate: number | null;
    readonly maxLength: number | null;
  };
  readonly data: FilesKey;
  readonly evalData: FilesKey | null;
  readonly initAdapter: FilesKey | null;
}

/** What scripts/lib/studio.mjs calls, by name and with one argument. */
export interface HeadlessApi {
  /** Keeps the files that the input holds; `paths` names them, in the input's order. */
  keepFiles(request: { readonly key: FilesKey; readonly paths: readonly string[] }): Promise<Outcome<number>>;
  device(): Promise<Outcome<Calls["probe"]["out"]>>;
  openModel(
    request: { readonly embedded: string } | { readonly name: string; readonly files: FilesKey },
  ): Promise<Outcome<ModelInfo>>;
  finetune(request: FinetuneRequest): Promise<Outcome<RunSummary>>;
  /** Asks the running call to stop; a training keeps what it learned. */
  stop(): Promise<Outcome<null>>;
  importAdapter(request: { readonly name: string; readonly files: FilesKey }): Promise<Outcome<RunSummary>>;
  /** The zip comes as a download. */
  exportAdapter(request: { readonly run: RunId }): Promise<Outcome<string>>;
  generate(request: GenerateRequest): Promise<Outcome<GenerateSummary>>;
  evaluate(request: {
    readonly data: FilesKey;
    readonly maxLength: number;
    readonly run: RunId | null;
  }): Promise<Outcome<EvaluateSummary>>;
  /** Logits over the first row of the data, at most `tokens` of it; the float32 values come as a download. */
  probe(request: {
    readonly data: FilesKey;
    readonly run: RunId;
    readonly tokens: number;
  }): Promise<Outcome<{ readonly ids: readonly number[]; readonly vocabSize: number }>>;
}

declare global {
  var tabtune: HeadlessApi | undefined;
  /** Put here by the script before the page loads. */
  var tabtuneEvent: ((event: Calls[CallName]["event"]) => Promise<void>) | undefined;
}

const client = createClient();
const kept = new Map<FilesKey, readonly { readonly path: string; readonly blob: File }[]>();
let running: AbortController | null = null;

/** Events reach the script in order, and all of them before the call's result. */
async function call<K extends CallName>(name: K, input: Calls[K]["in"]): Promise<Calls[K]["out"]> {
  let delivered = Promise.resolve();
  const onEvent = (event: Calls[K]["event"]): void => {
    delivered = globalThis.tabtuneEvent?.(event) ?? delivered;
  };
  running = new AbortController();
  try {
    return await client.call(name, input, { signal: running.signal, onEvent });
  } finally {
    running = null;
    await delivered;
  }
}

async function outcome<T>(body: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: await body() };
  } catch (thrown) {
    if (thrown instanceof StudioError) {
      return { error: { code: thrown.code, message: thrown.message, data: thrown.data } };
    }
    return { error: { code: "internal", message: String(thrown), data: {} } };
  }
}

function files(key: FilesKey): readonly { readonly path: string; readonly blob: File }[] {
  const found = kept.get(key);
  if (found === undefined) throw new StudioError("internal", `No files are kept as "${key}".`);
  return found;
}

function blobAt(key: FilesKey, idx: number): File {
  const file = files(key)[idx];
  if (file === undefined) throw new StudioError("internal", `"${key}" holds no file number ${idx + 1}.`);
  return file.blob;
}

function dataSource(key: FilesKey): DataSource {
  const blob = blobAt(key, 0);
  return { name: blob.name, blob };
}

/** The script gives the two files in this order. */
function adapterFiles(key: FilesKey): AdapterFiles {
  return { config: blobAt(key, 0), weights: blobAt(key, 1) };
}

function download(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
}

const input = document.querySelector<HTMLInputElement>("#files");
let model: ModelInfo | null = null;

globalThis.tabtune = {
  keepFiles: ({ key, paths }) =>
    outcome(async () => {
      const chosen = [...(input?.files ?? [])];
      kept.set(
        key,
        chosen.map((blob, idx) => ({ path: paths[idx] ?? blob.name, blob })),
      );
      return chosen.length;
    }),
  device: () => outcome(() => call("probe", {})),
  openModel: (request) =>
    outcome(async () => {
      model = await call("openModel", {
        source:
          "embedded" in request
            ? { kind: "embedded", id: request.embedded }
            : { kind: "files", name: request.name, files: files(request.files) },
      });
      return model;
    }),
  finetune: ({ recipe, data, evalData, initAdapter }) =>
    outcome(() => {
      if (model === null) throw new StudioError("internal", "No model is open.");
      const learningRate = recipe.learningRate ?? model.defaultLearningRate;
      const maxLength = recipe.maxLength ?? Math.min(recipeDefaults.maxLength, model.maxPositions);
      return call("train", {
        recipe: { ...recipe, learningRate, maxLength },
        data: dataSource(data),
        evalData: evalData === null ? null : dataSource(evalData),
        initAdapter: initAdapter === null ? null : adapterFiles(initAdapter),
      });
    }),
  stop: () =>
    outcome(async () => {
      running?.abort();
      return null;
    }),
  importAdapter: ({ name, files: key }) => outcome(() => call("importAdapter", { name, files: adapterFiles(key) })),
  exportAdapter: ({ run }) =>
    outcome(async () => {
      const { fileName, blob } = await call("exportAdapter", { run, target: "peft" });
      download(fileName, blob);
      return fileName;
    }),
  generate: (request) => outcome(() => call("generate", request)),
  evaluate: ({ data, maxLength, run }) => outcome(() => call("evaluate", { data: dataSource(data), maxLength, run })),
  probe: ({ data, run, tokens }) =>
    outcome(async () => {
      const recipe = { ...recipeDefaults, learningRate: 1 };
      const { preview } = await call("inspectDataset", { data: dataSource(data), recipe });
      const ids = (preview[0]?.tokens ?? []).slice(0, tokens).map(({ id }) => id);
      const { logits, vocabSize } = await call("logits", { ids, run });
      download("logits.bin", new Blob([logits]));
      return { ids, vocabSize };
    }),
};
