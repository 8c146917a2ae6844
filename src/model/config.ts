/** config.json of a Llama-like model, checked field by field, and the stop tokens of generation_config.json. */
import * as z from "zod/mini";
import { ModelError } from "./errors";
import { readJson } from "./folder";
import type { ModelFiles } from "./weights/types";

export interface ModelConfig {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly maxPositions: number;
  readonly tieWordEmbeddings: boolean;
  /** Biases on q, k, v and o. */
  readonly attentionBias: boolean;
  /** Biases on gate, up and down. */
  readonly mlpBias: boolean;
  readonly bosTokenId: number | null;
  /** Every id that ends generation; config.json's and generation_config.json's together. May be empty. */
  readonly eosTokenIds: readonly number[];
}

const configFile = "config.json";
const generationFile = "generation_config.json";
const maxBytes = 4 * 1024 * 1024;
/** What the attention kernel takes; its threads read four values at once. */
const headDims = { step: 4, max: 256 };

type Json = Readonly<Record<string, unknown>>;

const objectSchema = z.record(z.string(), z.unknown());
const tokenIds = z.union([z.int().check(z.minimum(0)), z.array(z.int().check(z.minimum(0))).check(z.maxLength(1000))]);

/** Reads config.json, and generation_config.json where there is one. `supported` are the known model types. */
export async function readConfig(files: ModelFiles, supported: readonly string[]): Promise<ModelConfig> {
  const config = parseConfig(await readJson(files, configFile, maxBytes), supported);
  if (!files.paths.includes(generationFile)) return config;
  const generation = new Fields(await readJson(files, generationFile, maxBytes), generationFile);
  return { ...config, eosTokenIds: [...new Set([...config.eosTokenIds, ...generation.ids("eos_token_id")])] };
}

/** Throws `ModelError` naming the field and its value where it is missing, out of range or asks for something not built. */
export function parseConfig(json: unknown, supported: readonly string[]): ModelConfig {
  const fields = new Fields(json, configFile);
  const modelType = fields.text("model_type");
  if (!supported.includes(modelType)) {
    throw fields.error("model_type", `one of the supported ${supported.join(", ")}; pick another model`);
  }
  const hiddenSize = fields.int("hidden_size", 1, 65536);
  const numHeads = fields.int("num_attention_heads", 1, 1024);
  const headDim = fields.int("head_dim", 1, 1024, hiddenSize / numHeads);
  const numKeyValueHeads = fields.int("num_key_value_heads", 1, numHeads, numHeads);
  if (headDim % headDims.step !== 0 || headDim > headDims.max) {
    const given = fields.has("head_dim") ? `is ${headDim}` : `is missing and would be ${headDim}`;
    throw new ModelError(
      `${configFile}: head_dim ${given}; it must be a multiple of ${headDims.step}, at most ${headDims.max}, pick another model.`,
    );
  }
  if (numHeads % numKeyValueHeads !== 0) {
    throw fields.error("num_key_value_heads", `a divisor of num_attention_heads, ${numHeads}`);
  }
  const activation = fields.text("hidden_act", "silu");
  if (activation !== "silu") throw fields.error("hidden_act", "silu; other activations are not supported");
  if (fields.number("partial_rotary_factor", 0, 1, 1) !== 1) {
    throw fields.error("partial_rotary_factor", "1; partly rotated heads are not supported");
  }
  return {
    modelType,
    vocabSize: fields.int("vocab_size", 1, 2 ** 22),
    hiddenSize,
    intermediateSize: fields.int("intermediate_size", 1, 2 ** 20),
    numLayers: fields.int("num_hidden_layers", 1, 1000),
    numHeads,
    numKeyValueHeads,
    headDim,
    rmsNormEps: fields.number("rms_norm_eps", 1e-12, 1, 1e-6),
    ropeTheta: ropeTheta(fields),
    maxPositions: fields.int("max_position_embeddings", 1, 2 ** 28, 2048),
    tieWordEmbeddings: fields.flag("tie_word_embeddings"),
    attentionBias: fields.flag("attention_bias"),
    mlpBias: fields.flag("mlp_bias"),
    bosTokenId: fields.ids("bos_token_id")[0] ?? null,
    eosTokenIds: fields.ids("eos_token_id"),
  };
}

/** transformers 4 keeps the base in `rope_theta` and the kind in `rope_scaling`; transformers 5 keeps both in `rope_parameters`. */
function ropeTheta(fields: Fields): number {
  let theta = fields.number("rope_theta", 1, 1e12, 10000);
  for (const name of ["rope_scaling", "rope_parameters"]) {
    const rope = fields.object(name);
    if (!rope) continue;
    const kind = rope.text("rope_type", rope.text("type", "default"));
    if (kind !== "default" && kind !== "none") {
      throw rope.error(
        rope.has("rope_type") ? "rope_type" : "type",
        "default; scaled rotary embeddings are not supported yet",
      );
    }
    theta = rope.number("rope_theta", 1, 1e12, theta);
  }
  return theta;
}

/** A JSON object whose fields are read one by one; null counts as absent, as in Python's configs. */
class Fields {
  readonly #json: Json;
  readonly #path: string;

  constructor(json: unknown, path: string) {
    const parsed = z.safeParse(objectSchema, json);
    if (!parsed.success)
      throw new ModelError(`${path} must be a JSON object, not ${show(json)}; use the file of the model.`);
    this.#json = parsed.data;
    this.#path = path;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#json, name) && this.#json[name] !== null && this.#json[name] !== undefined;
  }

  text(name: string, fallback?: string): string {
    return this.#read(name, z.string(), "a text", fallback);
  }

  flag(name: string): boolean {
    return this.#read(name, z.boolean(), "true or false", false);
  }

  int(name: string, min: number, max: number, fallback?: number): number {
    const type = z.int().check(z.minimum(min), z.maximum(max));
    const value = this.#read(name, type, `a whole number from ${min} to ${max}`, fallback);
    if (Number.isInteger(value)) return value;
    throw new ModelError(
      `${this.#path}: ${name} is missing and would be ${value}; it must be a whole number, write it into the file.`,
    );
  }

  number(name: string, min: number, max: number, fallback?: number): number {
    return this.#read(
      name,
      z.number().check(z.minimum(min), z.maximum(max)),
      `a number from ${min} to ${max}`,
      fallback,
    );
  }

  /** One id or a list of ids; empty where absent. */
  ids(name: string): readonly number[] {
    const value = this.#read(name, tokenIds, "a token id or a list of token ids", []);
    return typeof value === "number" ? [value] : value;
  }

  object(name: string): Fields | null {
    return this.has(name) ? new Fields(this.#json[name], `${this.#path}: ${name}`) : null;
  }

  error(name: string, expected: string): ModelError {
    return new ModelError(`${this.#path}: ${name} is ${show(this.#json[name])}; it must be ${expected}.`);
  }

  #read<T>(name: string, type: z.ZodMiniType<T>, expected: string, fallback?: T): T {
    if (!this.has(name)) {
      if (fallback !== undefined) return fallback;
      throw new ModelError(`${this.#path}: ${name} is missing; it must be ${expected}.`);
    }
    const parsed = z.safeParse(type, this.#json[name]);
    if (!parsed.success) throw this.error(name, expected);
    return parsed.data;
  }
}

function show(value: unknown): string {
  return value === undefined ? "missing" : (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
