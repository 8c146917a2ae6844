/** The one open model of the worker, with its folder and tokenizer, and the device under it. */
import type { Tokenizer } from "../data/tokenizer";
import { type Device, openDevice } from "../engine/device";
import { DeviceError, OutOfMemoryError } from "../engine/errors";
import type { BaseModel } from "../export/types";
import type { Blueprint } from "../model/architecture";
import { adapterModules, readBlueprint } from "../model/blueprint";
import { type LoadedModel, loadModel } from "../model/load";
import { loadTokenizer } from "../model/tokenizer";
import { openWeights } from "../model/weights/registry";
import type { ModelFiles, WeightSource } from "../model/weights/types";
import { checkKernels } from "../training/kernel-check";
import { StudioError } from "./errors";
import { type ModelFolder, openModelFolder } from "./model-sources";
import type { KernelCheckSummary, ModelInfo, ModelSource, ProgressEvent, Quantization, ReaderInfo } from "./protocol";
import { type Reader, readerInfo, readReader } from "./reader";

/** Who works on the GPU holds it, in whatever tab. */
export const gpuLock = "tabtune-gpu";

/** ONNX variants that onnxruntime computes from the same values as we do, by transformers.js' names for them. */
export type OnnxDtype = "q4" | "fp32" | "bnb4";
const onnxDtypes: ReadonlyMap<string, OnnxDtype> = new Map([
  ["onnx/model_q4.onnx", "q4"],
  ["onnx/model.onnx", "fp32"],
  ["onnx/model_bnb4.onnx", "bnb4"],
]);

export interface OpenModel {
  readonly device: Device;
  readonly model: LoadedModel;
  readonly tokenizer: Tokenizer;
  readonly files: ModelFiles;
  /** dtype of transformers.js for the ONNX file that is open; null where onnxruntime cannot give a second opinion on it. */
  readonly onnxDtype: OnnxDtype | null;
  readonly info: ModelInfo;
  readonly base: BaseModel;
}

/** A model that can be loaded: everything but its weights is read. */
export interface PreparedModel {
  readonly device: Device;
  readonly folder: ModelFolder;
  readonly blueprint: Blueprint;
  readonly tokenizer: Tokenizer;
  readonly weights: WeightSource;
}

interface Checked {
  readonly device: Device;
  readonly model: LoadedModel;
}

type Checker = "kernel check" | "onnxruntime";
type Emit = (event: ProgressEvent) => void;

export class ModelSlot {
  readonly #siteRoot: URL;
  readonly #onDeviceLost: (reason: string) => void;
  #device: Promise<Device> | null = null;
  #open: OpenModel | null = null;
  /** Stands in for a model where none is open. */
  #reader: Reader | null = null;
  readonly #faults = new Map<Checker, string>();
  #toCheck: Checked | null = null;

  constructor(siteRoot: URL, onDeviceLost: (reason: string) => void) {
    this.#siteRoot = siteRoot;
    this.#onDeviceLost = onDeviceLost;
  }

  /** Opens the device at the first call, and again after it was lost. Throws `DeviceError`. */
  device(): Promise<Device> {
    this.#device ??= this.#openDevice();
    return this.#device;
  }

  async #openDevice(): Promise<Device> {
    try {
      const device = await openDevice(navigator.gpu);
      void device.lost.then((reason) => {
        this.#device = null;
        // Rows are read on: that takes no device.
        if (this.#open) this.#reader = { tokenizer: this.#open.tokenizer, info: this.#open.info };
        this.#open = null;
        this.#onDeviceLost(reason);
      });
      return device;
    } catch (error) {
      this.#device = null;
      throw error;
    }
  }

  /** Throws `StudioError` where no model is open. */
  get current(): OpenModel {
    if (!this.#open) throw new StudioError("bad-input", "No model is open; choose one first.");
    return this.#open;
  }

  /** What data is read with. Throws `StudioError` where there is neither a model nor a reader. */
  get reader(): Reader {
    return this.#open ?? this.#reader ?? this.current;
  }

  /** Neither opens the device nor reads weights. Throws `ModelError`, `TokenizerError`. */
  async openReader(source: ModelSource, emit: Emit, signal: AbortSignal): Promise<ReaderInfo> {
    const folder = await openModelFolder(source, { siteRoot: this.#siteRoot, emit, signal });
    try {
      const reader = await readReader(folder.files);
      signal.throwIfAborted();
      this.#reader = reader;
      return reader.info;
    } finally {
      folder.release();
    }
  }

  /** Throws the signal's reason, `DeviceError`. Whoever calls has the GPU. */
  async #check({ device, model }: Checked, emit: Emit, signal: AbortSignal): Promise<KernelCheckSummary> {
    const onProgress = (done: number, total: number): void => emit({ phase: "checking the kernels", done, total });
    try {
      const checked = await checkKernels(device, model, { signal, onProgress });
      this.#toCheck = null;
      this.hears("kernel check", checked.reason);
      return checked;
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      // It may still answer, and train if the run finds room.
      this.#toCheck = null;
      return unchecked("Nothing was checked, since the GPU has no room for it beside the weights.");
    }
  }

  /**
   * Under the lock that a run takes; put off where another tab has it. Throws as `#check`.
   */
  #checkIfFree(checked: Checked, emit: Emit, signal: AbortSignal): Promise<KernelCheckSummary> {
    return navigator.locks.request(gpuLock, { ifAvailable: true }, (lock) => {
      if (lock) return this.#check(checked, emit, signal);
      this.#toCheck = checked;
      return unchecked("Another tab of Tabtune has the GPU, so the numbers are checked before the first run.");
    });
  }

  /**
   * Throws `StudioError` where a check of the open model's numbers failed: nothing is trained on wrong kernels. A check that
   * was put off is made now; whoever calls has the GPU.
   */
  async requireTrusted(emit: Emit, signal: AbortSignal): Promise<void> {
    if (this.#toCheck) await this.#check(this.#toCheck, emit, signal);
    for (const reason of this.#faults.values()) throw new StudioError("gpu", reason);
  }

  /** What a check says of the open model: while `reason`, one sentence, stands, it is not trained. */
  hears(checker: Checker, reason: string | null): void {
    if (reason === null) this.#faults.delete(checker);
    else this.#faults.set(checker, reason);
  }

  /** Downloads what is not here; config, tokenizer and headers are read and checked. The open model stays open. */
  async prepare(source: ModelSource, emit: Emit, signal: AbortSignal): Promise<PreparedModel> {
    const device = await this.device();
    emit({ phase: "reading the model folder", done: 0, total: 0 });
    const folder = await openModelFolder(source, { siteRoot: this.#siteRoot, emit, signal });
    try {
      const blueprint = await readBlueprint(folder.files);
      const tokenizer = await loadTokenizer(folder.files);
      const weights = await openWeights(folder.files, blueprint.tensors);
      signal.throwIfAborted();
      return { device, folder, blueprint, tokenizer, weights };
    } catch (error) {
      folder.release();
      throw error;
    }
  }

  /** In place of the model that is open now. */
  async load(
    prepared: PreparedModel,
    quantization: Quantization | null,
    emit: Emit,
    signal: AbortSignal,
  ): Promise<ModelInfo> {
    try {
      return await this.#load(prepared, quantization, emit, signal);
    } finally {
      prepared.folder.release();
    }
  }

  async #load(
    { device, folder, blueprint, tokenizer, weights }: PreparedModel,
    quantization: Quantization | null,
    emit: Emit,
    signal: AbortSignal,
  ): Promise<ModelInfo> {
    const { files, base: baseName, revision, notes } = folder;
    this.#open?.model.destroy();
    this.#open = null;
    // Where the weights do not come in, data is read with what is here of the model.
    this.#reader = { tokenizer, info: readerInfo(files, blueprint, tokenizer) };
    this.#faults.clear();
    this.#toCheck = null;
    const model = await loadModel(device, blueprint, weights, {
      quantization,
      signal,
      onProgress: (done, total) => emit({ phase: "loading weights", done, total }),
    });
    let kernelCheck: KernelCheckSummary;
    try {
      kernelCheck = await this.#checkIfFree({ device, model }, emit, signal);
    } catch (error) {
      model.destroy();
      throw error;
    }
    // A device that went away meanwhile takes the weights with it.
    if ((await this.#device) !== device) {
      model.destroy();
      throw new DeviceError("lost", "The GPU device was lost while the model was loading; open the model again.");
    }
    const onnxDtype = secondOpinion(weights, model);
    const { config } = blueprint;
    const info: ModelInfo = {
      ...readerInfo(files, blueprint, tokenizer),
      modelType: config.modelType,
      weightFormat: `${commonForm(model)} ${weights.format}${heldNote(weights)}`,
      parameters: model.parameters,
      hiddenSize: config.hiddenSize,
      layers: config.numLayers,
      weightBytes: model.bytes,
      quantization: model.tensors.some(changedOnLoad) ? quantization : null,
      canSelfCheck: onnxDtype !== null,
      kernelCheck,
      notes,
    };
    const base: BaseModel = {
      name: baseName,
      revision,
      modelType: config.modelType,
      weightFormat: weights.format,
      license: null,
      modules: adapterModules(blueprint),
    };
    this.#open = { device, model, tokenizer, files, onnxDtype, info, base };
    this.#reader = null;
    return info;
  }
}

function unchecked(leftOut: string): KernelCheckSummary {
  const none = { tokens: 0, relativeDifference: 0, top1Agreement: 1, lossDifference: 0, gradientDifference: 0 };
  return { ...none, milliseconds: 0, agrees: true, reason: null, leftOut };
}

/** What the file stores in another form than the model holds. */
function heldNote({ held = [] }: WeightSource): string {
  return held.length === 0 ? "" : ` (${held.join(", ")})`;
}

/** The form that most matrices of the blocks are stored in. */
function commonForm({ matrices }: LoadedModel): string {
  const counts = new Map<string, number>();
  for (const { form } of matrices.values()) counts.set(form, (counts.get(form) ?? 0) + 1);
  return [...counts].reduce((most, entry) => (entry[1] > most[1] ? entry : most), ["", 0])[0];
}

/** Of the very file that was opened, as it is: weights that were quantized on load are others than onnxruntime's. */
function secondOpinion({ path }: WeightSource, model: LoadedModel): OnnxDtype | null {
  if (path === undefined || model.tensors.some(changedOnLoad)) return null;
  return onnxDtypes.get(path) ?? null;
}

const changedOnLoad = ({ spec, info, layout }: LoadedModel["tensors"][number]): boolean =>
  spec.shape.length > 1 && info.form !== layout.form;
