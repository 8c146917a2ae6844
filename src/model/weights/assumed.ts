/** The tensors that a file is likely to hold, by its name, for plans made before it is here. Reads nothing. */
import type { FrozenLayout } from "../../ops/lib/frozen";
import type { Blueprint } from "../architecture";
import { WeightsError } from "../errors";
import type { WeightInfo, WeightSource } from "./types";

interface AssumedForms {
  readonly linear: FrozenLayout;
  readonly embedding: FrozenLayout;
}

const f32: FrozenLayout = { form: "f32" };
const f16: FrozenLayout = { form: "f16" };
const bf16: FrozenLayout = { form: "bf16" };
const int8: FrozenLayout = { form: "int8", group: 32 };
const int4: FrozenLayout = { form: "int4" };
const offset4: FrozenLayout = { form: "int4", correction: "offsets" };
const offset8: FrozenLayout = { form: "int8", group: 32, correction: "offsets" };

/** The first pattern that the file's name fits decides; checkpoints of small models are mostly bf16. */
const forms: readonly (readonly [RegExp, AssumedForms])[] = [
  [/_q4f16\.onnx/, { linear: int4, embedding: f16 }],
  [/_q4\.onnx/, { linear: int4, embedding: f32 }],
  [/_bnb4\.onnx/, { linear: { form: "nf4", group: 64 }, embedding: f32 }],
  [/_(int8|uint8|quantized)\.onnx/, { linear: int8, embedding: int8 }],
  [/_fp16\.onnx/, { linear: f16, embedding: f16 }],
  [/\.onnx/, { linear: f32, embedding: f32 }],
  [/q4_0.*\.gguf/i, { linear: int4, embedding: offset8 }],
  [/(q4|q2|q3|iq).*\.gguf/i, { linear: offset4, embedding: offset8 }],
  [/(q5|q6|q8).*\.gguf/i, { linear: offset8, embedding: offset8 }],
  [/bf16.*\.gguf/i, { linear: bf16, embedding: bf16 }],
  [/f32.*\.gguf/i, { linear: f32, embedding: f32 }],
  [/\.gguf/i, { linear: f16, embedding: f16 }],
  [/./, { linear: bf16, embedding: bf16 }],
];

export interface AssumedFile {
  readonly format: string;
  readonly file: string;
  /** All bytes of the variant; null where unknown. */
  readonly bytes: number | null;
}

export function assumedSource(blueprint: Blueprint, { format, file, bytes }: AssumedFile): WeightSource {
  const { tensors: specs, inputEmbedding, outputMatrix, config } = blueprint;
  const named = forms.find(([pattern]) => pattern.test(file))?.[1] ?? { linear: bf16, embedding: bf16 };
  // Half a byte a weight, two or four: a checkpoint's size tells, its name does not.
  const values = specs.reduce((sum, spec) => sum + (spec.optional ? 0 : spec.shape.reduce((a, b) => a * b, 1)), 0);
  const { linear, embedding } = named.linear === bf16 && bytes !== null ? bySize(bytes / values) : named;
  const byToken = new Set([`${inputEmbedding}.weight`, `${outputMatrix}.weight`]);
  const tensors = new Map<string, WeightInfo>();
  for (const { name, shape, optional } of specs) {
    if (optional && config.tieWordEmbeddings) continue;
    const layout = shape.length === 1 ? f32 : byToken.has(name) ? embedding : linear;
    tensors.set(name, { name, shape, bytes: 0, ...layout });
  }
  return {
    format,
    tensors,
    read: (name) => Promise.reject(new WeightsError(`${file} is not here yet, so ${name} cannot be read.`)),
  };
}

function bySize(bytesPerWeight: number): AssumedForms {
  if (bytesPerWeight > 3) return { linear: f32, embedding: f32 };
  return bytesPerWeight < 1.5
    ? { linear: { form: "nf4", group: 64 }, embedding: bf16 }
    : { linear: bf16, embedding: bf16 };
}
