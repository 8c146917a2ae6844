/**
 * A model's frozen weights as buffers that are named and sized and not yet there: enough to record its graphs and to know
 * what it takes, before a byte is read or allocated.
 */
import { bufferTensor, PlannedBuffer, type Tensor } from "../engine/tensor";
import { type FrozenLayout, type FrozenMatrix, frozenBytes } from "../ops/lib/frozen";
import type { Blueprint, TensorSpec } from "./architecture";
import type { ModelConfig } from "./config/model-config";
import { ModelError } from "./errors";
import { isFloat, type Quantization, quantizedLayout } from "./quantize/index";
import { nameInSource } from "./weights/names";
import type { WeightInfo, WeightSource } from "./weights/types";

/** One tensor of the file and the buffers that it goes to. */
export interface PlannedTensor {
  readonly spec: TensorSpec;
  readonly info: WeightInfo;
  /** How it lies on the GPU; vectors are f32. */
  readonly layout: FrozenLayout;
  readonly data: PlannedBuffer;
  readonly scales: PlannedBuffer | null;
  /** Zero points or offsets. */
  readonly zeros: PlannedBuffer | null;
}

export interface PlannedModel {
  readonly config: ModelConfig;
  readonly blueprint: Blueprint;
  /** By module: "model.layers.0.self_attn.q_proj". */
  readonly matrices: ReadonlyMap<string, FrozenMatrix>;
  /** Norm weights and biases by full name, f32. */
  readonly vectors: ReadonlyMap<string, Tensor>;
  /** Maps hidden states to logits over the vocabulary. */
  readonly output: FrozenMatrix;
  /** Distinct weights: a tied output matrix counts once. */
  readonly parameters: number;
  /** On the GPU. */
  readonly bytes: number;
  readonly tensors: readonly PlannedTensor[];
}

/**
 * `quantization` is for floating-point matrices alone: what the file quantized stays as it is. The embedding and the output
 * matrix, on which four bits would cost most, take int8. Throws `ModelError` for a missing or misshapen tensor.
 */
export function planModel(
  blueprint: Blueprint,
  source: WeightSource,
  quantization: Quantization | null = null,
): PlannedModel {
  const { config, inputEmbedding, outputMatrix } = blueprint;
  const matrices = new Map<string, FrozenMatrix>();
  const vectors = new Map<string, Tensor>();
  const tensors: PlannedTensor[] = [];
  let parameters = 0;
  // The input embedding comes first in every architecture.
  for (const spec of blueprint.tensors) {
    const info = found(spec, blueprint, source);
    if (!info) continue;
    const { name, shape } = spec;
    const tiedOutput = config.tieWordEmbeddings && name === `${outputMatrix}.weight`;
    // A copy of the embedding; one that was quantized on its own is another matrix and stays.
    if (tiedOutput && isFloat(info) && isFloat(tensors[0]?.info ?? info)) continue;
    if (!tiedOutput) parameters += shape.reduce((product, size) => product * size, 1);
    if (shape.length === 1) {
      const data = new PlannedBuffer(name, 4 * shape[0]);
      vectors.set(name, bufferTensor(name, "f32", [shape[0]], data));
      tensors.push({ spec, info, layout: { form: "f32" }, data, scales: null, zeros: null });
      continue;
    }
    const module = name.replace(/\.weight$/, "");
    const byToken = module === inputEmbedding || module === outputMatrix;
    const linear = byToken || blueprint.adapterTargets.includes(module.slice(module.lastIndexOf(".") + 1));
    const wanted = quantization && byToken ? "int8" : quantization;
    const layout = wanted && linear && isFloat(info) ? quantizedLayout(wanted, info) : info;
    const planned = planMatrix(module, layout, shape);
    matrices.set(module, planned.matrix);
    tensors.push({ spec, info, layout, ...planned.buffers });
  }
  const output = matrices.get(outputMatrix) ?? matrices.get(inputEmbedding);
  if (!output) throw new ModelError(`The model has neither ${outputMatrix} nor ${inputEmbedding}.`);
  const bytes = tensors.flatMap(buffersOf).reduce((sum, buffer) => sum + buffer.bytes, 0);
  return { config, blueprint, matrices, vectors, output, parameters, bytes, tensors };
}

export const buffersOf = ({ data, scales, zeros }: PlannedTensor): PlannedBuffer[] =>
  [data, scales, zeros].filter((buffer) => buffer !== null);

function planMatrix(module: string, layout: FrozenLayout, [rows, columns]: readonly [number, number]) {
  const sizes = frozenBytes(layout, rows, columns);
  const planned = (suffix: string, bytes: number) => (bytes === 0 ? null : new PlannedBuffer(module + suffix, bytes));
  const data = new PlannedBuffer(module, sizes.data);
  const scales = planned(" scales", sizes.scales);
  const zeros = planned(` ${layout.correction ?? "zeros"}`, sizes.zeros);
  const tensor = (buffer: PlannedBuffer | null, dtype: "f32" | "u32"): Tensor | null =>
    buffer && bufferTensor(buffer.label, dtype, [buffer.bytes / 4], buffer);
  const matrix: FrozenMatrix = {
    label: module,
    form: layout.form,
    rows,
    columns,
    data: bufferTensor(module, "u32", [data.bytes / 4], data),
    scales: tensor(scales, "f32"),
    zeros: layout.correction === "zeros" ? tensor(zeros, "u32") : null,
    offsets: layout.correction === "offsets" ? tensor(zeros, "u32") : null,
    group: layout.group ?? 32,
  };
  return { matrix, buffers: { data, scales, zeros } };
}

/** null where an optional tensor is absent. */
function found(spec: TensorSpec, blueprint: Blueprint, source: WeightSource): WeightInfo | null {
  const info = source.tensors.get(nameInSource(spec.name, blueprint, source));
  if (!info) {
    if (spec.optional) return null;
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
  if (spec.shape.length === 1 && !isFloat(info)) {
    throw new ModelError(`${spec.name} is stored as ${info.form}; vectors must be floating-point numbers.`);
  }
  return info;
}
