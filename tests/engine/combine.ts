/** The one kernel of the engine's tests. */
import { kernel } from "../../src/engine/kernel";
import source from "./combine.wgsl?raw";

export { source };

export const combine = kernel({
  name: "combine.combine",
  source,
  entry: "combine",
  reads: { a: ["rows", "columns"], b: ["rows", "columns"] },
  writes: { y: ["rows", "columns"] },
  params: ["factor", "has_b", "accumulate"],
  overrides: { WORKGROUP: 32 },
  grid: ({ rows = 0, columns = 0 }, { WORKGROUP = 1 }) => [Math.ceil((rows * columns) / WORKGROUP)],
  flops: ({ rows = 0, columns = 0 }) => 2 * rows * columns,
});
