/** Keys or values of new tokens, appended to the cache that decoding attends to. */
import source from "../../shaders/kv-cache.wgsl?raw";
import type { RuntimeScalar } from "../engine/dims";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { foldedGrid, requireVec4 } from "./lib/grid";

const append = kernel({
  name: "kv-cache.append",
  source,
  entry: "append",
  reads: { values: ["tokens", "width"] },
  writes: { cache: ["capacity", "width"] },
  params: ["offset"],
  overrides: { WORKGROUP: 64 },
  grid: ({ tokens = 0, width = 0 }, { WORKGROUP = 1 }) => foldedGrid(Math.ceil((tokens * width) / 4 / WORKGROUP)),
});

/**
 * Writes values [tokens, width] to rows offset … offset + tokens − 1 of cache [capacity, width], in place, and gives the
 * cache. The caller keeps offset + tokens ≤ capacity; rows past it are dropped. width is a multiple of 4. No gradient.
 */
export function appendToCache(g: Graph, values: Tensor, cache: Tensor, offset: RuntimeScalar | number): Tensor {
  requireVec4("kv-cache", "values", values);
  return g.run(append, { values }, { offset }, { cache }).cache;
}
