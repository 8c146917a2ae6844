/** Rotary position embedding (Su et al. 2021) in the "rotate half" layout of Hugging Face's Llama. */
import source from "../../shaders/rope.wgsl?raw";
import { ShapeError } from "../engine/errors";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { foldedGrid } from "./lib/grid";

const rotate = kernel({
  name: "rope.rotate",
  source,
  entry: "rotate",
  reads: {
    x: ["tokens", "width"],
    cos_table: ["table_positions", "half"],
    sin_table: ["table_positions", "half"],
    positions: ["tokens"],
  },
  writes: { y: ["tokens", "width"] },
  params: ["direction", "accumulate"],
  overrides: { WORKGROUP: 64 },
  grid: ({ tokens = 0, width = 0 }, { WORKGROUP = 1 }) => foldedGrid(Math.ceil((tokens * width) / 2 / WORKGROUP)),
});

/** For each position and pair of a head, [positions, head_dim / 2]. */
export interface RopeTables<Table> {
  readonly cosines: Table;
  readonly sines: Table;
}

/**
 * x [tokens, heads · head_dim] → the same shape, turned by positions u32[tokens], each below the tables' length; head_dim
 * is twice the tables' width.
 */
export function rope(g: Graph, x: Tensor, positions: Tensor, tables: RopeTables<Tensor>): Tensor {
  const half = tables.cosines.shape[1];
  const width = x.shape[1];
  if (typeof half !== "number" || typeof width !== "number" || width % (2 * half) !== 0) {
    throw new ShapeError(`rope: x has rows of ${String(width)}, not a multiple of the head size ${2 * Number(half)}.`);
  }
  const angles = { cos_table: tables.cosines, sin_table: tables.sines, positions };
  const { y } = g.run(rotate, { x, ...angles }, { direction: 1, accumulate: 0 });
  g.onBackward(y, [x], (dy) => {
    g.addGradient(
      x,
      (dx, accumulate) => g.run(rotate, { x: dy, ...angles }, { direction: -1, accumulate }, { y: dx }).y,
    );
  });
  return y;
}

/** Tables for positions 0 … count − 1. The angle is rounded to f32 before its cosine is taken, as PyTorch does. */
export function ropeTables(inverseFrequencies: Float32Array, count: number): RopeTables<Float32Array<ArrayBuffer>> {
  const half = inverseFrequencies.length;
  const cosines = new Float32Array(count * half);
  const sines = new Float32Array(count * half);
  for (let position = 0; position < count; position += 1) {
    inverseFrequencies.forEach((frequency, index) => {
      const angle = Math.fround(position * frequency);
      cosines[position * half + index] = Math.cos(angle);
      sines[position * half + index] = Math.sin(angle);
    });
  }
  return { cosines, sines };
}
