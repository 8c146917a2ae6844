/** What reading rows takes of a model: its tokenizer and what its config says. Neither weights nor a device. */
import type { Tokenizer } from "../data/tokenizer";
import type { Blueprint } from "../model/architecture";
import { readBlueprint } from "../model/blueprint";
import { loadTokenizer } from "../model/tokenizer";
import type { ModelFiles } from "../model/weights/types";
import { defaultLearningRate } from "../training/recipe";
import type { ReaderInfo } from "./protocol";

/** An open model is one too. */
export interface Reader {
  readonly tokenizer: Tokenizer;
  readonly info: ReaderInfo;
}

/** Throws `ModelError`, `TokenizerError`. */
export async function readReader(files: ModelFiles): Promise<Reader> {
  const blueprint = await readBlueprint(files);
  const tokenizer = await loadTokenizer(files);
  return { tokenizer, info: readerInfo(files, blueprint, tokenizer) };
}

export function readerInfo(
  { name }: ModelFiles,
  { config, adapterTargets }: Blueprint,
  { hasChatTemplate }: Tokenizer,
): ReaderInfo {
  return {
    name,
    vocabSize: config.vocabSize,
    maxPositions: config.maxPositions,
    loraTargets: adapterTargets,
    hasChatTemplate,
    defaultLearningRate: defaultLearningRate(config.hiddenSize),
  };
}
