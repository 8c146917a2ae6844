/** Rotary embeddings of a GGUF file as fields of config.json: base, share of a head, and scaling by name or by a tensor of factors. */
import { WeightsError } from "../../errors";
import { toFloat32 } from "../bytes";
import { shortest } from "./decimal";
import type { GgufHeader } from "./header";
import type { Metadata } from "./metadata";
import type { Sizes } from "./sizes";
import { readTensor } from "./tensor";

export interface RotaryFields {
  readonly theta: number;
  /** `rope_type` and what belongs to it, as in transformers; null where nothing is scaled. */
  readonly scaling: Readonly<Record<string, unknown>> | null;
  /** Share of a head's columns that turn. */
  readonly partial: number;
}

export interface RotaryOptions {
  /** Only some of a head's columns may turn. */
  readonly partial: boolean;
}

/** Throws `WeightsError` naming the key or tensor that is out of range or asks for something not built. */
export async function readRotary(
  id: string,
  header: GgufHeader,
  sizes: Sizes,
  options: RotaryOptions,
): Promise<RotaryFields> {
  const { metadata } = header;
  const { headDim } = sizes;
  const dim = metadata.int(`${id}.rope.dimension_count`, 2, 1024, headDim);
  const right = options.partial ? dim <= headDim && dim % 2 === 0 : dim === headDim;
  if (!right) {
    const expected = options.partial
      ? `even and at most the head size, ${headDim}`
      : `the head size, ${headDim}; partly rotated heads are not supported`;
    throw metadata.error(`${id}.rope.dimension_count`, expected);
  }
  const share = dim / headDim;
  return {
    theta: shortest(metadata.number(`${id}.rope.freq_base`, 1, 1e12, 10000)),
    scaling: await readScaling(id, header, sizes, dim),
    // Readers round the product down, which a quotient may fall short of.
    partial: Math.floor(headDim * share) === dim ? share : (dim + 0.5) / headDim,
  };
}

/** `rope_theta`, and `rope_scaling` where there is one. */
export const rotaryConfig = ({ theta, scaling, partial }: RotaryFields): Readonly<Record<string, unknown>> => ({
  rope_theta: theta,
  ...(scaling && { rope_scaling: scaling }),
  ...(partial !== 1 && { partial_rotary_factor: partial }),
});

async function readScaling(
  id: string,
  header: GgufHeader,
  sizes: Sizes,
  dim: number,
): Promise<Readonly<Record<string, unknown>> | null> {
  const { metadata, tensors } = header;
  const keys = `${id}.rope.scaling`;
  const kind = (await metadata.text(`${keys}.type`)) ?? "none";
  const factor = readFactor(metadata, `${keys}.factor`) * readFactor(metadata, `${id}.rope.scale_linear`);
  const long = tensors.has("rope_factors_long.weight") || tensors.has("rope_factors_short.weight");
  if (long || kind === "longrope") return longrope(keys, header, sizes, dim);
  if (kind === "yarn") return yarn(keys, metadata, factor);
  if (kind !== "none" && kind !== "linear") {
    throw metadata.error(`${keys}.type`, `none, linear, yarn or longrope, not "${kind.slice(0, 40)}"`);
  }
  const byTensor = tensors.has("rope_freqs.weight");
  if (factor === 1) {
    return byTensor ? { rope_type: "factors", factors: await factorsOf(header, "rope_freqs.weight", dim / 2) } : null;
  }
  const key = metadata.has(`${id}.rope.scale_linear`) ? `${id}.rope.scale_linear` : `${keys}.factor`;
  if (byTensor) throw metadata.error(key, "absent, as the tensor rope_freqs.weight scales the embeddings already");
  return { rope_type: "linear", factor };
}

/** 0 stands for none in old files. */
const readFactor = (metadata: Metadata, key: string): number => shortest(metadata.number(key, 0, 1e6, 1)) || 1;

function yarn(keys: string, metadata: Metadata, factor: number): Readonly<Record<string, unknown>> {
  const optional = (name: string, key: string) =>
    metadata.has(key) ? { [name]: shortest(metadata.number(key, 1e-6, 1e6)) } : {};
  for (const [key, plain] of [
    [`${keys}.yarn_log_multiplier`, 0],
    [`${keys}.yarn_ext_factor`, 1],
    [`${keys}.attn_factor`, 1],
  ] as const) {
    if (metadata.number(key, -1e6, 1e6, plain) !== plain) {
      throw metadata.error(key, `absent or ${plain}; this form of YaRN is not supported`);
    }
  }
  const original = `${keys}.original_context_length`;
  return {
    rope_type: "yarn",
    factor,
    ...(metadata.has(original) && { original_max_position_embeddings: metadata.int(original, 1, 2 ** 28) }),
    ...optional("attention_factor", `${keys}.yarn_attn_factor`),
    ...optional("beta_fast", `${keys}.yarn_beta_fast`),
    ...optional("beta_slow", `${keys}.yarn_beta_slow`),
  };
}

async function longrope(
  keys: string,
  header: GgufHeader,
  { positions }: Sizes,
  dim: number,
): Promise<Readonly<Record<string, unknown>>> {
  const { metadata } = header;
  const original = metadata.int(`${keys}.original_context_length`, 2, 2 ** 28, positions);
  const ratio = positions / original;
  const usual = ratio <= 1 ? 1 : Math.sqrt(1 + Math.log(ratio) / Math.log(original));
  const attention = metadata.number(`${keys}.attn_factor`, 1e-6, 1e6, usual);
  return {
    rope_type: "longrope",
    short_factor: await factorsOf(header, "rope_factors_short.weight", dim / 2),
    long_factor: await factorsOf(header, "rope_factors_long.weight", dim / 2),
    original_max_position_embeddings: original,
    ...(Math.fround(attention) !== Math.fround(usual) && { attention_factor: attention }),
  };
}

/** One factor for each pair of columns; frequencies are divided by them. */
async function factorsOf(header: GgufHeader, name: string, count: number): Promise<readonly number[]> {
  const { metadata, tensors } = header;
  const tensor = tensors.get(name);
  if (!tensor) {
    throw new WeightsError(
      `${metadata.file} lacks the tensor ${name}, which scales the rotary embeddings; use another copy of the model.`,
    );
  }
  if (tensor.shape.length !== 1 || tensor.shape[0] !== count || typeof tensor.type.held !== "string") {
    throw new WeightsError(
      `${metadata.file}: tensor "${name}" is ${tensor.type.name} of shape [${tensor.shape.join(", ")}]; it must be ${count} floating-point factors, use another copy of the model.`,
    );
  }
  const { form, data } = await readTensor(metadata.blob, metadata.file, tensor, { name });
  if (form !== "f32" && form !== "f16" && form !== "bf16") return [];
  const factors = [...toFloat32(form, data)];
  const wrong = factors.findIndex((factor) => !(factor >= 1e-6 && factor <= 1e6));
  if (wrong < 0) return factors;
  throw new WeightsError(
    `${metadata.file}: tensor "${name}" holds the factor ${factors[wrong]} at ${wrong}; factors are from 1e-6 to 1e6, use another copy of the model.`,
  );
}
