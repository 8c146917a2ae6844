/** Everything that crosses between the page and the worker: types only. A call has a result, may have events, and fails with `ErrorData`. */
import type { Message } from "../data/tokenizer";
import type { Recipe } from "../training/recipe";
import type { MemoryPlan } from "../training/session";
import type { EvalEvent, StepEvent } from "../training/trainer";

export type { MemoryPlan };

export type RunId = string;

/** Where a model folder comes from. Paths are relative to the folder. */
export type ModelSource =
  /** A folder under `public/models/`. */
  | { readonly kind: "embedded"; readonly id: string }
  /** Files that the user dropped or picked. */
  | {
      readonly kind: "files";
      readonly name: string;
      readonly files: readonly { readonly path: string; readonly blob: Blob }[];
    }
  /** A folder served over HTTP(S); `paths` lists what is there. */
  | { readonly kind: "url"; readonly name: string; readonly base: string; readonly paths: readonly string[] };

export interface DataSource {
  readonly name: string;
  readonly blob: Blob;
}

/** The two files of a PEFT adapter folder. */
export interface AdapterFiles {
  readonly config: Blob;
  readonly weights: Blob;
}

export interface DeviceInfo {
  /** "apple metal-3", "google swiftshader", … */
  readonly name: string;
  /** True for a software adapter: training works and is slow. */
  readonly isFallback: boolean;
  readonly features: readonly string[];
  readonly maxBufferSize: number;
}

export interface ModelInfo {
  readonly name: string;
  readonly modelType: string;
  readonly weightFormat: string;
  readonly parameters: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  /** Bytes of the frozen weights on the GPU. */
  readonly weightBytes: number;
  /** Module names that LoRA can target, in block order. */
  readonly loraTargets: readonly string[];
  readonly hasChatTemplate: boolean;
  /** The rate a run starts with where the user gives none. */
  readonly defaultLearningRate: number;
  /** An ONNX file is at hand, so `selfCheck` can run. */
  readonly canSelfCheck: boolean;
}

export interface DatasetInfo {
  readonly name: string;
  readonly rows: number;
  readonly tokens: number;
  readonly countedTokens: number;
  readonly truncatedRows: number;
  readonly longestRow: number;
  /** Optimizer steps that the recipe gives on these rows. */
  readonly steps: number;
  /** The first rows as the model will see them. */
  readonly preview: readonly {
    readonly line: number;
    readonly tokens: readonly { readonly id: number; readonly text: string; readonly counted: boolean }[];
  }[];
}

export interface ProgressEvent {
  /** "reading weights", "compiling shaders", … */
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

export type TrainEvent =
  | { readonly kind: "progress"; readonly progress: ProgressEvent }
  | {
      readonly kind: "start";
      readonly run: RunId;
      readonly steps: number;
      readonly trainableParameters: number;
      readonly memory: MemoryPlan;
    }
  | StepEvent
  | EvalEvent;

export interface RunSummary {
  readonly id: RunId;
  readonly name: string;
  readonly model: string;
  readonly dataset: string;
  readonly recipe: Recipe;
  /** ISO 8601. */
  readonly created: string;
  /** "stopped": the user stopped it; what was learned is kept. */
  readonly state: "finished" | "stopped";
  readonly steps: number;
  readonly trainableParameters: number;
  readonly losses: readonly number[];
  /** Held-out loss before and after; null without an eval file. */
  readonly evalBefore: number | null;
  readonly evalAfter: number | null;
  readonly milliseconds: number;
  readonly tokens: number;
  readonly adapterBytes: number;
}

export interface TokenEvent {
  readonly text: string;
}

export interface GenerateRequest {
  /** Text is continued as it is; messages go through the chat template. */
  readonly prompt: string | readonly Message[];
  readonly run: RunId | null;
  /** Multiplies α/r: 0 is the base model, 1 the adapter as trained. */
  readonly strength: number;
  readonly maxNewTokens: number;
  /** 0: greedy. */
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly seed: number;
}

export interface GenerateSummary {
  readonly text: string;
  readonly tokens: number;
  readonly milliseconds: number;
  readonly stopped: "eos" | "length" | "aborted";
}

export interface EvaluateSummary {
  /** Token-weighted mean cross-entropy in nats. */
  readonly loss: number;
  readonly perplexity: number;
  readonly countedTokens: number;
  readonly rows: number;
  /** Rows longer than the given length, which lost their end. */
  readonly truncatedRows: number;
}

export interface SelfCheckSummary {
  readonly prompt: string;
  readonly tokens: number;
  /** ‖ours − theirs‖ / ‖theirs‖ over all logits. */
  readonly relativeDifference: number;
  /** Share of positions where both put the same token first. */
  readonly top1Agreement: number;
  /** True where the difference is small enough to trust the kernels (≤ 1e-3). */
  readonly agrees: boolean;
}

export interface LogitsSummary {
  /** [ids.length, vocabSize], row-major. */
  readonly logits: Float32Array<ArrayBuffer>;
  readonly vocabSize: number;
}

export interface ExportInfo {
  readonly fileName: string;
  readonly blob: Blob;
}

export interface Calls {
  probe: { in: Record<never, never>; out: DeviceInfo; event: never };
  openModel: { in: { readonly source: ModelSource }; out: ModelInfo; event: ProgressEvent };
  inspectDataset: {
    in: { readonly data: DataSource; readonly recipe: Recipe };
    out: DatasetInfo;
    event: ProgressEvent;
  };
  /** For the dataset inspected last, or for full rows before one was. */
  plan: { in: { readonly recipe: Recipe }; out: MemoryPlan; event: never };
  train: {
    in: {
      readonly recipe: Recipe;
      readonly data: DataSource;
      readonly evalData: DataSource | null;
      readonly initAdapter: AdapterFiles | null;
    };
    out: RunSummary;
    event: TrainEvent;
  };
  evaluate: {
    in: { readonly data: DataSource; readonly maxLength: number; readonly run: RunId | null };
    out: EvaluateSummary;
    event: ProgressEvent;
  };
  /** All logits over one document of token ids: for checks against other implementations. */
  logits: { in: { readonly ids: readonly number[]; readonly run: RunId | null }; out: LogitsSummary; event: never };
  generate: { in: GenerateRequest; out: GenerateSummary; event: TokenEvent };
  /** Keeps an adapter made elsewhere as a run of its own, checked against the open model. */
  importAdapter: { in: { readonly name: string; readonly files: AdapterFiles }; out: RunSummary; event: never };
  exportAdapter: { in: { readonly run: RunId; readonly target: string }; out: ExportInfo; event: never };
  listRuns: { in: Record<never, never>; out: readonly RunSummary[]; event: never };
  deleteRun: { in: { readonly run: RunId }; out: null; event: never };
  selfCheck: { in: Record<never, never>; out: SelfCheckSummary; event: ProgressEvent };
}

export type CallName = keyof Calls;

export type ErrorCode =
  /** The user's file, folder or setting; `message` says what to do. */
  | "bad-input"
  /** WebGPU is missing, too small or lost. */
  | "gpu"
  | "out-of-memory"
  /** The run produced NaN or infinity and was stopped. */
  | "diverged"
  | "storage"
  | "aborted"
  | "busy"
  | "internal";

export interface ErrorData {
  readonly code: ErrorCode;
  /** One sentence for a person. */
  readonly message: string;
  readonly data: Readonly<Record<string, string | number>>;
}

export type CallRequest<K extends CallName = CallName> = {
  [P in K]: { readonly id: number; readonly call: P; readonly input: Calls[P]["in"] };
}[K];

export type EventReply<K extends CallName = CallName> = {
  [P in K]: { readonly id: number; readonly type: "event"; readonly call: P; readonly event: Calls[P]["event"] };
}[K];

export type ResultReply<K extends CallName = CallName> = {
  [P in K]: { readonly id: number; readonly type: "result"; readonly call: P; readonly result: Calls[P]["out"] };
}[K];

export type Request = CallRequest | { readonly id: number; readonly call: "abort" };

export type Reply =
  | EventReply
  | ResultReply
  | { readonly id: number; readonly type: "error"; readonly call: CallName; readonly error: ErrorData }
  /** Not tied to a call: the device went away. */
  | { readonly id: -1; readonly type: "device-lost"; readonly reason: string };

export interface CallOptions<K extends CallName> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: Calls[K]["event"]) => void;
}

/** The page's side of the wall; the fake client in tests implements the same interface. Rejects with `StudioError`. */
export interface StudioClient {
  call<K extends CallName>(call: K, input: Calls[K]["in"], options?: CallOptions<K>): Promise<Calls[K]["out"]>;
  onDeviceLost(listener: (reason: string) => void): () => void;
}

/** What the worker implements: one handler per call, so a missing one does not compile. */
export type Handlers = {
  [K in CallName]: (
    input: Calls[K]["in"],
    emit: (event: Calls[K]["event"]) => void,
    signal: AbortSignal,
  ) => Promise<Calls[K]["out"]>;
};
