/** The skinny products around a low-rank pair: down to the rank, and the gradient of A or of B transposed. */
import dropoutSource from "../../shaders/lib/dropout.wgsl?raw";
import source from "../../shaders/low-rank.wgsl?raw";
import type { RuntimeScalar } from "../engine/dims";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";

const text = dropoutSource + source;
const groups = (items: number, threads: number) => Math.ceil(items / (4 * threads));
const flops = ({ tokens = 0, rank = 0, columns = 0 }) => 2 * tokens * rank * columns;

// Ranks are few, so both kernels put most of a workgroup's threads along the other axis.
const downKernel = kernel({
  name: "low-rank.down",
  source: text,
  entry: "down",
  reads: { x: ["tokens", "columns"], a: ["rank", "columns"] },
  writes: { h: ["tokens", "rank"] },
  params: ["scale", "dropout", "dropout_seed"],
  overrides: { TILE_COLUMNS: 2, TILE_ROWS: 16 },
  grid: ({ rank = 0, tokens = 0 }, { TILE_COLUMNS = 1, TILE_ROWS = 1 }) => [
    groups(rank, TILE_COLUMNS),
    groups(tokens, TILE_ROWS),
  ],
  flops,
});

const gradientKernel = kernel({
  name: "low-rank.add_gradient",
  source: text,
  entry: "add_gradient",
  reads: { left: ["tokens", "rank"], x: ["tokens", "columns"] },
  writes: { gradient: ["rank", "columns"] },
  params: ["dropout", "dropout_seed"],
  overrides: { TILE_COLUMNS: 16, TILE_ROWS: 2 },
  grid: ({ rank = 0, columns = 0 }, { TILE_COLUMNS = 1, TILE_ROWS = 1 }) => [
    groups(columns, TILE_COLUMNS),
    groups(rank, TILE_ROWS),
  ],
  flops,
});

export interface DropoutOptions {
  /** Probability that an element of x is dropped. */
  readonly dropout?: number;
  readonly dropoutSeed?: RuntimeScalar | number;
}

/** scale · dropout(x) · aᵀ: x [tokens, columns], a [rank, columns] → [tokens, rank]. Columns and rank are multiples of 4. */
export function down(
  g: Graph,
  x: Tensor,
  a: Tensor,
  options: DropoutOptions & { readonly scale: RuntimeScalar | number },
): Tensor {
  const { scale, dropout = 0, dropoutSeed = 0 } = options;
  return g.run(downKernel, { x, a }, { scale, dropout, dropout_seed: dropoutSeed }).h;
}

/** gradient += leftᵀ · dropout(x): left [tokens, rank], x [tokens, columns], gradient [rank, columns]. */
export function addGradient(g: Graph, gradient: Tensor, left: Tensor, x: Tensor, options: DropoutOptions = {}): void {
  const { dropout = 0, dropoutSeed = 0 } = options;
  g.run(gradientKernel, { left, x }, { dropout, dropout_seed: dropoutSeed }, { gradient });
}
