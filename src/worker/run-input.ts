/** What a run is given, made fit for the open model: recipe, data, sizes, and an adapter from elsewhere. */
import type { BatchBounds } from "../data/batches";
import type { BaseModel } from "../export/types";
import { openSafetensors } from "../model/weights/safetensors";
import type { Adapter } from "../training/adapter";
import { parseRecipe, type Recipe, RecipeError } from "../training/recipe";
import type { SessionSizes } from "../training/session";
import type { AdapterFiles, DataSource } from "./protocol";
import type { Reader } from "./reader";

/** A PEFT folder's two files as an adapter of the open model. Throws `AdapterError`, `WeightsError`. */
export async function readAdapterFiles(files: AdapterFiles, base: BaseModel): Promise<Adapter> {
  const { readPeft } = await import("../export/read-peft");
  const weights = await openSafetensors(files.weights, "adapter_model.safetensors");
  return readPeft(files.config, weights, base);
}

/** The recipe, if it is one and fits the model. Throws `RecipeError`. */
export function checkRecipe(value: Recipe, { info }: Reader): Recipe {
  const recipe = parseRecipe({ ...value });
  if (recipe.maxLength > info.maxPositions) {
    throw new RecipeError(
      "maxLength",
      `maxLength is ${recipe.maxLength}; ${info.name} takes at most ${info.maxPositions} tokens.`,
    );
  }
  return recipe;
}

/** Data that serves to measure: none of its rows is held out of it. */
export function heldOutData(data: DataSource): DataSource {
  return { ...data, options: { ...data.options, evalShare: 0 } };
}

/** What holds the batches of both. */
export function largerSizes(a: BatchBounds, b: BatchBounds | null): SessionSizes {
  return {
    maxTokens: Math.max(a.maxTokens, b?.maxTokens ?? 0),
    maxTargets: Math.max(a.maxTargets, b?.maxTargets ?? 0),
    maxSegment: Math.max(a.maxSegment, b?.maxSegment ?? 0),
  };
}
