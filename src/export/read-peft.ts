/** Reads a PEFT adapter folder back. PEFT passes over much in silence (no alpha, tensors beyond the targets); here each is said. */
import { getFloat16 } from "@petamoriken/float16";
import * as z from "zod/mini";
import type { WeightData, WeightSource } from "../model/weights/types";
import type { Adapter, AdapterConfig, AdapterModule } from "../training/adapter";
import { adapterFault, isTarget } from "./check";
import { AdapterError } from "./errors";
import { peftConfigFile, peftPrefix, peftWeightsFile } from "./peft";
import type { BaseModel } from "./types";

const maxConfigBytes = 4 * 1024 * 1024;
const maxRank = 4096;

type Json = Readonly<Record<string, unknown>>;

/** Settings that change what the matrices mean; every one must be absent, null, false or empty. */
const unsupported: readonly (readonly [key: string, remedy: string])[] = [
  ["use_dora", "train it without DoRA"],
  ["modules_to_save", "train it with LoRA matrices only"],
  ["rank_pattern", "train it with one rank"],
  ["alpha_pattern", "train it with one alpha"],
  ["lora_bias", "train it without biases"],
  ["target_parameters", "name modules in target_modules"],
  ["trainable_token_indices", "train it without token embeddings"],
  ["layer_replication", "use a base model with the layers it needs"],
  ["alora_invocation_tokens", "train it as a plain LoRA"],
  ["use_qalora", "train it as a plain LoRA"],
  ["use_bdlora", "train it as a plain LoRA"],
  ["arrow_config", "train it as a plain LoRA"],
  ["kasa_config", "train it as a plain LoRA"],
  ["monteclora_config", "train it as a plain LoRA"],
  ["velora_config", "train it as a plain LoRA"],
];
/** Ways to start that leave the base model as it is; PiSSA, OLoRA, CorDA and LoftQ adapters fit only a base that they changed. */
const plainStarts: readonly unknown[] = [undefined, null, true, false, "gaussian", "eva", "orthogonal"];

/**
 * `weights` is adapter_model.safetensors, opened. Modules come in the base's order. Throws `AdapterError` for a config that
 * is broken or asks for more than plain LoRA, and where tensors, config and base do not fit each other; `WeightsError` for bytes.
 */
export async function readPeft(config: Blob, weights: WeightSource, base: BaseModel): Promise<Adapter> {
  const json = await readConfig(config);
  checkPlain(json);
  checkOrientation(json, base);
  const rank = field(json, "r", z.int().check(z.minimum(1), z.maximum(maxRank)), `a whole number from 1 to ${maxRank}`);
  const alpha = field(json, "lora_alpha", z.number().check(z.gt(0), z.maximum(1e6)), "a number above 0");
  const targets = field(
    json,
    "target_modules",
    z.union([
      z.string(),
      z.array(z.string().check(z.minLength(1), z.maxLength(300))).check(z.minLength(1), z.maxLength(10_000)),
    ]),
    "a list of module names",
  );
  const read = await readModules(weights, rank, base);
  const names = [...new Set(read.map(({ module }) => module.slice(module.lastIndexOf(".") + 1)))].toSorted();
  if (typeof targets !== "string") checkTargets(read, targets);
  // A pattern or layers_to_transform names modules one by one; a list asks for every module that ends so.
  const all = typeof targets !== "string" && isOff(json["layers_to_transform"]);
  const modules = withIdle(read, base, (module) => isTarget(module, names) && !(all && isTarget(module, targets)));
  const adapterConfig: AdapterConfig = {
    baseModel: optional(json, "base_model_name_or_path", z.string()) ?? base.name,
    rank,
    alpha,
    rslora: optional(json, "use_rslora", z.boolean()) ?? false,
    dropout: optional(json, "lora_dropout", z.number().check(z.minimum(0), z.lt(1))) ?? 0,
    targetModules: names,
  };
  const adapter: Adapter = { config: adapterConfig, modules };
  const fault = adapterFault(adapter, base);
  if (fault !== null) throw new AdapterError(`${peftWeightsFile} does not fit: ${fault}`);
  return adapter;
}

/** PEFT sets fan_in_fan_out by itself for `Conv1D`s, so a file says it exactly where the base has them. */
function checkOrientation(json: Json, base: BaseModel): void {
  const conv1d = [...base.modules.values()].some((module) => module.conv1d === true);
  if (optional(json, "fan_in_fan_out", z.boolean()) === true && !conv1d) {
    throw new AdapterError(
      `${peftConfigFile}: fan_in_fan_out is true, but ${base.name} has no Conv1D modules; give an adapter for this model.`,
    );
  }
}

async function readConfig(blob: Blob): Promise<Json> {
  if (blob.size > maxConfigBytes) {
    throw new AdapterError(
      `${peftConfigFile} has ${blob.size} bytes, more than ${maxConfigBytes}; it is no adapter configuration.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(await blob.text());
  } catch (error) {
    throw new AdapterError(`${peftConfigFile} is not valid JSON; save the adapter again.`, { cause: error });
  }
  const parsed = z.safeParse(z.record(z.string(), z.unknown()), value);
  if (!parsed.success) throw new AdapterError(`${peftConfigFile} must be a JSON object; use the file that PEFT saved.`);
  return parsed.data;
}

function checkPlain(json: Json): void {
  if (json["peft_type"] !== "LORA") throw wrong(json, "peft_type", '"LORA"; other adapters cannot be read');
  for (const [key, remedy] of unsupported) {
    if (!isOff(json[key]))
      throw new AdapterError(`${peftConfigFile}: ${key} is ${show(json[key])}, which cannot be read; ${remedy}.`);
  }
  if (!isOff(json["bias"]) && json["bias"] !== "none")
    throw wrong(json, "bias", '"none"; trained biases cannot be read');
  if (!plainStarts.includes(json["init_lora_weights"])) {
    throw wrong(
      json,
      "init_lora_weights",
      "true: other starts change the base model, so convert the adapter to a plain LoRA first",
    );
  }
}

async function readModules(weights: WeightSource, rank: number, base: BaseModel): Promise<readonly AdapterModule[]> {
  const found = new Map<string, { A?: string; B?: string }>();
  for (const name of weights.tensors.keys()) {
    // Some tools leave the adapter's name, "default", inside.
    const match = /^base_model\.model\.(.+)\.lora_([AB])(?:\.default)?\.weight$/.exec(name);
    const [, module, side] = match ?? [];
    if (module === undefined || (side !== "A" && side !== "B")) {
      throw new AdapterError(
        `${peftWeightsFile} holds the tensor "${name.slice(0, 200)}", which is no LoRA matrix; names must be ${peftPrefix}MODULE.lora_A.weight or .lora_B.weight.`,
      );
    }
    const pair = found.get(module) ?? {};
    if (pair[side] !== undefined)
      throw new AdapterError(`${peftWeightsFile} holds matrix ${side} of ${module} twice; save the adapter again.`);
    pair[side] = name;
    found.set(module, pair);
  }
  const modules: AdapterModule[] = [];
  const order = [...base.modules.keys()];
  const unknown = [...found.keys()].find((module) => !base.modules.has(module));
  if (unknown !== undefined) {
    throw new AdapterError(
      `${peftWeightsFile} adapts ${unknown.slice(0, 200)}, which ${base.name} does not have; open the base model that it was trained on.`,
    );
  }
  for (const module of order) {
    const pair = found.get(module);
    if (!pair) continue;
    if (pair.A === undefined || pair.B === undefined) {
      throw new AdapterError(
        `${peftWeightsFile} lacks matrix ${pair.A === undefined ? "A" : "B"} of ${module}; save the adapter again.`,
      );
    }
    const a = await readMatrix(weights, pair.A);
    const b = await readMatrix(weights, pair.B);
    for (const [side, matrix, ranks] of [
      ["A", a, a.rows],
      ["B", b, b.columns],
    ] as const) {
      if (ranks === rank) continue;
      throw new AdapterError(
        `Matrix ${side} of ${module} is [${matrix.rows}, ${matrix.columns}], but ${peftConfigFile} says r = ${rank}; the two files are of different adapters.`,
      );
    }
    modules.push({ module, inFeatures: a.columns, outFeatures: b.rows, a: a.data, b: b.data });
  }
  return modules;
}

async function readMatrix(
  weights: WeightSource,
  name: string,
): Promise<{ readonly rows: number; readonly columns: number; readonly data: Float32Array<ArrayBuffer> }> {
  const weight = await weights.read(name);
  const [rows, columns] = weight.shape;
  if (weight.shape.length !== 2 || rows === undefined || columns === undefined) {
    throw new AdapterError(
      `${peftWeightsFile}: "${name}" has shape [${weight.shape.join(", ")}]; a LoRA matrix has two dimensions.`,
    );
  }
  return { rows, columns, data: floats(weight, name) };
}

/** PEFT keeps adapters in float32 whatever the file holds. */
function floats({ form, data }: WeightData, name: string): Float32Array<ArrayBuffer> {
  if (form === "int4" || form === "int8")
    throw new AdapterError(`${peftWeightsFile}: "${name}" is ${form}; LoRA matrices must be floats.`);
  if (form === "f32") return new Float32Array(data.slice().buffer);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (form === "f16")
    return Float32Array.from({ length: data.byteLength / 2 }, (_, i) => getFloat16(view, 2 * i, true));
  const bits = Uint32Array.from({ length: data.byteLength / 2 }, (_, i) => view.getUint16(2 * i, true) << 16);
  return new Float32Array(bits.buffer);
}

/** PEFT would drop a tensor that no target names; here that is an error. */
function checkTargets(modules: readonly AdapterModule[], targets: readonly string[]): void {
  const outside = modules.find(({ module }) => !isTarget(module, targets));
  if (outside) {
    throw new AdapterError(
      `${peftWeightsFile} adapts ${outside.module}, which target_modules of ${peftConfigFile} (${targets.slice(0, 10).join(", ")}) leaves out; PEFT would ignore it, add the name.`,
    );
  }
  const unused = targets.find((target) => !modules.some(({ module }) => isTarget(module, [target])));
  if (unused !== undefined) {
    throw new AdapterError(
      `${peftConfigFile} targets ${unused}, but ${peftWeightsFile} has no matrices for it; the two files are of different adapters.`,
    );
  }
}

/**
 * The studio names targets by the last part of a path, which may cover modules that the adapter leaves alone ("attn.c_proj"
 * of GPT-2, some layers only). They get matrices of zeros: the same function, and training leaves them at zero.
 */
function withIdle(
  read: readonly AdapterModule[],
  base: BaseModel,
  isIdle: (module: string) => boolean,
): readonly AdapterModule[] {
  const found = new Map(read.map((entry) => [entry.module, entry]));
  const [first] = read;
  if (!first) return read;
  const rank = first.a.length / first.inFeatures;
  return [...base.modules].flatMap(([module, { inFeatures, outFeatures }]) => {
    const entry = found.get(module);
    if (entry) return [entry];
    if (!isIdle(module)) return [];
    const a = new Float32Array(rank * inFeatures);
    return [{ module, inFeatures, outFeatures, a, b: new Float32Array(rank * outFeatures) }];
  });
}

function field<T>(json: Json, key: string, type: z.ZodMiniType<T>, expected: string): T {
  const parsed = z.safeParse(type, json[key]);
  if (!parsed.success) throw wrong(json, key, expected);
  return parsed.data;
}

/** null counts as absent. */
function optional<T>(json: Json, key: string, type: z.ZodMiniType<T>): T | null {
  return json[key] === undefined || json[key] === null ? null : field(json, key, type, "as PEFT writes it");
}

function isOff(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function wrong(json: Json, key: string, expected: string): AdapterError {
  return new AdapterError(`${peftConfigFile}: ${key} is ${show(json[key])}; it must be ${expected}.`);
}

function show(value: unknown): string {
  return value === undefined ? "missing" : (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
