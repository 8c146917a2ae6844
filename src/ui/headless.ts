/** The page that the command line opens (headless.html): the typed client, reachable from a script. No interface, no state of its own. */
import { type Recipe, recipeDefaults } from "../training/recipe";
import { createClient, dataDefaults } from "../worker/client";
import { StudioError } from "../worker/errors";
import type {
  AdapterFiles,
  CallName,
  Calls,
  DataOptions,
  DataSource,
  DatasetInfo,
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

export interface DataRequest {
  /** null: the default of the open model. */
  readonly recipe: Omit<Recipe, "learningRate" | "maxLength"> & {
    readonly learningRate: number | null;
    readonly maxLength: number | null;
  };
  readonly data: FilesKey;
  /** How the data is read; the defaults where absent. Held-out data is read in the same way. */
  readonly options?: DataOptions;
}

export interface InspectRequest extends DataRequest {
  /** Where the recipe gives no max length, it is fitted to these rows too. */
  readonly evalData?: FilesKey | null;
}

export interface FinetuneRequest extends DataRequest {
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
  /** What the data holds and what stands in the way of training on it. */
  inspect(request: InspectRequest): Promise<Outcome<DatasetInfo>>;
  finetune(request: FinetuneRequest): Promise<Outcome<RunSummary>>;
  /** Asks the running call to stop; a training keeps what it learned. */
  stop(): Promise<Outcome<null>>;
  importAdapter(request: { readonly name: string; readonly files: FilesKey }): Promise<Outcome<RunSummary>>;
  /** The zip comes as a download. */
  exportAdapter(request: { readonly run: RunId }): Promise<Outcome<string>>;
  generate(request: GenerateRequest): Promise<Outcome<GenerateSummary>>;
  evaluate(request: {
    readonly data: FilesKey;
    readonly options?: DataOptions;
    readonly maxLength: number;
    readonly run: RunId | null;
  }): Promise<Outcome<EvaluateSummary>>;
  /** Logits over the first good row of the data, at most `tokens` of it; the float32 values come as a download. */
  probe(request: {
    readonly data: FilesKey;
    readonly options?: DataOptions;
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

function dataSource(key: FilesKey, options: DataOptions = dataDefaults): DataSource {
  const given = files(key).map(({ blob }) => ({ name: blob.name, blob }));
  const [first] = given;
  return { name: given.length === 1 && first ? first.name : `${given.length} files`, files: given, options };
}

function fullRecipe({ recipe }: DataRequest): Recipe {
  if (model === null) throw new StudioError("internal", "No model is open.");
  const learningRate = recipe.learningRate ?? model.defaultLearningRate;
  const maxLength = recipe.maxLength ?? fittedLength ?? Math.min(recipeDefaults.maxLength, model.maxPositions);
  return { ...recipe, learningRate, maxLength };
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
/** The max length that suits the data inspected last, where the command names none. */
let fittedLength: number | null = null;

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
  inspect: (request) =>
    outcome(async () => {
      fittedLength = null;
      const info = await call("inspectDataset", {
        data: dataSource(request.data, request.options),
        recipe: fullRecipe(request),
        fitMaxLength: request.recipe.maxLength === null,
        evalData: request.evalData ? dataSource(request.evalData, request.options) : null,
      });
      fittedLength = info.maxLength;
      return info;
    }),
  finetune: (request) =>
    outcome(() => {
      const { data, evalData, initAdapter, options } = request;
      return call("train", {
        recipe: fullRecipe(request),
        data: dataSource(data, options),
        evalData: evalData === null ? null : dataSource(evalData, options),
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
  evaluate: ({ data, options, maxLength, run }) =>
    outcome(() => call("evaluate", { data: dataSource(data, options), maxLength, run })),
  probe: ({ data, options, run, tokens }) =>
    outcome(async () => {
      const recipe = { ...recipeDefaults, learningRate: 1 };
      const { preview } = await call("inspectDataset", { data: dataSource(data, options), recipe });
      const ids = (preview.find((row) => row.problem === null)?.tokens ?? []).slice(0, tokens).map(({ id }) => id);
      const { logits, vocabSize } = await call("logits", { ids, run });
      download("logits.bin", new Blob([logits]));
      return { ids, vocabSize };
    }),
};
