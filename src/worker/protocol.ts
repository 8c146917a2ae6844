/** Everything that crosses between the page and the worker: types only. A call has a result, may have events, and fails with `ErrorData`. */
import type { HeldOutRows } from "../data/dataset";
import type { ProblemKind } from "../data/errors";
import type { ColumnMapping, DataOptions } from "../data/options";
import type { DataFile } from "../data/rows/types";
import type { LengthHistogram } from "../data/survey/histogram";
import type { ProblemExample } from "../data/survey/problems";
import type { RowView } from "../data/survey/row-view";
import type { Message } from "../data/tokenizer";
import type { Recipe } from "../training/recipe";
import type { MemoryPlan } from "../training/session";
import type { EvalEvent, StepEvent } from "../training/trainer";

export type { ColumnMapping, DataFile, DataOptions, LengthHistogram, MemoryPlan, ProblemKind, RowView };

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
  /** What the dataset is called: its file's name, or "3 files". */
  readonly name: string;
  /** In the order of their rows. */
  readonly files: readonly DataFile[];
  readonly options: DataOptions;
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

/** A choice among several by id, worded for a person. */
export interface Choice {
  readonly id: string;
  readonly label: string;
}

/** A shape that rows can have, as the mapping dialog shows it. */
export interface ShapeInfo extends Choice {
  readonly fields: readonly { readonly name: string; readonly label: string; readonly required: boolean }[];
}

export interface DatasetProblems {
  readonly kind: ProblemKind;
  /** Rows with this problem; estimated for all rows where the dataset's figures are no `exact` ones. */
  readonly rows: number;
  /** True where the options skip them. */
  readonly skipped: boolean;
  /** The first few. */
  readonly examples: readonly ProblemExample[];
}

export interface DatasetInfo {
  readonly name: string;
  readonly bytes: number;
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly rows: number;
    readonly format: Choice;
  }[];
  /** Formats that may read these files, best first. */
  readonly formats: readonly Choice[];
  /** Rows in the files. */
  readonly rows: number;
  /** Columns of the first rows; empty where rows are no objects. */
  readonly columns: readonly string[];
  /** What the rows were taken for; null where none fits, so that a mapping is needed. */
  readonly shape: Choice | null;
  readonly shapes: readonly ShapeInfo[];
  /** A guess from the column names where `shape` is null or guessed: the mapping dialog begins with it. */
  readonly suggestion: ColumnMapping | null;
  readonly templates: readonly Choice[];
  /** One sentence where the chosen template does not suit the model. */
  readonly templateWarning?: string | null;
  /** Rows that were tokenized for the figures below; fewer than `rows` where the dataset is too large to look at all of it. */
  readonly surveyedRows: number;
  /** True where every row was looked at. Otherwise the figures below are for all rows, estimated from a seeded sample. */
  readonly exact: boolean;
  /** Tokenized rows that a run sees: rows less the dropped ones, plus the parts of split ones; the held-out share excepted. */
  readonly examples: number;
  readonly tokens: number;
  readonly countedTokens: number;
  readonly truncatedRows: number;
  readonly droppedRows: number;
  readonly splitRows: number;
  /** Rows whose tokens an earlier row has too; where not `exact`, those among the surveyed rows. */
  readonly duplicateRows: number;
  /** Rows held out by `evalShare`. */
  readonly heldOutRows: number;
  /** Held-out rows whose tokens a trained row has too: they measure what was learned by heart. Counted as `duplicateRows`. */
  readonly sharedHeldOutRows: number;
  /** Longest row in tokens, after the policy for long rows. */
  readonly longestRow: number;
  /** Of the surveyed rows, in tokens, before the policy for long rows. */
  readonly histogram: LengthHistogram;
  /** The recipe's, or the smaller one that was asked for with `fitMaxLength`. */
  readonly maxLength: number;
  /** By falling count of rows. */
  readonly problems: readonly DatasetProblems[];
  /** What of the files is not read, one sentence each. */
  readonly notes: readonly string[];
  /** Null: a run may start. Otherwise one sentence: what stands in its way and what to do. */
  readonly refusal: string | null;
  /** Optimizer steps that the recipe gives on these rows. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** The first rows as the model will see them. */
  readonly preview: readonly RowView[];
}

export interface ProgressEvent {
  /** "reading weights", "compiling shaders", … */
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** Rows found so far, while a dataset is read. */
  readonly rows?: number;
}

export type InspectEvent =
  | { readonly kind: "progress"; readonly progress: ProgressEvent }
  /** The first rows, long before a large file has been gone through. */
  | { readonly kind: "head"; readonly rows: readonly RowView[] };

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
  /** Rows longer than the given length, which lost a part. */
  readonly truncatedRows: number;
  /** Rows with a problem, which were not measured. */
  readonly leftOutRows: number;
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
