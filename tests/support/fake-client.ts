/** A `StudioClient` without a GPU, for component tests and pictures only: a believable sequence of events, no real number. */
import { defaultLearningRate } from "../../src/training/recipe";
import { StudioError } from "../../src/worker/errors";
import type {
  CachedModel,
  CallName,
  CallOptions,
  Calls,
  DatasetInfo,
  ErrorData,
  KernelCheckSummary,
  ModelSource,
  RunSummary,
  SelfCheckSummary,
  StudioClient,
  TrainEvent,
} from "../../src/worker/protocol";
import { describe, type FakeDataset, viewRows } from "./fake-data";
import { fakeLibrary } from "./fake-library";
import { cachedModel, catalogueOf, download, goodCheck, listOf, outlineOf, smol } from "./fake-models";
import { fakeCalibrate, fakeModules, fakePlan } from "./fake-settings";
import { type FakeCourse, fakeSamples } from "./fake-training";
import { fakeEvaluateRows, fakeGenerate } from "./fake-trial";

export interface FakeOptions {
  /** Calls that fail, with their error. */
  readonly fail?: Readonly<Partial<Record<CallName, ErrorData>>>;
  /** Milliseconds between two events. */
  readonly pace?: number;
  /** How training goes instead of the usual. */
  readonly course?: FakeCourse;
  /** Training waits for good after this step. */
  readonly holdAt?: number;
  readonly runs?: readonly RunSummary[];
  readonly fallback?: boolean;
  /** What every dataset turns out to be. */
  readonly dataset?: FakeDataset;
  /** Reading waits at the half until it is cancelled. */
  readonly holdReading?: boolean;
  /** The held-out file shares rows with the training rows. */
  readonly shared?: boolean;
  /** What is said of the overlap, the dataset and the finished run instead of the usual. */
  readonly overlap?: Partial<Calls["overlap"]["out"]>;
  readonly info?: Partial<DatasetInfo>;
  readonly summary?: Partial<RunSummary>;
  /** The model comes without a chat template. */
  readonly bare?: boolean;
  /** On this device from the start. */
  readonly stored?: readonly CachedModel[];
  /** A look-up waits until it is cancelled. */
  readonly holdLookUp?: boolean;
  /** A download waits at the half until it is cancelled. */
  readonly holdDownload?: boolean;
  /** The first download breaks at the half. */
  readonly breakDownload?: ErrorData;
  /** After the first download: the GPU is taken. */
  readonly busyAfterDownload?: ErrorData;
  /** After the download: the weights do not load. */
  readonly breakLoading?: ErrorData;
  readonly kernelCheck?: KernelCheckSummary;
  /** What is said of an opened model. */
  readonly notes?: readonly string[];
  readonly selfCheck?: Partial<SelfCheckSummary>;
  /** A measurement of the speed waits until it is cancelled. */
  readonly holdMeasuring?: boolean;
  /** Measuring rows waits after the fourth one until it is cancelled. */
  readonly holdRows?: boolean;
}

export interface FakeClient extends StudioClient {
  /** Every call with its input, in order. */
  readonly calls: readonly { readonly call: CallName; readonly input: unknown }[];
  loseDevice(reason: string): void;
}

const aborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener("abort", () => resolve());
  });

type Answers = {
  readonly [K in CallName]: (input: Calls[K]["in"], options: CallOptions<K>) => Promise<Calls[K]["out"]>;
};

export function createFakeClient(options: FakeOptions = {}): FakeClient {
  const { fail = {}, pace = 0, holdAt = Number.POSITIVE_INFINITY, fallback = true } = options;
  const { dataset = "clean", holdReading = false, shared = false, bare = false } = options;
  const calls: { call: CallName; input: unknown }[] = [];
  const listeners = new Set<(reason: string) => void>();
  const library = fakeLibrary(options.runs ?? [], sampleRun);
  let stored: readonly CachedModel[] = options.stored ?? [];
  let broken = false;
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pace));

  const answers: Answers = {
    probe: async () => ({
      name: fallback ? "google swiftshader" : "nvidia ada",
      isFallback: fallback,
      features: [],
      maxBufferSize: 2 ** 30,
    }),
    openModel: async ({ source, quantization = null }, { onEvent, signal }) => {
      if (source.kind === "found") {
        const { model, variant } = source;
        const shareOf = ({ files }: CachedModel): number =>
          files.reduce((sum, file) => sum + file.bytes, 0) /
          files.reduce((sum, file) => sum + (file.fullBytes ?? 0), 0);
        const before = stored.find(({ id }) => id === model.id);
        await download({
          found: model,
          variant,
          from: before?.variants.some(({ id }) => id === variant) === true ? shareOf(before) : 0,
          atHalf: async () => {
            if (options.holdDownload === true) await aborted(signal);
            const breaks = options.breakDownload !== undefined && !broken;
            broken = true;
            if (breaks) throw new StudioError("bad-input", options.breakDownload.message, options.breakDownload.data);
          },
          emit: (progress) => {
            onEvent?.({
              phase: "downloading the model",
              done: progress.done,
              total: progress.total ?? 0,
              download: progress,
            });
          },
          pause,
          signal,
          keep: (share) => {
            stored = [cachedModel(model, { [variant]: share }), ...stored.filter(({ id }) => id !== model.id)];
          },
        });
      }
      if (source.kind === "found" && options.busyAfterDownload !== undefined) {
        throw new StudioError("busy", options.busyAfterDownload.message);
      }
      for (let done = 1; done <= 4; done++) {
        await pause();
        onEvent?.({ phase: "loading weights", done, total: 4 });
        if (done === 2 && options.breakLoading !== undefined && source.kind !== "embedded") {
          throw new StudioError(options.breakLoading.code, options.breakLoading.message);
        }
      }
      onEvent?.({ phase: "checking the kernels", done: 1, total: 2 });
      await pause();
      return {
        name: nameOf(source, stored),
        modelType: "llama",
        weightFormat: "int4 ONNX",
        parameters: 3_456_789,
        hiddenSize: 256,
        layers: 4,
        vocabSize: 4096,
        maxPositions: 1024,
        weightBytes: 2_345_678,
        quantization,
        loraTargets: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        hasChatTemplate: !bare,
        defaultLearningRate: defaultLearningRate(256),
        canSelfCheck: source.kind === "embedded",
        kernelCheck: options.kernelCheck ?? goodCheck,
        notes: options.notes ?? [],
      };
    },
    openReader: async ({ source }) => ({
      name: nameOf(source, stored),
      vocabSize: 4096,
      maxPositions: 1024,
      loraTargets: fakeModules.map(({ module }) => module),
      hasChatTemplate: !bare,
      defaultLearningRate: defaultLearningRate(256),
    }),
    lookUpModel: async ({ address }, { signal }) => {
      if (options.holdLookUp === true) {
        await aborted(signal);
        throw new StudioError("aborted", "Stopped before there was anything to keep.");
      }
      return { ...smol, id: address.replace(/@.*/, "") };
    },
    outlineModel: async ({ source, memoryBudget }) => outlineOf(source, memoryBudget),
    listCatalogue: async ({ memoryBudget }) => catalogueOf(memoryBudget, listOf(stored)),
    storedModels: async () => listOf(stored),
    deleteStoredModel: async ({ key }) => {
      stored = stored.filter((model) => model.key !== key);
      return null;
    },
    inspectDataset: async ({ data, recipe }, { onEvent, signal }) => {
      const info = { ...describe(dataset, data, recipe), ...options.info };
      const { bytes } = info;
      onEvent?.({ kind: "head", rows: info.preview });
      for (const done of [0.25, 0.5, 0.75, 1]) {
        onEvent?.({
          kind: "progress",
          progress: { phase: `reading ${data.name}`, done: Math.round(done * bytes), total: bytes },
        });
        await pause();
        if (done === 0.5 && holdReading) await aborted(signal);
      }
      onEvent?.({
        kind: "progress",
        progress: { phase: `tokenizing ${data.name}`, done: info.rows, total: info.rows },
      });
      await pause();
      if (signal?.aborted === true) throw new StudioError("aborted", "Stopped before there was anything to keep.");
      return info;
    },
    viewRows: async ({ from, count, problem }) => viewRows(dataset, from, count, problem),
    overlap: async () => ({
      rows: shared ? 2 : 0,
      comparedRows: 12,
      exact: true,
      examples: shared ? viewRows("clean", 0, 2, null).rows : [],
      ...options.overlap,
    }),
    plan: async ({ recipe }) => fakePlan(recipe),
    targetModules: async () => fakeModules,
    calibrate: (_input, callOptions) => fakeCalibrate(options, callOptions, pause),
    train: async ({ recipe, data, samples }, { onEvent, signal }) => {
      const { course = {} } = options;
      const steps = recipe.steps ?? 30;
      const losses: number[] = [];
      const emit = (event: TrainEvent): void => onEvent?.(event);
      emit({ kind: "progress", progress: { phase: "compiling shaders", done: 3, total: 17 } });
      await pause();
      const memory = await answers.plan({ recipe }, {});
      emit({ kind: "start", run: "run-new", steps, trainableParameters: 49_152, memory });
      emit({ kind: "eval", step: 0, loss: 3.31, countedTokens: 900 });
      fakeSamples(0, steps, samples, course).forEach(emit);
      for (let step = 1; step <= steps && signal?.aborted !== true; step++) {
        const usual = 2.2 + 1.1 * Math.exp((-3 * step) / steps) + 0.15 * Math.sin(step * 12.9898);
        const loss = course.loss?.(step, steps) ?? usual;
        losses.push(loss);
        const learningRate = recipe.learningRate * Math.cos((Math.PI / 2) * ((step - 1) / steps));
        const [tokens, milliseconds] = [480, 210];
        emit({
          kind: "step",
          step,
          steps,
          epoch: (3 * step) / steps,
          loss,
          learningRate,
          gradientNorm: course.norm?.(step, steps) ?? 1.4,
          tokens,
          countedTokens: 200,
          milliseconds,
        });
        const heldOut = course.evals?.[step];
        if (heldOut !== undefined) emit({ kind: "eval", step, loss: heldOut, countedTokens: 900 });
        fakeSamples(step, steps, samples, course).forEach(emit);
        if (step === course.breakAt?.step) {
          const { code, message, data: details } = course.breakAt.error;
          throw new StudioError(code, message, details);
        }
        if (step >= holdAt) {
          await aborted(signal);
        }
        await pause();
      }
      if (losses.length === 0) throw new StudioError("aborted", "Stopped before the first step.");
      const stopped = losses.length < steps;
      if (!stopped) emit({ kind: "eval", step: steps, loss: 2.61, countedTokens: 900 });
      const summary: RunSummary = {
        ...sampleRun,
        id: "run-new",
        name: "teal-heron-42",
        dataset: data.name,
        recipe,
        state: stopped ? "stopped" : "finished",
        steps: losses.length,
        losses,
        evalBefore: stopped ? null : 3.31,
        evalAfter: stopped ? null : 2.61,
        ...options.summary,
      };
      library.add(summary);
      return summary;
    },
    evaluate: async () => ({
      loss: 2.5,
      perplexity: Math.exp(2.5),
      countedTokens: 900,
      rows: 12,
      truncatedRows: 0,
      leftOutRows: 0,
    }),
    logits: async ({ ids }) => ({ logits: new Float32Array(ids.length * 4), vocabSize: 4 }),
    evaluateRows: (input, callOptions) => fakeEvaluateRows(options, input, callOptions, pause),
    generate: (input, callOptions) => fakeGenerate(input, callOptions, pause),
    ...library.answers,
    selfCheck: async (_input, { onEvent }) => {
      onEvent?.({ phase: "running ONNX Runtime", done: 1, total: 2 });
      await pause();
      return {
        prompt: "The tide",
        tokens: 32,
        relativeDifference: 2.3e-5,
        top1Agreement: 1,
        agrees: true,
        ...options.selfCheck,
      };
    },
  };

  return {
    calls,
    async call(call, input, callOptions = {}) {
      calls.push({ call, input });
      await pause();
      const error = fail[call];
      if (error !== undefined) throw new StudioError(error.code, error.message, error.data);
      const answer: Answers[typeof call] = answers[call];
      return answer(input, callOptions);
    },
    onDeviceLost(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    loseDevice(reason) {
      for (const listener of listeners) listener(reason);
    },
  };
}

function nameOf(source: ModelSource, stored: readonly CachedModel[]): string {
  if (source.kind === "embedded") return source.id;
  if (source.kind === "found") return source.model.id;
  return source.kind === "stored" ? (stored.find(({ key }) => key === source.key)?.id ?? source.key) : source.name;
}

export const sampleRun: RunSummary = {
  id: "run-1",
  name: "amber-otter-12",
  model: "tabtune-tiny",
  dataset: "pirate.jsonl",
  recipe: {
    rank: 8,
    alpha: 16,
    targetModules: "all-linear",
    rslora: false,
    dropout: 0,
    learningRate: 2e-3,
    schedule: "cosine",
    warmupSteps: 2,
    steps: null,
    epochs: 3,
    batchSize: 1,
    gradientAccumulation: 1,
    maxLength: 512,
    weightDecay: 0,
    clip: 1,
    seed: 42,
    shuffle: true,
    pack: true,
    gradientCheckpointing: false,
  },
  created: "2026-03-04T05:06:07.000Z",
  state: "finished",
  steps: 30,
  trainableParameters: 49_152,
  losses: Array.from({ length: 30 }, (_, step) => 2.2 + 1.1 * Math.exp(-step / 10) + 0.1 * Math.sin(step * 7)),
  evalBefore: 3.31,
  evalAfter: 2.61,
  milliseconds: 6300,
  tokens: 14_400,
  adapterBytes: 196_608,
};
