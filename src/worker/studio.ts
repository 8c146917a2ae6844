/** Wires the whole line from file to adapter: one handler per call of the protocol. */
import { answerHandlers } from "./answer-handlers";
import { Calibration } from "./calibrate";
import { dataHandlers } from "./data-handlers";
import { DataSlot } from "./data-slot";
import { StudioError } from "./errors";
import { fetchExport, libraryHandlers } from "./library-handlers";
import { modelHandlers } from "./model-handlers";
import { gpuLock, ModelSlot } from "./model-slot";
import type { CallName, Handlers, SelfCheckSummary } from "./protocol";
import { settingsHandlers } from "./settings-handlers";

/** What a person is told while a call has the GPU. */
const activity: Readonly<Partial<Record<CallName, string>>> = {
  openModel: "opening a model",
  train: "training",
  evaluate: "measuring the loss",
  evaluateRows: "measuring the loss of rows",
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
        fetchExport();
        const { runTraining } = await import("./training-run");
        return runTraining(slot.current, datasets, input, emit, signal);
      }),

    ...answerHandlers(slot, datasets, exclusive),

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
