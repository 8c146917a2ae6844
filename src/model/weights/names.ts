/** What a tensor is called in its file: checkpoints of the bare model leave the base model's prefix off every name. */
import type { WeightSource } from "./types";

export function nameInSource(
  name: string,
  { baseModelPrefix }: { readonly baseModelPrefix: string },
  { tensors }: Pick<WeightSource, "tensors">,
): string {
  const prefix = `${baseModelPrefix}.`;
  if (tensors.has(name) || !name.startsWith(prefix)) return name;
  const bare = name.slice(prefix.length);
  return tensors.has(bare) ? bare : name;
}
