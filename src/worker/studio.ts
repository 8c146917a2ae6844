/** Wires the whole line from file to adapter: one handler per call of the protocol. */
import { dataDefaults } from "../data/options";
import { withChosenTemplate } from "../data/templates/index";
import { turnEndIds } from "../data/turn-end";
import { adapterFault } from "../export/check";
import { AdapterError } from "../export/errors";
import { Decoder } from "../model/generation/decoder";
import { generate } from "../model/generation/generate";
import { type Adapter, adapterScale } from "../training/adapter";
import { Calibration } from "./calibrate";
import { dataHandlers } from "./data-handlers";
import { DataSlot } from "./data-slot";
import { StudioError } from "./errors";
import { runEvaluation } from "./evaluation";
import { libraryHandlers } from "./library-handlers";
import { modelHandlers } from "./model-handlers";
import { gpuLock, ModelSlot, type OpenModel } from "./model-slot";
import type { CallName, Handlers, RunId, SelfCheckSummary } from "./protocol";
import { seededUniform } from "./random";
import { settingsHandlers } from "./settings-handlers";
import type { RunRecord } from "./storage/record";
import { loadRun } from "./storage/runs";
import { unknownToken } from "./tokens";
import { runTraining } from "./training-run";

/** What a person is told while a call has the GPU. */
const activity: Readonly<Partial<Record<CallName, string>>> = {
  openModel: "opening a model",
  train: "training",
  evaluate: "measuring the loss",
  logits: "computing logits",
  generate: "writing an answer",
  selfCheck: "checking the numbers",
  calibrate: "measuring the speed",
};

/** `siteRoot` is where models/ lies; it ends with a slash. */
export function createHandlers(onDeviceLost: (reason: string) => void, siteRoot: URL): Handlers {
  const slot = new ModelSlot(siteRoot, onDeviceLost);
  const datasets = new DataSlot();
  const { forget, inspected, ...data } = dataHandlers(slot, datasets);
  const calibration = new Calibration();
  const models = modelHandlers(slot, siteRoot);
  let working: CallName | null = null;
  let opening: Promise<unknown> | null = null;

  /** One user of the GPU at a time in this tab. */
  async function alone<T>(call: CallName, work: () => Promise<T>): Promise<T> {
    if (working === "calibrate" && call !== "calibrate") await calibration.giveWay();
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

  async function runOn(open: OpenModel, run: RunId | null): Promise<RunRecord | null> {
    if (run === null) return null;
    const record = await loadRun(run);
    const fault = adapterFault(record.adapter, open.base);
    if (fault) throw new AdapterError(fault);
    return record;
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

    ...models,

    ...settingsHandlers(slot, calibration, inspected, exclusive),

    openModel: async (input, emit, signal) => {
      // Choosing again while a model opens is no mistake: the later choice waits for the earlier one to end.
      while (opening) await opening.catch(() => undefined);
      signal.throwIfAborted();
      // The open model goes on working while another is downloaded.
      const opened = slot.prepare(input.source, emit, signal).then((prepared) =>
        alone("openModel", async () => {
          forget();
          return slot.load(prepared, input.quantization ?? null, emit, signal);
        }).catch((error: unknown) => {
          prepared.folder.release();
          throw error;
        }),
      );
      opening = opened;
      try {
        return await opened;
      } finally {
        opening = null;
      }
    },

    ...data,

    train: (input, emit, signal) =>
      exclusive("train", async () => {
        await slot.requireTrusted((progress) => emit({ kind: "progress", progress }), signal);
        return runTraining(slot.current, datasets, input, emit, signal);
      }),

    evaluate: (input, emit, signal) =>
      exclusive("evaluate", async () => {
        const open = slot.current;
        return runEvaluation(open, datasets, input, (await runOn(open, input.run))?.adapter ?? null, emit, signal);
      }),

    logits: ({ ids, run }) =>
      exclusive("logits", async () => {
        const open = slot.current;
        requireRoom(ids.length, open);
        requireTokens(ids, open);
        const adapter = (await runOn(open, run))?.adapter ?? null;
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
        const { model, info } = open;
        const start = performance.now();
        const run = await runOn(open, request.run);
        const adapter = run?.adapter ?? null;
        // The adapter answers in the form that it was trained on.
        const template = run?.summary.dataOptions?.template ?? dataDefaults.template;
        const tokenizer = withChosenTemplate(open.tokenizer, template);
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
              stopIds: [...model.config.eosTokenIds, tokenizer.eosTokenId, ...turnEndIds(tokenizer)],
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

    ...libraryHandlers(slot),

    selfCheck: (_, emit) =>
      exclusive("selfCheck", async () => {
        const open = slot.current;
        // Its own chunk: the second runtime is some twenty megabytes and rarely asked for.
        const { selfCheck } = await import("./self-check");
        const summary = await selfCheck(open, emit);
        slot.hears("onnxruntime", summary.agrees ? null : selfCheckFault(summary));
        return summary;
      }),
  };
}

function selfCheckFault({ relativeDifference, top1Agreement }: SelfCheckSummary): string {
  return `onnxruntime computes other logits from the same file (difference ${relativeDifference.toExponential(1)}, the same first token at ${Math.round(100 * top1Agreement)} % of positions), so nothing is trained; try another browser or GPU driver, or choose another model.`;
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
