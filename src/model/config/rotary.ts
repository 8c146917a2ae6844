/**
 * Rotary frequencies of config.json and their scalings, as transformers' modeling_rope_utils computes them. transformers 4
 * keeps the base in `rope_theta` and the scaling in `rope_scaling`; transformers 5 keeps both in `rope_parameters`.
 */
import { ModelError } from "../errors";
import { ConfigFields } from "./fields";

/** One rotary embedding: angle of position p and pair i = p · inverseFrequencies[i], in rotate-half layout. */
export interface Rotary {
  readonly label: string;
  /** [rotaryDim / 2], rounded to f32 where torch rounds. */
  readonly inverseFrequencies: Float32Array<ArrayBuffer>;
  /** Multiplies cosines and sines (YaRN, LongRoPE). */
  readonly factor: number;
  /** Positions that it is right for, where fewer than the config's. */
  readonly maxPositions: number;
}

export interface RotaryOptions {
  readonly headDim: number;
  readonly maxPositions: number;
  readonly label?: string;
  readonly theta?: number;
  /** Share of a head's columns that turn, where the config says nothing. */
  readonly partial?: number;
  /** The architecture has fields of its own for base and share, given here: the common ones at the top are not read. */
  readonly ownFields?: boolean;
  /** Kinds that this architecture calls otherwise: Phi-3's first configs say "yarn" and mean LongRoPE. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Where the config does not say how many positions were trained. */
  readonly originalPositions?: number;
  /** The object that holds this embedding's parameters, where a config has several; the config's own where absent. */
  readonly parameters?: ConfigFields | null;
}

type Scaling = (context: Context) => { readonly inverse: Float32Array<ArrayBuffer>; readonly factor?: number };

interface Context {
  readonly rope: ConfigFields;
  /** Rotated columns of a head. */
  readonly dim: number;
  readonly theta: number;
  /** Unscaled, by pair. */
  readonly inverse: Float32Array<ArrayBuffer>;
  readonly maxPositions: number;
  /** Positions before the scaling. */
  readonly original: number;
}

const scalings: Readonly<Record<string, Scaling>> = {
  default: ({ inverse }) => ({ inverse }),
  none: ({ inverse }) => ({ inverse }),
  linear: ({ rope, inverse }) => ({ inverse: inverse.map((value) => value / factorOf(rope)) }),
  // Scales only beyond the trained positions, which `maxPositions` keeps rows within.
  dynamic: ({ inverse }) => ({ inverse }),
  llama3,
  yarn,
  longrope,
  su: longrope,
  // Factors by pair, as GGUF files store them.
  factors: ({ rope, inverse }) => ({ inverse: divided(inverse, rope.numbers("factors", inverse.length)) }),
};

export function readRotary(fields: ConfigFields, options: RotaryOptions): Rotary {
  const { headDim, maxPositions, label = "rotary", partial = 1 } = options;
  // As transformers has it: an older config's scaling wins where somebody wrote it into a newer one.
  const scalingField = fields.object("rope_scaling");
  const given = scalingField?.isEmpty === false ? scalingField : fields.object("rope_parameters");
  const rope = options.parameters ?? given ?? (options.ownFields ? new ConfigFields({}, "config.json") : fields);
  const general = options.ownFields ? null : fields;
  const theta = rope.number(
    "rope_theta",
    1,
    1e12,
    general?.number("rope_theta", 1, 1e12, options.theta ?? 10000) ?? options.theta ?? 10000,
  );
  const share = rope.number(
    "partial_rotary_factor",
    0,
    1,
    general?.number("partial_rotary_factor", 0, 1, partial) ?? partial,
  );
  const dim = Math.floor(headDim * share);
  if (dim < 2 || dim % 2 !== 0) {
    throw new ModelError(
      `config.json: the rotary embedding would turn ${dim} of a head's ${headDim} columns; it must be an even number from 2 on, pick another model.`,
    );
  }
  const inverse = Float32Array.from({ length: dim / 2 }, (_, pair) => {
    const power = Math.fround(theta ** Math.fround((2 * pair) / dim));
    return 1 / power;
  });
  // The config itself has no kind: what it calls "type" is none of a rotary embedding.
  const kindField = rope.has("rope_type") ? "rope_type" : "type";
  const written = rope === fields ? "default" : rope.text(kindField, "default");
  const kind = options.renamed?.[written] ?? written;
  const scaling = Object.hasOwn(scalings, kind) ? scalings[kind] : undefined;
  if (!scaling) throw rope.error(kindField, `one of the supported ${Object.keys(scalings).join(", ")}`);
  const original = fields.int(
    "original_max_position_embeddings",
    1,
    2 ** 28,
    rope.int("original_max_position_embeddings", 1, 2 ** 28, options.originalPositions ?? maxPositions),
  );
  const scaled = scaling({ rope, dim, theta, inverse, maxPositions, original });
  return {
    label,
    inverseFrequencies: scaled.inverse,
    factor: scaled.factor ?? 1,
    // Beyond the trained positions LongRoPE turns all by other factors: a row would depend on its length.
    maxPositions: scaling === longrope ? Math.min(maxPositions, original) : maxPositions,
  };
}

const factorOf = (rope: ConfigFields): number => rope.number("factor", 1e-6, 1e6);

function divided(inverse: Float32Array<ArrayBuffer>, by: readonly number[]): Float32Array<ArrayBuffer> {
  return inverse.map((value, pair) => value / (by[pair] ?? Number.NaN));
}

/** Llama 3.1: long wavelengths are stretched, short ones stay, and those between are blended. */
function llama3({ rope, inverse, original }: Context) {
  const factor = factorOf(rope);
  const low = rope.number("low_freq_factor", 1e-6, 1e6);
  const high = rope.number("high_freq_factor", 1e-6, 1e6);
  return {
    inverse: inverse.map((value) => {
      const wavelength = (2 * Math.PI) / value;
      if (wavelength > original / low) return value / factor;
      if (wavelength < original / high) return value;
      const smooth = (original / wavelength - low) / (high - low);
      return ((1 - smooth) * value) / factor + smooth * value;
    }),
  };
}

/** YaRN (Peng et al. 2023): pairs that turn often stay, pairs that turn seldom are interpolated. */
function yarn({ rope, dim, theta, inverse, maxPositions, original }: Context) {
  const factor = rope.has("factor") ? factorOf(rope) : maxPositions / original;
  const scale = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  const mscale = rope.number("mscale", 0, 1e3, 0);
  const mscaleAll = rope.number("mscale_all_dim", 0, 1e3, 0);
  const otherwise = mscale && mscaleAll ? scale(mscale) / scale(mscaleAll) : scale(1);
  const attention = rope.number("attention_factor", 1e-6, 1e6, otherwise);
  const pairOf = (turns: number) => (dim * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const whole = rope.flag("truncate", true);
  const first = pairOf(rope.number("beta_fast", 1e-6, 1e6, 32));
  const last = pairOf(rope.number("beta_slow", 1e-6, 1e6, 1));
  const low = Math.max(whole ? Math.floor(first) : first, 0);
  const high = Math.min(whole ? Math.ceil(last) : last, dim - 1);
  // A range of no width would divide by 0.
  const width = low === high ? 0.001 : high - low;
  return {
    inverse: inverse.map((value, pair) => {
      const stretched = Math.min(Math.max((pair - low) / width, 0), 1);
      return (value / factor) * stretched + value * (1 - stretched);
    }),
    factor: attention,
  };
}

/** LongRoPE (Ding et al. 2024) within the trained positions, where the short factors hold. */
function longrope({ rope, inverse, maxPositions, original }: Context) {
  const factor = rope.has("factor") ? factorOf(rope) : maxPositions / original;
  const otherwise = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  return {
    inverse: divided(inverse, rope.numbers("short_factor", inverse.length)),
    factor: rope.number("attention_factor", 1e-6, 1e6, otherwise),
  };
}
