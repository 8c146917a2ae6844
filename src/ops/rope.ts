/**
 * Rotary position embedding (Su et al. 2021) in the "rotate half" layout of Hugging Face's Llama, over whole heads or, as in
 * GPT-NeoX and Phi-3, over the first columns of each.
 */
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
  params: ["head_dim", "direction", "accumulate"],
  overrides: { WORKGROUP: 64 },
  grid: ({ tokens = 0, width = 0 }, { WORKGROUP = 1 }) => foldedGrid(Math.ceil((tokens * width) / 2 / WORKGROUP)),
});

/** For each position and pair of columns that turns, [positions, rotaryDim / 2]. */
export interface RopeTables<Table> {
  readonly cosines: Table;
  readonly sines: Table;
}

/**
 * x [tokens, heads · headDim] → the same shape, turned by positions u32[tokens], each below the tables' length. In each head
 * the first rotaryDim columns turn, twice the tables' width; the rest is copied. headDim is even.
 */
export function rope(g: Graph, x: Tensor, positions: Tensor, tables: RopeTables<Tensor>, headDim: number): Tensor {
  const half = tables.cosines.shape[1];
  const width = x.shape[1];
  if (!Number.isInteger(headDim) || headDim < 2 || headDim % 2 !== 0) {
    throw new ShapeError(`rope: the head size is ${headDim}; it must be an even number of at least 2.`);
  }
  if (typeof half !== "number" || half < 1 || 2 * half > headDim) {
    throw new ShapeError(
      `rope: the tables turn ${2 * Number(half)} columns; it must be 2 to the head size ${headDim}.`,
    );
  }
  if (typeof width !== "number" || width % headDim !== 0) {
    throw new ShapeError(`rope: x has rows of ${String(width)}, not a multiple of the head size ${headDim}.`);
  }
  const angles = { cos_table: tables.cosines, sin_table: tables.sines, positions };
  const { y } = g.run(rotate, { x, ...angles }, { head_dim: headDim, direction: 1, accumulate: 0 });
  g.onBackward(y, [x], (dy) => {
    g.addGradient(
      x,
      (dx, accumulate) =>
        g.run(rotate, { x: dy, ...angles }, { head_dim: headDim, direction: -1, accumulate }, { y: dx }).y,
    );
  });
  return y;
}

/**
 * Tables for positions 0 … count − 1. The angle is rounded to f32 before its cosine is taken, as PyTorch does. `factor`
 * multiplies cosines and sines: the attention factor of YaRN and LongRoPE, which transformers applies there, in f32.
 */
export function ropeTables(
  inverseFrequencies: Float32Array,
  count: number,
  factor = 1,
): RopeTables<Float32Array<ArrayBuffer>> {
  const half = inverseFrequencies.length;
  const cosines = new Float32Array(count * half);
  const sines = new Float32Array(count * half);
  const scale = Math.fround(factor);
  for (let position = 0; position < count; position += 1) {
    inverseFrequencies.forEach((frequency, index) => {
      const angle = Math.fround(position * frequency);
      cosines[position * half + index] = Math.fround(Math.cos(angle)) * scale;
      sines[position * half + index] = Math.fround(Math.sin(angle)) * scale;
    });
  }
  return { cosines, sines };
}
