/** Models as they cross between page and worker: where they come from, whether they fit, what is open. */
import type { CatalogueEntry } from "../../hub/catalogue";
import type { FoundModel } from "../../hub/types";
import type { Quantization } from "../../model/quantize/index";
import type { MemoryPlan } from "../../training/session";

export type { CachedModel, CachedModels, DownloadProgress, FoundModel, Variant } from "../../hub/types";
export type { Quantization };

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
  | { readonly kind: "url"; readonly name: string; readonly base: string; readonly paths: readonly string[] }
  /** What `lookUpModel` found on the hub or at an address; downloaded where it is not on this device yet. */
  | { readonly kind: "found"; readonly model: FoundModel; readonly variant: string }
  /** One of `storedModels`; needs no connection. */
  | { readonly kind: "stored"; readonly key: string; readonly variant: string };

export interface DeviceInfo {
  /** "apple metal-3", "google swiftshader", … */
  readonly name: string;
  /** True for a software adapter: training works and is slow. */
  readonly isFallback: boolean;
  readonly features: readonly string[];
  readonly maxBufferSize: number;
}

/** Whether a model can be trained here, judged before it is loaded. */
export interface Fit {
  /** "unknown": what decides is in the file, which is not here yet. */
  readonly verdict: "fits" | "tight" | "too-large" | "unsupported" | "unknown";
  /** In words, with the figures that decide. */
  readonly sentence: string;
}

/** One way to hold the weights on the GPU. */
export interface WeightChoice {
  /** Null: as the file has them. */
  readonly quantization: Quantization | null;
  readonly label: string;
  readonly description: string;
  readonly weightBytes: number;
  /** For the given recipe with full rows; null where the architecture is not known yet. */
  readonly memory: MemoryPlan | null;
  readonly fit: Fit;
}

/** A model before it is loaded. */
export interface ModelOutline {
  readonly name: string;
  /** Null where only the file, which is not here yet, says it. */
  readonly modelType: string | null;
  readonly parameters: number | null;
  /** How the file has most matrices: "bf16", "int4". */
  readonly storedForm: string;
  /** True where the sizes come from the file itself, false where from the config and the variant's name. */
  readonly exact: boolean;
  /** As it is first, then those that floating-point weights can be quantized to. */
  readonly choices: readonly WeightChoice[];
}

export interface CatalogueModel extends CatalogueEntry {
  readonly parameters: number;
  /** Some variant of it is on this device whole. */
  readonly stored: boolean;
  /** Of its preferred variant, as the file has it. */
  readonly fit: Fit;
}

/** Our kernels against plain arithmetic in float64, on this device and with this model's weights. */
export interface KernelCheckSummary {
  readonly tokens: number;
  /** ‖ours − theirs‖ / ‖theirs‖ over all logits. */
  readonly relativeDifference: number;
  /** Share of positions where both put the same token first. */
  readonly top1Agreement: number;
  /** Of the loss of a small adapter. */
  readonly lossDifference: number;
  /** Of that loss's directional derivative. */
  readonly gradientDifference: number;
  readonly milliseconds: number;
  readonly agrees: boolean;
  /** One sentence where it does not agree: which part, by how much, allowed how much. */
  readonly reason: string | null;
  /** One sentence where a large model was checked in part. */
  readonly leftOut: string | null;
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
  /** What floating-point weights were quantized to on load; null where nothing was. */
  readonly quantization: Quantization | null;
  /** Module names that LoRA can target, in block order. */
  readonly loraTargets: readonly string[];
  readonly hasChatTemplate: boolean;
  /** The rate a run starts with where the user gives none. */
  readonly defaultLearningRate: number;
  /** An ONNX file is at hand that onnxruntime can run, so `selfCheck` can. */
  readonly canSelfCheck: boolean;
  /** Made when the model was opened. Training is refused where it does not agree. */
  readonly kernelCheck: KernelCheckSummary;
  /** What the user should know of the download, one sentence each. */
  readonly notes: readonly string[];
}

/** What is known of a model by its tokenizer and config alone. */
export type ReaderInfo = Pick<
  ModelInfo,
  "name" | "vocabSize" | "maxPositions" | "loraTargets" | "hasChatTemplate" | "defaultLearningRate"
>;

/** The same file and prompt through onnxruntime-web. */
export interface SelfCheckSummary {
  readonly prompt: string;
  readonly tokens: number;
  /** ‖ours − theirs‖ / ‖theirs‖ over all logits. */
  readonly relativeDifference: number;
  /** Share of positions where both put the same token first. */
  readonly top1Agreement: number;
  /** True where the difference is small enough to trust the kernels (≤ 1e-3). Training is refused where it is not. */
  readonly agrees: boolean;
}
