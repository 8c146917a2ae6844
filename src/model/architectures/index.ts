/** Every architecture file of this folder, by model type. */
import type { Architecture } from "../architecture";
import { ModelError } from "../errors";

const modules = import.meta.glob<Record<string, Architecture>>(["./*.ts", "!./index.ts"], { eager: true });

export const architectures: ReadonlyMap<string, Architecture> = new Map(
  Object.values(modules)
    .flatMap((module) => Object.values(module))
    .map((architecture) => [architecture.modelType, architecture]),
);

/** Throws `ModelError` listing the known types. */
export function architectureOf(modelType: string): Architecture {
  const architecture = architectures.get(modelType);
  if (!architecture) {
    throw new ModelError(
      `config.json: model_type is "${modelType}"; supported are ${[...architectures.keys()].join(", ")}.`,
    );
  }
  return architecture;
}
