/** L2 norm of all gradients, which lie in one flat buffer: what clipping and the log need. Repeats bit for bit. */
import shader from "../../shaders/gradient-norm.wgsl?raw";
import reduce from "../../shaders/lib/workgroup-sum.wgsl?raw";
import { ShapeError } from "../engine/errors";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { foldedGrid } from "./lib/grid";

const source = reduce + shader;
const blockSize = 4096;

const squareSums = kernel({
  name: "gradient-norm.square_sums",
  source,
  entry: "square_sums",
  reads: { gradients: ["count"] },
  writes: { block_sums: ["blocks"] },
  params: ["blocks"],
  overrides: { WORKGROUP: 64, BLOCK: blockSize },
  grid: ({ blocks = 0 }) => foldedGrid(blocks),
});

const finish = kernel({
  name: "gradient-norm.finish",
  source,
  entry: "finish",
  reads: { saved_block_sums: ["blocks"] },
  writes: { statistics: ["*"] },
  params: ["index"],
  overrides: { WORKGROUP: 64 },
  grid: () => [1],
});

/** Writes √Σ g² of gradients (f32[count]) to statistics[index], where `adamw` reads it, and gives statistics. */
export function gradientNorm(g: Graph, gradients: Tensor, statistics: Tensor, index: number): Tensor {
  const count = gradients.shape[0];
  if (typeof count !== "number") throw new ShapeError("gradient-norm: gradients must have a fixed length.");
  const { block_sums } = g.run(squareSums, { gradients }, { blocks: Math.ceil(count / blockSize) });
  return g.run(finish, { saved_block_sums: block_sums }, { index }, { statistics }).statistics;
}
