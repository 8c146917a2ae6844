/** Token embedding: rows of a frozen, possibly quantized matrix. It is not trained and stops the backward pass. */
import shader from "../../shaders/embedding.wgsl?raw";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { type FrozenMatrix, forForm, frozenInputs, frozenReads, frozenSource } from "./lib/frozen";
import { foldedGrid } from "./lib/grid";

const forward = kernel({
  name: "embedding.forward",
  source: frozenSource + shader,
  entry: "forward",
  reads: { ids: ["tokens"], ...frozenReads },
  writes: { y: ["tokens", "columns"] },
  params: ["columns", "scale"],
  overrides: { WORKGROUP: 64 },
  grid: ({ tokens = 0, columns = 0 }, { WORKGROUP = 1 }) =>
    foldedGrid(Math.ceil((tokens * Math.ceil(columns / 8)) / WORKGROUP)),
});

/** ids u32[tokens], each below the matrix's rows → [tokens, columns], times `scale` (1 for Llama). */
export function embedding(g: Graph, ids: Tensor, matrix: FrozenMatrix, scale = 1): Tensor {
  return g.run(forForm(forward, matrix), { ids, ...frozenInputs(matrix) }, { columns: matrix.columns, scale }).y;
}
