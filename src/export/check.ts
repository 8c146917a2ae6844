/** What every target demands of an adapter: the modules that its config promises, no others, in the base's shapes, and finite. */
import type { Adapter } from "../training/adapter";
import type { BaseModel } from "./types";

/** PEFT's rule for a list of target modules: the path itself, or a path that ends with "." and the name. */
export function isTarget(module: string, targets: readonly string[]): boolean {
  return targets.some((target) => module === target || module.endsWith(`.${target}`));
}

/** One sentence, or null where the adapter is sound. */
export function adapterFault(adapter: Adapter, base: BaseModel): string | null {
  const { rank, alpha, targetModules } = adapter.config;
  if (!Number.isSafeInteger(rank) || rank < 1)
    return `The adapter's rank is ${rank}; it must be a whole number above 0.`;
  if (!Number.isFinite(alpha)) return `The adapter's alpha is ${alpha}; it must be a number.`;
  const seen = new Set<string>();
  for (const { module, inFeatures, outFeatures, a, b } of adapter.modules) {
    if (seen.has(module)) return `The adapter holds ${module} twice.`;
    seen.add(module);
    const shape = base.modules.get(module);
    if (!shape || !isTarget(module, targetModules)) {
      return `The adapter holds ${module}, which ${shape ? `its targets ${targetModules.join(", ")} leave out` : `${base.name} does not have`}.`;
    }
    if (inFeatures !== shape.inFeatures || outFeatures !== shape.outFeatures) {
      return `The adapter's ${module} goes from ${inFeatures} to ${outFeatures} features, but that of ${base.name} from ${shape.inFeatures} to ${shape.outFeatures}; use the base model that it was trained on.`;
    }
    for (const [matrix, values, count] of [
      ["A", a, rank * inFeatures],
      ["B", b, rank * outFeatures],
    ] as const) {
      if (values.length !== count)
        return `Matrix ${matrix} of ${module} has ${values.length} values; rank ${rank} asks for ${count}.`;
      const index = values.findIndex((value) => !Number.isFinite(value));
      if (index >= 0)
        return `Matrix ${matrix} of ${module} holds ${values[index]} at element ${index}; the run diverged, train again with a lower learning rate.`;
    }
  }
  for (const module of base.modules.keys()) {
    if (isTarget(module, targetModules) && !seen.has(module)) {
      return `The adapter lacks ${module}, which its targets ${targetModules.join(", ")} ask for.`;
    }
  }
  return seen.size === 0
    ? `The adapter is empty: no module of ${base.name} matches its targets ${targetModules.join(", ")}.`
    : null;
}
