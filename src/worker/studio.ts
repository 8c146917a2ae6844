/** Wires the whole line from file to adapter: one handler per call of the protocol. */
import { evaluationBatches, planSteps } from "../data/batches";
import type { TokenizedDataset } from "../data/dataset";
import { adapterFault } from "../export/check";
import { AdapterError } from "../export/errors";
import { exportTargets } from "../export/registry";
import { zipFiles } from "../export/zip";
import { Decoder } from "../model/generation/decoder";
import { generate } from "../model/generation/generate";
import { type Adapter, adapterScale } from "../training/adapter";
import { Evaluator } from "../training/evaluator";
import { recipeDefaults } from "../training/recipe";
import { planMemory, type SessionSizes } from "../training/session";
import { StudioError } from "./errors";
import { ModelSlot, type OpenModel } from "./model-slot";
import type { CallName, Calls, DataSource, Handlers, RunId, RunSummary } from "./protocol";
import { seededUniform } from "./random";
import { runName } from "./storage/names";
import { deleteRun, listRuns, loadRun, saveRun } from "./storage/runs";
import { unknownToken } from "./tokens";
import { checkRecipe, readAdapterFiles, readDataset, runTraining } from "./training-run";

/** Rows of the dataset that the page shows as tokens. */
const previewRows = 8;
/** Held-out rows go through in batches of about this many tokens. */
const evaluationTokens = 512;
const gpuLock = "tabtune-gpu";
/** What a person is told while a call has the GPU. */
const activity: Readonly<Partial<Record<CallName, string>>> = {
  openModel: "opening a model",
  train: "training",
  evaluate: "measuring the loss",
  logits: "computing logits",
  generate: "writing an answer",
  selfCheck: "checking the numbers",
};

/** `siteRoot` is where models/ lies; it ends with a slash. */
export function createHandlers(onDeviceLost: (reason: string) => void, siteRoot: URL): Handlers {
  const slot = new ModelSlot(siteRoot, onDeviceLost);
  let inspected: { readonly dataset: TokenizedDataset; readonly key: string | null; readonly open: OpenModel } | null =
    null;
  let working: CallName | null = null;
  let opening: Promise<unknown> | null = null;

  /** One user of the GPU at a time in this tab. */
  async function alone<T>(call: CallName, work: () => Promise<T>): Promise<T> {
    if (working) {
      throw new StudioError("busy", `Tabtune is ${activity[working] ?? "at work"}; try again when that has ended.`, {
        call: working,
      });
    }
    working = call;
    try {
      return await work();
    } finally {
      working = null;
    }
  }

  /** And one in all tabs: a second one would slow both or run out of memory. */
  function exclusive<T>(call: CallName, work: () => Promise<T>): Promise<T> {
    return alone(call, () =>
      navigator.locks.request(gpuLock, { ifAvailable: true }, (lock) => {
        if (!lock) {
          throw new StudioError("busy", "Tabtune is at work in another tab; wait until that ends or stop it there.");
        }
        return work();
      }),
    );
  }

  async function dataset(
    open: OpenModel,
    data: DataSource,
    maxLength: number,
    emit: (event: Calls["inspectDataset"]["event"]) => void,
    signal: AbortSignal,
  ): Promise<TokenizedDataset> {
    const key = datasetKey(data, maxLength);
    if (key !== null && inspected?.key === key && inspected.open === open) return inspected.dataset;
    inspected = null;
    const read = await readDataset(open, data, maxLength, emit, signal);
    inspected = { dataset: read, key, open };
    return read;
  }

  async function adapterOf(run: RunId | null, open: OpenModel): Promise<Adapter | null> {
    if (run === null) return null;
    const { adapter } = await loadRun(run);
    const fault = adapterFault(adapter, open.base);
    if (fault) throw new AdapterError(fault);
    return adapter;
  }

  function decoder(open: OpenModel, adapter: Adapter | null, capacity: number): Promise<Decoder> {
    return Decoder.create(open.device, open.model, {
      capacity,
      adapter: adapter && { ...adapter.config, scale: adapterScale(adapter.config), matrices: adapter.modules },
    });
  }

  return {
    probe: async () => {
      const { description } = await slot.device();
      return description;
    },

    openModel: async ({ source }, emit, signal) => {
      // Choosing again while a model opens is no mistake: the later choice waits for the earlier one to end.
      while (opening) await opening.catch(() => undefined);
      signal.throwIfAborted();
      const opened = alone("openModel", async () => {
        inspected = null;
        return slot.open(source, emit, signal);
      });
      opening = opened;
      try {
        return await opened;
      } finally {
        opening = null;
      }
    },

    inspectDataset: async ({ data, recipe: given }, emit, signal) => {
      const open = slot.current;
      const recipe = checkRecipe(given, open);
      const { name, counts, examples } = await dataset(open, data, recipe.maxLength, emit, signal);
      return {
        name,
        ...counts,
        steps: planSteps(examples, recipe).steps,
        preview: examples.slice(0, previewRows).map(({ origin, ids, counted }) => ({
          line: origin.line,
          tokens: Array.from(ids, (id, index) => ({
            id,
            text: open.tokenizer.decode([id]),
            counted: counted[index] === 1,
          })),
        })),
      };
    },

    plan: async ({ recipe: given }) => {
      const open = slot.current;
      const recipe = checkRecipe(given, open);
      const rows = recipe.batchSize * recipe.maxLength;
      const sizes: SessionSizes =
        inspected?.open === open && inspected.dataset.counts.longestRow <= recipe.maxLength
          ? planSteps(inspected.dataset.examples, recipe)
          : { maxTokens: rows, maxTargets: rows, maxSegment: recipe.maxLength };
      return planMemory(open.device, open.model, recipe, sizes);
    },

    train: (input, emit, signal) => exclusive("train", () => runTraining(slot.current, input, emit, signal)),

    evaluate: ({ data, maxLength, run }, emit, signal) =>
      exclusive("evaluate", async () => {
        const open = slot.current;
        const adapter = await adapterOf(run, open);
        const limit = Math.min(maxLength, open.info.maxPositions);
        const { examples, counts } = await readDataset(open, data, limit, emit, signal);
        const batches = evaluationBatches(examples, Math.max(evaluationTokens, counts.longestRow));
        const evaluator = await Evaluator.create(open.device, open.model, adapter, batches);
        try {
          const { loss, countedTokens } = await evaluator.measure(batches, {
            signal,
            onProgress: (done) => emit({ phase: "measuring the loss", done, total: counts.countedTokens }),
          });
          return {
            loss,
            perplexity: Math.exp(loss),
            countedTokens,
            rows: counts.rows,
            truncatedRows: counts.truncatedRows,
          };
        } finally {
          evaluator.destroy();
        }
      }),

    logits: ({ ids, run }) =>
      exclusive("logits", async () => {
        const open = slot.current;
        requireRoom(ids.length, open);
        requireTokens(ids, open);
        const adapter = await adapterOf(run, open);
        const made = await decoder(open, adapter, ids.length);
        try {
          return { logits: await made.appendAll(ids, 1), vocabSize: open.model.output.rows };
        } finally {
          made.destroy();
        }
      }),

    generate: (request, emit, signal) =>
      exclusive("generate", async () => {
        const open = slot.current;
        const { tokenizer, model, info } = open;
        const start = performance.now();
        const adapter = await adapterOf(request.run, open);
        const prompt =
          typeof request.prompt === "string"
            ? tokenizer.encode(request.prompt, { addSpecialTokens: true })
            : tokenizer.encode(tokenizer.renderChat(request.prompt, { addGenerationPrompt: true }), {
                addSpecialTokens: false,
              });
        if (prompt.length === 0)
          throw new StudioError("bad-input", "The prompt is empty; write something to continue.");
        requireRoom(prompt.length + 1, open);
        requireTokens(prompt, open);
        const made = await decoder(open, adapter, Math.min(info.maxPositions, prompt.length + request.maxNewTokens));
        try {
          const { text, ids, stopped } = await generate(
            made,
            prompt,
            {
              ...request,
              stopIds: [...model.config.eosTokenIds, tokenizer.eosTokenId],
              uniform: seededUniform(request.seed),
              decode: (tokens) => tokenizer.decode(tokens, { skipSpecialTokens: true }),
              signal,
            },
            (piece) => emit({ text: piece }),
          );
          return { text, tokens: ids.length, milliseconds: performance.now() - start, stopped };
        } finally {
          made.destroy();
        }
      }),

    importAdapter: async ({ name, files }) => {
      const { base, info } = slot.current;
      const adapter = await readAdapterFiles(files, base);
      const { rank, alpha, rslora, dropout, targetModules } = adapter.config;
      const parameters = adapter.modules.reduce((sum, { a, b }) => sum + a.length + b.length, 0);
      const taken = new Set((await listRuns()).map((run) => run.name));
      const summary: RunSummary = {
        id: crypto.randomUUID(),
        name: taken.has(name) || name === "" ? runName(taken) : name,
        model: info.name,
        dataset: "",
        recipe: {
          ...recipeDefaults,
          learningRate: info.defaultLearningRate,
          rank,
          alpha,
          rslora,
          dropout,
          targetModules,
        },
        created: new Date().toISOString(),
        state: "finished",
        steps: 0,
        trainableParameters: parameters,
        losses: [],
        evalBefore: null,
        evalAfter: null,
        milliseconds: 0,
        tokens: 0,
        adapterBytes: 4 * parameters,
      };
      await saveRun({ summary, base, adapter, log: [] });
      return summary;
    },

    exportAdapter: async ({ run, target: id }) => {
      const { summary, base, adapter } = await loadRun(run);
      const target = exportTargets.get(id);
      if (!target) {
        throw new StudioError(
          "bad-input",
          `There is no export "${id}"; choose from ${[...exportTargets.keys()].join(", ")}.`,
        );
      }
      const facts = summary.steps > 0 ? summary : null;
      const files = await target.write(adapter, { base, run: facts });
      return { fileName: `${summary.name}.zip`, blob: await zipFiles(files, new Date(summary.created)) };
    },

    listRuns: async () => listRuns(),

    deleteRun: async ({ run }) => {
      await deleteRun(run);
      return null;
    },

    selfCheck: (_, emit) =>
      exclusive("selfCheck", async () => {
        const open = slot.current;
        // Its own chunk: the second runtime is some twenty megabytes and rarely asked for.
        const { selfCheck } = await import("./self-check");
        return selfCheck(open, emit);
      }),
  };
}

/** Tells files apart by what the browser says of them; a posted file is a new object each time. Null for data without a date. */
function datasetKey({ name, blob }: DataSource, maxLength: number): string | null {
  return blob instanceof File ? JSON.stringify([name, blob.size, blob.lastModified, maxLength]) : null;
}

function requireTokens(ids: readonly number[], open: OpenModel): void {
  const unknown = unknownToken(ids, open);
  if (unknown) throw new StudioError("bad-input", `In the prompt ${unknown.problem}; ${unknown.remedy}.`);
}

function requireRoom(tokens: number, { info }: OpenModel): void {
  if (tokens <= info.maxPositions) return;
  throw new StudioError(
    "bad-input",
    `The prompt has ${tokens} tokens; ${info.name} takes at most ${info.maxPositions}, so shorten it.`,
    { tokens, limit: info.maxPositions },
  );
}
