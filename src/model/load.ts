/** A model's frozen weights on the GPU, in the form that the file's reader gives: none is changed, vectors become f32. */
import type { Device } from "../engine/device";
import { bufferTensor, type Tensor } from "../engine/tensor";
import type { FrozenMatrix } from "../ops/lib/frozen";
import type { Architecture, TensorSpec } from "./architecture";
import type { ModelConfig } from "./config";
import { ModelError } from "./errors";
import { toFloat32 } from "./weights/bytes";
import type { WeightData, WeightSource } from "./weights/types";

export interface LoadedModel {
  readonly config: ModelConfig;
  readonly architecture: Architecture;
  /** By module: "model.layers.0.self_attn.q_proj". */
  readonly matrices: ReadonlyMap<string, FrozenMatrix>;
  /** Norm weights and biases by full name, f32. */
  readonly vectors: ReadonlyMap<string, Tensor>;
  /** Maps token ids to hidden states' logits. */
  readonly output: FrozenMatrix;
  /** Distinct weights: a tied output matrix counts once. */
  readonly parameters: number;
  /** On the GPU. */
  readonly bytes: number;
  /** Frees the weights. */
  readonly destroy: () => void;
}

export interface LoadOptions {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Throws `ModelError` for a missing or misshapen tensor, `WeightsError` for broken bytes, `OutOfMemoryError`. */
export async function loadModel(
  device: Device,
  config: ModelConfig,
  architecture: Architecture,
  source: WeightSource,
  options: LoadOptions = {},
): Promise<LoadedModel> {
  const specs = architecture.tensors(config).filter((spec) => check(spec, source));
  const total = specs.reduce((sum, { name }) => sum + (source.tensors.get(name)?.bytes ?? 0), 0);
  const matrices = new Map<string, FrozenMatrix>();
  const vectors = new Map<string, Tensor>();
  const buffers: GPUBuffer[] = [];
  let parameters = 0;
  let done = 0;
  const destroy = () => {
    for (const buffer of buffers) device.free(buffer);
  };
  try {
    for (const { name, shape } of specs) {
      options.signal?.throwIfAborted();
      const weight = await source.read(name);
      // A tied output matrix may lie in the file in a form of its own; it is still the embedding.
      const repeated = config.tieWordEmbeddings && name === `${architecture.outputMatrix}.weight`;
      if (!repeated) parameters += shape.reduce((product, size) => product * size, 1);
      if (shape.length === 1) {
        vectors.set(name, await upload(device, buffers, name, floats(name, weight)));
      } else {
        const module = name.replace(/\.weight$/, "");
        matrices.set(module, await uploadMatrix(device, buffers, module, [shape[0], shape[1]], weight));
      }
      done += source.tensors.get(name)?.bytes ?? 0;
      options.onProgress?.(done, total);
    }
  } catch (error) {
    destroy();
    throw error;
  }
  const output = matrices.get(architecture.outputMatrix) ?? matrices.get(architecture.inputEmbedding);
  if (!output)
    throw new ModelError(`The model has neither ${architecture.outputMatrix} nor ${architecture.inputEmbedding}.`);
  const bytes = buffers.reduce((sum, buffer) => sum + buffer.size, 0);
  return { config, architecture, matrices, vectors, output, parameters, bytes, destroy };
}

/** False where an optional tensor is absent. */
function check(spec: TensorSpec, source: WeightSource): boolean {
  const info = source.tensors.get(spec.name);
  if (!info) {
    if (spec.optional) return false;
    throw new ModelError(
      `The ${source.format} file lacks the tensor ${spec.name}; the model's config does not fit this file, use another copy of the model.`,
    );
  }
  if (info.shape.length !== spec.shape.length || info.shape.some((size, axis) => size !== spec.shape[axis])) {
    throw new ModelError(
      `${spec.name} has the shape [${info.shape.join(", ")}] in the ${source.format} file, but the model's config asks for [${spec.shape.join(", ")}]; use another copy of the model.`,
    );
  }
  const outer = spec.shape[1];
  if (outer !== undefined && outer % 4 !== 0) {
    throw new ModelError(`${spec.name} has ${outer} columns; only multiples of 4 are supported.`);
  }
  return true;
}

function floats(name: string, weight: WeightData): Float32Array<ArrayBuffer> {
  if (weight.form === "int8" || weight.form === "int4") {
    throw new ModelError(`${name} is stored as ${weight.form}; vectors must be floating-point numbers.`);
  }
  return toFloat32(weight.form, weight.data);
}

type Uploadable = Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

async function upload(device: Device, buffers: GPUBuffer[], label: string, data: Uploadable): Promise<Tensor> {
  const [buffer] = await device.allocate([{ label, bytes: data.byteLength }]);
  if (!buffer) throw new ModelError(`${label} could not be put on the GPU.`);
  buffers.push(buffer);
  device.write(buffer, data);
  const dtype = data instanceof Float32Array ? "f32" : "u32";
  return bufferTensor(label, dtype, [buffer.size / 4], buffer);
}

async function uploadMatrix(
  device: Device,
  buffers: GPUBuffer[],
  label: string,
  [rows, columns]: readonly [number, number],
  weight: WeightData,
): Promise<FrozenMatrix> {
  const data = await upload(device, buffers, label, weight.data);
  const quantized = weight.form === "int8" || weight.form === "int4";
  const scales = quantized ? await upload(device, buffers, `${label} scales`, weight.scales) : null;
  const zeros =
    weight.form === "int4" && weight.zeros ? await upload(device, buffers, `${label} zeros`, weight.zeros) : null;
  const offsets =
    quantized && weight.offsets ? await upload(device, buffers, `${label} offsets`, bytesOf(weight.offsets)) : null;
  const group = weight.form === "int8" ? weight.group : 32;
  return { label, form: weight.form, rows, columns, data, scales, zeros, offsets, group };
}

/** The kernels read offsets as words, through the binding that zero points come by. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer, byteOffset, byteLength);
