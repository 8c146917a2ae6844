/** A small adapter, the base and the run behind it, and a way to read adapter folders from bytes. */
import { readPeft } from "../../src/export/read-peft";
import type { BaseModel, RunFacts } from "../../src/export/types";
import { openSafetensors } from "../../src/model/weights/safetensors";
import type { Adapter, AdapterModule } from "../../src/training/adapter";
import type { Bytes } from "../model/build-files";

export const weightsFile = "adapter_model.safetensors";

export async function readAdapter(config: unknown, weights: Bytes, base: BaseModel): Promise<Adapter> {
  const text = config instanceof Uint8Array || typeof config === "string" ? config : JSON.stringify(config);
  return readPeft(new Blob([text as Bytes | string]), await openSafetensors(new Blob([weights]), weightsFile), base);
}

/** Two modules, rank 2. */
export const base: BaseModel = {
  name: "org/tiny-Llama",
  revision: "0123abc",
  modelType: "llama",
  weightFormat: "onnx",
  license: "apache-2.0",
  modules: new Map([
    ["model.layers.0.self_attn.q_proj", { inFeatures: 4, outFeatures: 6 }],
    ["model.layers.0.self_attn.v_proj", { inFeatures: 4, outFeatures: 2 }],
    ["model.layers.0.mlp.up_proj", { inFeatures: 4, outFeatures: 8 }],
  ]),
};
export const values = (count: number, first: number) => Float32Array.from({ length: count }, (_, i) => (first + i) / 8);
export const qProj: AdapterModule = {
  module: "model.layers.0.self_attn.q_proj",
  inFeatures: 4,
  outFeatures: 6,
  a: values(8, 1),
  b: values(12, -6),
};
export const vProj: AdapterModule = {
  module: "model.layers.0.self_attn.v_proj",
  inFeatures: 4,
  outFeatures: 2,
  a: values(8, 9),
  b: values(4, 3),
};
export const adapter: Adapter = {
  config: {
    baseModel: "org/tiny-Llama",
    rank: 2,
    alpha: 16,
    rslora: true,
    dropout: 0.05,
    targetModules: ["q_proj", "v_proj"],
  },
  modules: [qProj, vProj],
};
export const run: RunFacts = {
  dataset: "my|data\n# <b>.jsonl",
  datasetRows: 1234,
  recipe: {
    ...{
      rank: 2,
      alpha: 16,
      targetModules: ["q_proj", "v_proj"],
      rslora: true,
      dropout: 0.05,
      learningRate: 2e-4,
      schedule: "cosine",
    },
    ...{
      warmupSteps: 2,
      steps: null,
      epochs: 3,
      batchSize: 1,
      gradientAccumulation: 8,
      maxLength: 512,
      weightDecay: 0,
    },
    ...{ clip: 1, seed: 42, shuffle: true, pack: true, gradientCheckpointing: false },
  },
  created: "2026-01-31T12:00:00.000Z",
  steps: 3,
  losses: [2.5, 2, 1.25],
  evalBefore: 2.4,
  evalAfter: 1.5,
  tokens: 98765,
};
