/** What the studio knows of every model, whatever its architecture; the rest stays in the architecture's own file. */
import { ModelError } from "../errors";
import type { ConfigFields } from "./fields";
import type { Rotary } from "./rotary";

export interface ModelConfig {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  /** The longest row: positions that were trained, or that the rotary scaling given reaches. */
  readonly maxPositions: number;
  readonly tieWordEmbeddings: boolean;
  /** Every rotary embedding that some layer uses; none where positions are learned. */
  readonly rotaries: readonly Rotary[];
  readonly bosTokenId: number | null;
  /** Every id that ends generation; config.json's and generation_config.json's together. May be empty. */
  readonly eosTokenIds: readonly number[];
}

/** What the attention kernel takes; its threads read four values at once. */
const headDims = { step: 4, max: 256 };

/** Sizes that most architectures spell alike. */
export type Sizes = Omit<ModelConfig, "modelType" | "rotaries">;

/** How an architecture's config differs from the common one: its own names of fields, transformers' own defaults. */
export interface SizeOptions {
  readonly names?: {
    readonly hiddenSize: string;
    readonly numLayers: string;
    readonly numHeads: string;
    readonly maxPositions: string;
  };
  readonly maxPositions?: number;
  readonly tied?: boolean;
  /** transformers' default of the class where the config has no such field; hidden / heads, and heads, where absent. */
  readonly headDim?: number;
  readonly keyValueHeads?: number;
  /** Where the architecture has no field for it: heads share nothing, and a head is hidden / heads wide. */
  readonly plainHeads?: boolean;
}

const commonNames = {
  hiddenSize: "hidden_size",
  numLayers: "num_hidden_layers",
  numHeads: "num_attention_heads",
  maxPositions: "max_position_embeddings",
};

export function readSizes(fields: ConfigFields, options: SizeOptions = {}): Sizes {
  const { names = commonNames, plainHeads = false, tied = false } = options;
  const hiddenSize = fields.int(names.hiddenSize, 4, 65536);
  const numHeads = fields.int(names.numHeads, 1, 1024);
  const headDim = plainHeads
    ? hiddenSize / numHeads
    : fields.int("head_dim", 1, 1024, options.headDim ?? hiddenSize / numHeads);
  const numKeyValueHeads = plainHeads ? numHeads : keyValueHeads(fields, numHeads, options);
  if (headDim % headDims.step !== 0 || headDim > headDims.max) {
    const given = !plainHeads && fields.has("head_dim") ? `is ${headDim}` : `is missing and would be ${headDim}`;
    throw new ModelError(
      `config.json: head_dim ${given}; it must be a multiple of ${headDims.step}, at most ${headDims.max}, pick another model.`,
    );
  }
  if (numHeads % numKeyValueHeads !== 0) {
    throw fields.error("num_key_value_heads", `a divisor of ${names.numHeads}, ${numHeads}`);
  }
  return {
    vocabSize: fields.int("vocab_size", 1, 2 ** 22),
    hiddenSize,
    numLayers: fields.int(names.numLayers, 1, 1000),
    numHeads,
    numKeyValueHeads,
    headDim,
    maxPositions: fields.int(names.maxPositions, 1, 2 ** 28, options.maxPositions ?? 2048),
    tieWordEmbeddings: fields.flag("tie_word_embeddings", tied),
    bosTokenId: fields.ids("bos_token_id")[0] ?? null,
    eosTokenIds: fields.ids("eos_token_id"),
  };
}

/** null is another word for "as many as heads"; only a field that is not there at all takes the class's default. */
function keyValueHeads(fields: ConfigFields, numHeads: number, options: SizeOptions): number {
  const absent = fields.mentions("num_key_value_heads") ? numHeads : (options.keyValueHeads ?? numHeads);
  return fields.int("num_key_value_heads", 1, numHeads, absent);
}

/** A window of so many tokens; null in the config means none, and a field that is not there the class's default. */
export function readWindow(fields: ConfigFields, otherwise: number | null): number | null {
  if (fields.has("sliding_window")) return fields.int("sliding_window", 1, 2 ** 28);
  return fields.mentions("sliding_window") ? null : otherwise;
}

/** The MLP's width. */
export const readIntermediateSize = (fields: ConfigFields): number => fields.int("intermediate_size", 4, 2 ** 20);

export const readRmsNormEps = (fields: ConfigFields): number => fields.number("rms_norm_eps", 1e-12, 1, 1e-6);

/** Per layer: the attention window in tokens, null where a layer sees everything. */
export type Windows = readonly (number | null)[];

const layerTypes = ["full_attention", "sliding_attention"] as const;

/** Per layer: true where it has a window, by `layer_types` where the config has them, else by `otherwise`. */
export function readSliding(
  fields: ConfigFields,
  numLayers: number,
  otherwise: (layer: number) => boolean,
): readonly boolean[] {
  const types = fields.texts("layer_types", numLayers, layerTypes);
  return Array.from({ length: numLayers }, (_, layer) =>
    types ? types[layer] === "sliding_attention" : otherwise(layer),
  );
}
