/** A trained adapter as plain data: what the trainer yields, storage keeps and export writes. */
import type { LoraMatrices } from "../model/lora";

export interface AdapterConfig {
  /** Hugging Face id or name of the base model. */
  readonly baseModel: string;
  readonly rank: number;
  readonly alpha: number;
  readonly rslora: boolean;
  readonly dropout: number;
  /** Module names as PEFT lists them: "q_proj", "v_proj", … */
  readonly targetModules: readonly string[];
}

/** One adapted module: its Hugging Face path, A [rank, in] and B [out, rank], row-major f32. */
export type AdapterModule = LoraMatrices;

export interface Adapter {
  readonly config: AdapterConfig;
  readonly modules: readonly AdapterModule[];
}

/** s in y = Wx + s·B(Ax): α/r, or α/√r for rsLoRA. */
export function adapterScale(config: Pick<AdapterConfig, "rank" | "alpha" | "rslora">): number {
  return config.alpha / (config.rslora ? Math.sqrt(config.rank) : config.rank);
}
