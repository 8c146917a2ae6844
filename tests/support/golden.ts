/** Reads the golden files of tests/golden, in Node from the disk and in the browser from Vite's server. */
import * as z from "zod/mini";
import type { PackedBatch } from "../../src/data/types";
import { openSafetensors } from "../../src/model/weights/safetensors";
import type { ModelFiles } from "../../src/model/weights/types";
import { type Adapter, type AdapterModule, adapterScale } from "../../src/training/adapter";
import { parseRecipe, type Recipe, recipeDefaults } from "../../src/training/recipe";

/** A golden file is missing or not what a test takes it for. */
export class GoldenError extends Error {
  override readonly name = "GoldenError";
}

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

const here: string = import.meta.url;
/** A browser cannot list a folder, and Vite's server answers an unknown path with a page. The files are fetched, not imported. */
const listed: ReadonlySet<string> = new Set(
  Object.keys(import.meta.glob("../golden/**/*.{json,jsonl,safetensors,onnx,bin}", { query: "?url" })).map((path) =>
    path.replace("../golden/", ""),
  ),
);

async function fetchGolden(path: string): Promise<Blob> {
  const url = new URL(`../golden/${path}`, here);
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return new Blob([new Uint8Array(await readFile(url))]);
  }
  const response = await fetch(url);
  if (!response.ok) throw new GoldenError(`${url.pathname} answers ${response.status}.`);
  return await response.blob();
}

/** `path` is relative to tests/golden, e.g. "llama-tied/logits.safetensors". */
async function goldenBlob(path: string): Promise<Blob> {
  if (!listed.has(path)) throw new GoldenError(`tests/golden has no ${path}.`);
  return await fetchGolden(path);
}

export async function goldenJson(path: string): Promise<unknown> {
  return JSON.parse(await (await goldenBlob(path)).text());
}

/** All tensors of a float32 safetensors file. */
export async function goldenTensors(path: string): Promise<ReadonlyMap<string, GoldenTensor>> {
  const source = await openSafetensors(await goldenBlob(path), path);
  const tensors = new Map<string, GoldenTensor>();
  for (const name of source.tensors.keys()) {
    const { form, shape, data } = await source.read(name);
    if (form !== "f32") throw new GoldenError(`${path}: ${name} is ${form}, not f32.`);
    const aligned = data.slice();
    tensors.set(name, { shape, data: new Float32Array(aligned.buffer) });
  }
  return tensors;
}

/** A folder of golden files as the model loader gets it: "llama-tied/model" or, with an adapter, "llama-tied/adapter". */
export function goldenFolder(folder: string): ModelFiles {
  const prefix = `${folder}/`;
  const paths = [...listed].filter((p) => p.startsWith(prefix)).map((p) => p.slice(prefix.length));
  if (paths.length === 0) throw new GoldenError(`tests/golden has no folder ${folder}.`);
  return { name: folder, paths, open: (path) => goldenBlob(prefix + path) };
}

const ints = z.array(z.int());
const rowSchema = z.object({ input_ids: ints, labels: ints });
const referenceSchema = z.object({ rows: z.array(rowSchema), countedTokens: z.int(), loss: z.number() });
const stepSchema = z.object({ loss: z.number(), gradNorm: z.number(), learningRate: z.number() });
const runSchema = z.object({
  recipe: z.record(z.string(), z.unknown()),
  rows: z.array(rowSchema),
  steps: z.array(z.array(ints)),
  countedTokens: ints,
  log: z.array(stepSchema),
});
const adapterSchema = z.object({
  base_model_name_or_path: z.string(),
  r: z.int(),
  lora_alpha: z.number(),
  use_rslora: z.boolean(),
  lora_dropout: z.number(),
  target_modules: z.array(z.string()),
});

/** Token ids and Hugging Face labels: label t is predicted from token t − 1, −100 carries no loss. */
export type GoldenRow = z.infer<typeof rowSchema>;
export type GoldenReference = z.infer<typeof referenceSchema>;
/** `steps[step][microBatch]` lists row indices; `log[step]` is what TRL logged, gradNorm before clipping. */
export type GoldenRun = Omit<z.infer<typeof runSchema>, "recipe"> & { readonly recipe: Recipe };

/** Rows and loss behind logits.safetensors and gradients.safetensors of "llama-tied", "llama-untied", "llama-int4". */
export async function goldenReference(model: string): Promise<GoldenReference> {
  return referenceSchema.parse(await goldenJson(`${model}/reference.json`));
}

/** A training run, e.g. "llama-tied/training". */
export async function goldenRun(run: string): Promise<GoldenRun> {
  const value = runSchema.parse(await goldenJson(`${run}/run.json`));
  return { ...value, recipe: parseRecipe({ ...recipeDefaults, ...value.recipe }) };
}

/** A PEFT folder; with `weights` the tensors come from that file instead ("llama-tied/training/final.safetensors"). */
export async function goldenAdapter(folder: string, weights = `${folder}/adapter_model.safetensors`): Promise<Adapter> {
  const config = adapterSchema.parse(await goldenJson(`${folder}/adapter_config.json`));
  const tensors = await goldenTensors(weights);
  const modules: AdapterModule[] = [];
  for (const [name, a] of tensors) {
    const module = /^base_model\.model\.(.+)\.lora_A\.weight$/.exec(name)?.[1];
    if (module === undefined) continue;
    const b = tensors.get(name.replace("lora_A", "lora_B"));
    const [rank, inFeatures] = a.shape;
    const outFeatures = b?.shape[0];
    if (!b || inFeatures === undefined || outFeatures === undefined || rank !== config.r || b.shape[1] !== rank) {
      throw new GoldenError(`${weights}: ${name} and its B do not fit each other.`);
    }
    modules.push({ module, inFeatures, outFeatures, a: a.data, b: b.data });
  }
  const adapter: Adapter = {
    config: {
      baseModel: config.base_model_name_or_path,
      rank: config.r,
      alpha: config.lora_alpha,
      rslora: config.use_rslora,
      dropout: config.lora_dropout,
      targetModules: config.target_modules,
    },
    modules,
  };
  if (modules.length * 2 !== tensors.size || !(adapterScale(adapter.config) > 0)) {
    throw new GoldenError(`${weights} holds other tensors than pairs of A and B.`);
  }
  return adapter;
}

/** The rows one after another as one micro-batch; written on its own, so that it also checks the studio's packing. */
export function goldenBatch(rows: readonly GoldenRow[]): PackedBatch {
  const ids: number[] = [];
  const positions: number[] = [];
  const segmentStart: number[] = [];
  const segmentEnd: number[] = [];
  const targetIndices: number[] = [];
  const targets: number[] = [];
  for (const { input_ids: rowIds, labels } of rows) {
    const start = ids.length;
    for (const [t, id] of rowIds.entries()) {
      ids.push(id);
      positions.push(t);
      segmentStart.push(start);
      segmentEnd.push(start + rowIds.length);
      const next = labels[t + 1];
      if (next === undefined || next === -100) continue;
      targetIndices.push(start + t);
      targets.push(next);
    }
  }
  return {
    ids: Uint32Array.from(ids),
    positions: Uint32Array.from(positions),
    segmentStart: Uint32Array.from(segmentStart),
    segmentEnd: Uint32Array.from(segmentEnd),
    targetIndices: Uint32Array.from(targetIndices),
    targets: Uint32Array.from(targets),
  };
}

/** ‖a − b‖ / ‖b‖ in float64; `b` is the reference. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new GoldenError(`Cannot compare ${a.length} values with ${b.length}.`);
  let difference = 0;
  let reference = 0;
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i] ?? Number.NaN, b[i] ?? Number.NaN];
    difference += (x - y) ** 2;
    reference += y ** 2;
  }
  return Math.sqrt(difference / reference);
}
