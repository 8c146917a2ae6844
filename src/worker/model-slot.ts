/** The one open model of the worker, with its folder and tokenizer, and the device under it. */
import type { Tokenizer } from "../data/tokenizer";
import { type Device, openDevice } from "../engine/device";
import { DeviceError } from "../engine/errors";
import type { BaseModel } from "../export/types";
import { architectureOf, architectures } from "../model/architectures/index";
import { readConfig } from "../model/config";
import { filesFolder, httpFolder } from "../model/folder";
import { ggufFolder } from "../model/gguf-folder";
import { type LoadedModel, loadModel } from "../model/load";
import { loadTokenizer } from "../model/tokenizer";
import { openWeights } from "../model/weights/registry";
import type { ModelFiles, WeightSource } from "../model/weights/types";
import { defaultLearningRate } from "../training/recipe";
import { StudioError } from "./errors";
import type { ModelInfo, ModelSource, ProgressEvent } from "./protocol";

/** What a folder in public/models/ holds. */
const embeddedFiles = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "onnx/model_q4.onnx",
] as const;

/** The file that onnxruntime-web can run as a second opinion. */
const secondOpinionFile = "onnx/model_q4.onnx";

export interface OpenModel {
  readonly device: Device;
  readonly model: LoadedModel;
  readonly tokenizer: Tokenizer;
  readonly files: ModelFiles;
  readonly info: ModelInfo;
  readonly base: BaseModel;
}

export class ModelSlot {
  readonly #siteRoot: URL;
  readonly #onDeviceLost: (reason: string) => void;
  #device: Promise<Device> | null = null;
  #open: OpenModel | null = null;

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

  /** Config, tokenizer and headers are checked before the model that is open now is given up. */
  async open(source: ModelSource, emit: (event: ProgressEvent) => void, signal: AbortSignal): Promise<ModelInfo> {
    const device = await this.device();
    emit({ phase: "reading the model folder", done: 0, total: 0 });
    const files = await this.#folder(source);
    const config = await readConfig(files, [...architectures.keys()]);
    const tokenizer = await loadTokenizer(files);
    const weights = await openWeights(files);
    signal.throwIfAborted();
    this.#open?.model.destroy();
    this.#open = null;
    const architecture = architectureOf(config.modelType);
    const model = await loadModel(device, config, architecture, weights, {
      signal,
      onProgress: (done, total) => emit({ phase: "loading weights", done, total }),
    });
    // A device that went away meanwhile takes the weights with it.
    if ((await this.#device) !== device) {
      model.destroy();
      throw new DeviceError("lost", "The GPU device was lost while the model was loading; open the model again.");
    }
    const targeted = (module: string) =>
      architecture.adapterTargets.includes(module.slice(module.lastIndexOf(".") + 1));
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
      loraTargets: architecture.adapterTargets,
      hasChatTemplate: tokenizer.hasChatTemplate,
      defaultLearningRate: defaultLearningRate(config.hiddenSize),
      canSelfCheck: files.paths.includes(secondOpinionFile),
    };
    const base: BaseModel = {
      name: files.name,
      revision: null,
      modelType: config.modelType,
      weightFormat: weights.format,
      license: null,
      modules: new Map(
        [...model.matrices]
          .filter(([module]) => targeted(module))
          .map(([module, { rows, columns }]) => [module, { inFeatures: columns, outFeatures: rows }]),
      ),
    };
    this.#open = { device, model, tokenizer, files, info, base };
    return info;
  }

  async #folder(source: ModelSource): Promise<ModelFiles> {
    switch (source.kind) {
      case "embedded": {
        const base = new URL(`models/${encodeURIComponent(source.id)}/`, this.#siteRoot);
        return httpFolder(source.id, base.href, embeddedFiles);
      }
      case "files":
        return (await ggufFolder(source.files)) ?? filesFolder(source.name, source.files);
      case "url":
        return httpFolder(source.name, source.base, source.paths);
      default:
        return source satisfies never;
    }
  }
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
