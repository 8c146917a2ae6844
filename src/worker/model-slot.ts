/** The one open model of the worker, with its folder and tokenizer, and the device under it. */
import type { Tokenizer } from "../data/tokenizer";
import { type Device, openDevice } from "../engine/device";
import { DeviceError, OutOfMemoryError } from "../engine/errors";
import type { BaseModel } from "../export/types";
import { adapterModules, readBlueprint } from "../model/blueprint";
import { type LoadedModel, loadModel } from "../model/load";
import { loadTokenizer } from "../model/tokenizer";
import { openWeights } from "../model/weights/registry";
import type { ModelFiles, WeightSource } from "../model/weights/types";
import { checkKernels } from "../training/kernel-check";
import { defaultLearningRate } from "../training/recipe";
import { StudioError } from "./errors";
import { openModelFolder } from "./model-sources";
import type { Calls, KernelCheckSummary, ModelInfo, ProgressEvent } from "./protocol";

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

export class ModelSlot {
  readonly #siteRoot: URL;
  readonly #onDeviceLost: (reason: string) => void;
  #device: Promise<Device> | null = null;
  #open: OpenModel | null = null;
  #distrust: string | null = null;

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

  /** Under the lock that a run takes; not made where another tab has the GPU or there is no room for it. */
  async #check(
    device: Device,
    model: LoadedModel,
    emit: (event: ProgressEvent) => void,
    signal: AbortSignal,
  ): Promise<KernelCheckSummary> {
    const onProgress = (done: number, total: number): void => emit({ phase: "checking the kernels", done, total });
    const checked = await navigator.locks.request(gpuLock, { ifAvailable: true }, async (lock) => {
      if (!lock) return unchecked("another tab of Tabtune has the GPU");
      try {
        return await checkKernels(device, model, { signal, onProgress });
      } catch (error) {
        if (error instanceof OutOfMemoryError) return unchecked("the GPU has no room for it beside the weights");
        throw error;
      }
    });
    this.#distrust = checked.agrees ? null : checked.reason;
    return checked;
  }

  /** Throws `StudioError` where a check of the open model's numbers failed: nothing is trained on wrong kernels. */
  requireTrusted(): void {
    if (this.#distrust !== null) throw new StudioError("gpu", this.#distrust);
  }

  /** From now on the open model is not trained; `reason` is one sentence. */
  distrust(reason: string): void {
    this.#distrust = reason;
  }

  /** Config, tokenizer and headers are checked before the model that is open now is given up. */
  async open(
    { source, quantization = null }: Calls["openModel"]["in"],
    emit: (event: ProgressEvent) => void,
    signal: AbortSignal,
  ): Promise<ModelInfo> {
    const device = await this.device();
    emit({ phase: "reading the model folder", done: 0, total: 0 });
    const { files, revision } = await openModelFolder(source, { siteRoot: this.#siteRoot, emit, signal });
    const blueprint = await readBlueprint(files);
    const tokenizer = await loadTokenizer(files);
    const weights = await openWeights(files, blueprint.tensors);
    signal.throwIfAborted();
    this.#open?.model.destroy();
    this.#open = null;
    this.#distrust = null;
    const model = await loadModel(device, blueprint, weights, {
      quantization,
      signal,
      onProgress: (done, total) => emit({ phase: "loading weights", done, total }),
    });
    let kernelCheck: KernelCheckSummary;
    try {
      kernelCheck = await this.#check(device, model, emit, signal);
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
      name: files.name,
      modelType: config.modelType,
      weightFormat: `${commonForm(model)} ${weights.format}${heldNote(weights)}`,
      parameters: model.parameters,
      hiddenSize: config.hiddenSize,
      layers: config.numLayers,
      vocabSize: config.vocabSize,
      maxPositions: config.maxPositions,
      weightBytes: model.bytes,
      quantization: model.tensors.some(changedOnLoad) ? quantization : null,
      loraTargets: blueprint.adapterTargets,
      hasChatTemplate: tokenizer.hasChatTemplate,
      defaultLearningRate: defaultLearningRate(config.hiddenSize),
      canSelfCheck: onnxDtype !== null,
      kernelCheck,
    };
    const base: BaseModel = {
      name: files.name,
      revision,
      modelType: config.modelType,
      weightFormat: weights.format,
      license: null,
      modules: adapterModules(blueprint),
    };
    this.#open = { device, model, tokenizer, files, onnxDtype, info, base };
    return info;
  }
}

/** A model that was not checked may still answer and train: a run that finds no room says so itself. */
function unchecked(why: string): KernelCheckSummary {
  return {
    tokens: 0,
    relativeDifference: 0,
    top1Agreement: 1,
    lossDifference: 0,
    gradientDifference: 0,
    milliseconds: 0,
    agrees: true,
    reason: null,
    leftOut: `Nothing was checked, since ${why}; open the model again to check it.`,
  };
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
