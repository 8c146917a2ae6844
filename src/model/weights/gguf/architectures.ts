/** The architectures that are read from GGUF. */
import { WeightsError } from "../../errors";
import type { GgufArchitecture } from "./architecture";
import { gemma3 } from "./gemma3";
import { gpt2 } from "./gpt2";
import { gptneox } from "./gptneox";
import type { GgufHeader } from "./header";
import { llama } from "./llama";
import { phi3 } from "./phi3";
import { qwen2 } from "./qwen2";
import { qwen3 } from "./qwen3";

const architectures: readonly GgufArchitecture[] = [llama, qwen2, qwen3, gemma3, gpt2, gptneox, phi3];

/** Throws `WeightsError` listing the known ones, and for files that hold no whole model. */
export async function architectureOfFile({ metadata }: GgufHeader): Promise<GgufArchitecture> {
  const { file } = metadata;
  const kind = (await metadata.text("general.type")) ?? "model";
  if (kind !== "model") {
    throw new WeightsError(
      `${file} holds no model: general.type is "${kind.slice(0, 80)}"; take the file of the model itself.`,
    );
  }
  const parts = metadata.int("split.count", 0, 2 ** 16, 1);
  if (parts > 1) {
    throw new WeightsError(
      `${file} is one of ${parts} parts, which cannot be read; join them with llama-gguf-split --merge, or take the model in one file.`,
    );
  }
  const layout = metadata.int("general.quantization_version", 0, 2 ** 16, 2);
  if (layout !== 2) throw metadata.error("general.quantization_version", "2; older blocks are laid out differently");
  const id = (await metadata.text("general.architecture")) ?? "";
  const found = architectures.find((architecture) => architecture.id === id);
  if (found) return found;
  throw new WeightsError(
    `${file}: general.architecture is "${id.slice(0, 80)}"; supported are ${architectures.map((known) => known.id).join(", ")} (Mistral and SmolLM are llama; mixtures of experts are not built), pick another model.`,
  );
}
