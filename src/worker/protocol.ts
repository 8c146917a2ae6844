/** Everything that crosses between the page and the worker: types only. A call has a result, may have events, and fails with `ErrorData`. */
import type { HeldOutRows } from "../data/dataset";
import type { Recipe } from "../training/recipe";
import type { MemoryPlan } from "../training/session";
import type { EvalEvent, StepEvent } from "../training/trainer";
import type {
  DataFile,
  DataOptions,
  DataSource,
  DatasetInfo,
  InspectEvent,
  ProblemKind,
  RowView,
} from "./protocol/data";
import type {
  CachedModels,
  CatalogueModel,
  DeviceInfo,
  FoundModel,
  ModelInfo,
  ModelOutline,
  ModelSource,
  Quantization,
  ReaderInfo,
  SelfCheckSummary,
} from "./protocol/model";
import type { ProgressEvent } from "./protocol/progress";
import type { TargetModule } from "./protocol/settings";
import type {
  EvaluatedRows,
  EvaluateRowsEvent,
  EvaluateRowsRequest,
  GenerateRequest,
  GenerateSummary,
  TokenEvent,
} from "./protocol/trial";

export type * from "./protocol/data";
export type * from "./protocol/model";
export type * from "./protocol/progress";
export type * from "./protocol/settings";
export type * from "./protocol/trial";
export type { MemoryPlan };

export type RunId = string;

/** The two files of a PEFT adapter folder. */
export interface AdapterFiles {
  readonly config: Blob;
  readonly weights: Blob;
}

/** Answers during a run that show what it has learned so far: greedy, with the adapter as it is at that step. */
export interface SampleRequest {
  /** A user's turn where the model has a chat template, else text to continue. */
  readonly prompts: readonly string[];
  /** Steps between two samplings; null: at the start, each quarter and the end. */
  readonly every: number | null;
  readonly maxNewTokens: number;
}

export interface SampleEvent {
  readonly kind: "sample";
  /** Steps finished. */
  readonly step: number;
  readonly prompt: string;
  readonly text: string;
}

/** Said once: a sampling failed, and the run goes on without any more of them. */
export interface SamplesSkippedEvent {
  readonly kind: "samples-skipped";
  readonly step: number;
  readonly error: ErrorData;
}

/** A line of a kept run's log. */
export type RunLogEvent = StepEvent | EvalEvent | SampleEvent;

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
  | EvalEvent
  | SampleEvent
  | SamplesSkippedEvent;

export interface RunSummary {
  readonly id: RunId;
  readonly name: string;
  readonly model: string;
  readonly dataset: string;
  /** How the dataset was read. Absent in runs of earlier versions and in adapters from elsewhere. */
  readonly dataOptions?: DataOptions;
  /** Rows with a problem that the run did not learn from; absent where `dataOptions` is. */
  readonly leftOutRows?: number;
  /** The rows that measured the run before and after. Null without any; absent in runs of earlier versions. */
  readonly heldOut?: HeldOutRows | null;
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
  /** What the user wrote about the run; absent or "" for nothing. */
  readonly note?: string;
}

export interface RunUpdate {
  readonly run: RunId;
  /** One that no other run has. */
  readonly name?: string;
  readonly note?: string;
}

export interface RunsExport extends ExportInfo {
  /** Runs that could not be written, each with the reason. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}

export interface ImportedAdapters {
  readonly runs: readonly RunSummary[];
  /** One sentence for each adapter that could not be used. */
  readonly refused: readonly string[];
  /** One sentence for each run file of which nothing, or not all, could be taken. */
  readonly notes: readonly string[];
}

export interface EvaluateSummary {
  /** Token-weighted mean cross-entropy in nats. */
  readonly loss: number;
  readonly perplexity: number;
  readonly countedTokens: number;
  readonly rows: number;
  /** Rows longer than the given length, which lost a part. */
  readonly truncatedRows: number;
  /** Rows with a problem, which were not measured. */
  readonly leftOutRows: number;
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
  openModel: {
    in: {
      readonly source: ModelSource;
      /** For floating-point weights; null or absent keeps them as the file has them. */
      readonly quantization?: Quantization | null;
    };
    out: ModelInfo;
    event: ProgressEvent;
  };
  /** For the calls about data where no device opens: takes neither GPU nor weights. A model that is open goes before it. */
  openReader: { in: { readonly source: ModelSource }; out: ReaderInfo; event: ProgressEvent };
  /** What a hub id or an address that the user typed stands for. The first call that leaves this device. */
  lookUpModel: { in: { readonly address: string }; out: FoundModel; event: never };
  /** Reads headers, no weights; what is not on this device is judged by its config. */
  outlineModel: {
    in: { readonly source: ModelSource; readonly recipe: Recipe; readonly memoryBudget: number };
    out: ModelOutline;
    event: ProgressEvent;
  };
  /** Models that are known to train well; no request leaves this device for it. */
  listCatalogue: {
    in: { readonly recipe: Recipe; readonly memoryBudget: number };
    out: readonly CatalogueModel[];
    event: never;
  };
  /** Downloaded models, whole or in part. */
  storedModels: { in: Record<never, never>; out: CachedModels; event: never };
  deleteStoredModel: { in: { readonly key: string }; out: null; event: never };
  inspectDataset: {
    in: {
      readonly data: DataSource;
      readonly recipe: Recipe;
      /** The user chose no max length: the recipe's is the most, and rows that are all shorter get a smaller one. */
      readonly fitMaxLength?: boolean;
      /** The run's held-out data: `fitMaxLength` fits to its rows too, where they can be read. */
      readonly evalData?: DataSource | null;
    };
    out: DatasetInfo;
    event: InspectEvent;
  };
  /** Rows of the dataset inspected last: a page of them, or of those with one kind of problem. */
  viewRows: {
    in: { readonly from: number; readonly count: number; readonly problem: ProblemKind | null };
    out: { readonly rows: readonly RowView[]; readonly total: number };
    event: never;
  };
  /** Rows of a run's held-out data whose tokens a row of its training data has too. */
  overlap: {
    in: { readonly data: DataSource; readonly evalData: DataSource; readonly recipe: Recipe };
    out: {
      /** For all held-out rows; the least that there can be where not `exact`. */
      readonly rows: number;
      /** Held-out rows that were compared. */
      readonly comparedRows: number;
      /** True where every row of both was compared. */
      readonly exact: boolean;
      /** The first few, with their lines in the held-out data. */
      readonly examples: readonly RowView[];
    };
    event: ProgressEvent;
  };
  /** For the dataset inspected last, or for full rows before one was. */
  plan: { in: { readonly recipe: Recipe }; out: MemoryPlan; event: never };
  /** The open model's modules that LoRA can target. */
  targetModules: { in: Record<never, never>; out: readonly TargetModule[]; event: never };
  /** Two or three real steps on the dataset inspected last, thrown away. Any other call that needs the GPU ends it. */
  calibrate: {
    in: { readonly recipe: Recipe };
    out: {
      /** Of a step with the run's mean number of tokens. */
      readonly millisecondsPerStep: number;
      readonly tokensPerSecond: number;
      /** Of the whole run. */
      readonly steps: number;
    };
    event: ProgressEvent;
  };
  train: {
    in: {
      readonly recipe: Recipe;
      readonly data: DataSource;
      readonly evalData: DataSource | null;
      readonly initAdapter: AdapterFiles | null;
      /** Absent: none. They change nothing of what is learned. */
      readonly samples?: SampleRequest | null;
    };
    out: RunSummary;
    event: TrainEvent;
  };
  evaluate: {
    in: { readonly data: DataSource; readonly maxLength: number; readonly run: RunId | null };
    out: EvaluateSummary;
    event: ProgressEvent;
  };
  /** Row by row, under the base model and under the run. */
  evaluateRows: { in: EvaluateRowsRequest; out: EvaluatedRows; event: EvaluateRowsEvent };
  /** All logits over one document of token ids: for checks against other implementations. */
  logits: { in: { readonly ids: readonly number[]; readonly run: RunId | null }; out: LogitsSummary; event: never };
  generate: { in: GenerateRequest; out: GenerateSummary; event: TokenEvent };
  /** Keeps an adapter made elsewhere as a run of its own, checked against the open model. */
  importAdapter: { in: { readonly name: string; readonly files: AdapterFiles }; out: RunSummary; event: never };
  exportAdapter: { in: { readonly run: RunId; readonly target: string }; out: ExportInfo; event: never };
  /**
   * Dropped or picked files: PEFT folders, or zips of them. What `exportRuns` wrote comes back as the run that
   * it was; `exportAdapter` leaves the history out. Fails with a sentence where not one adapter could be kept.
   */
  importAdapters: { in: { readonly files: readonly DataFile[] }; out: ImportedAdapters; event: never };
  listRuns: { in: Record<never, never>; out: readonly RunSummary[]; event: never };
  updateRun: { in: RunUpdate; out: RunSummary; event: never };
  /** In the order of training; read without the adapter. */
  runLog: { in: { readonly run: RunId }; out: readonly RunLogEvent[]; event: never };
  /** One zip with a PEFT folder and the log for each; null: all runs. */
  exportRuns: { in: { readonly runs: readonly RunId[] | null }; out: RunsExport; event: ProgressEvent };
  /** Off the list at once and for good within a minute, unless `restoreRuns` brings them back. */
  hideRuns: { in: { readonly runs: readonly RunId[] }; out: null; event: never };
  restoreRuns: { in: { readonly runs: readonly RunId[] }; out: null; event: never };
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
