/** Sum of a vector into one element of a statistics tensor: a step's loss. The same values always give the same bits. */
import reduce from "../../shaders/lib/workgroup-sum.wgsl?raw";
import shader from "../../shaders/sum.wgsl?raw";
import type { RuntimeScalar } from "../engine/dims";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";

const forward = kernel({
  name: "sum.forward",
  source: reduce + shader,
  entry: "forward",
  reads: { values: ["count"] },
  writes: { statistics: ["*"] },
  params: ["index", "accumulate"],
  overrides: { WORKGROUP: 64 },
  // One workgroup even for no values, so that the element is written.
  grid: () => [1],
});

/**
 * Writes Σ values (f32[count]) to statistics[index], or adds it to what is there where `accumulate` is 1; gives
 * statistics. One workgroup: for thousands of values, not millions. No gradient.
 */
export function sum(
  g: Graph,
  values: Tensor,
  statistics: Tensor,
  options: { readonly index: number; readonly accumulate: RuntimeScalar | number },
): Tensor {
  return g.run(forward, { values }, options, { statistics }).statistics;
}
