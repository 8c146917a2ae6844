/** Every architecture file of this folder, by model type. */
import type { Architecture } from "../architecture";

const modules = import.meta.glob<Record<string, Architecture>>(["./*.ts", "!./index.ts"], { eager: true });

export const architectures: ReadonlyMap<string, Architecture> = new Map(
  Object.values(modules)
    .flatMap((module) => Object.values(module))
    .map((architecture) => [architecture.modelType, architecture]),
);
