/** What an export target is: one file per target beside this one. Pure bytes; runs in Node. */
import type { Adapter } from "../training/adapter";
import type { Recipe } from "../training/recipe";

/** A linear module that an adapter may sit on. */
export interface BaseModule {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** A `Conv1D` of transformers (GPT-2), whose weight is [in, out]; PEFT calls it fan_in_fan_out. */
  readonly conv1d?: boolean;
}

export interface BaseModel {
  /** Hugging Face id where there is one, else the folder's name. */
  readonly name: string;
  /** Commit of the hub repository; null where unknown. */
  readonly revision: string | null;
  readonly modelType: string;
  /** Weight format that the adapter was trained on: "onnx" (4-bit), "safetensors". */
  readonly weightFormat: string;
  /** Licence name as the model states it; null where unknown. */
  readonly license: string | null;
  /** By Hugging Face path, in block order. */
  readonly modules: ReadonlyMap<string, BaseModule>;
}

/** How the adapter came about; `RunSummary` fits. */
export interface RunFacts {
  readonly dataset: string;
  readonly datasetRows?: number | null;
  readonly recipe: Recipe;
  /** ISO 8601. */
  readonly created: string;
  readonly steps: number;
  /** Training loss of each step. */
  readonly losses: readonly number[];
  /** Held-out loss before and after; null without an eval file. */
  readonly evalBefore: number | null;
  readonly evalAfter: number | null;
  readonly tokens: number;
}

export interface ExportContext {
  readonly base: BaseModel;
  /** null for an adapter that was made elsewhere. */
  readonly run: RunFacts | null;
  /** Jinja text of the chat template that the adapter was trained with; null or absent where it is the base model's own. */
  readonly chatTemplate?: string | null;
}

export interface ExportFile {
  /** Relative to the exported folder. */
  readonly path: string;
  readonly blob: Blob;
}

export interface ExportTarget {
  readonly id: string;
  readonly label: string;
  /** Why this adapter cannot be written, in one sentence; null where it can. */
  refuse(adapter: Adapter, context: ExportContext): string | null;
  /** Throws `AdapterError` with what `refuse` says. */
  write(adapter: Adapter, context: ExportContext): Promise<readonly ExportFile[]>;
}
