/** Runs of columns as a tensor of their own: a part of a fused projection, whole or interleaved by head. */
import source from "../../shaders/columns.wgsl?raw";
import { ShapeError } from "../engine/errors";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { foldedGrid, requireVec4 } from "./lib/grid";

const overrides = { WORKGROUP: 64 };

const forward = kernel({
  name: "columns.forward",
  source,
  entry: "forward",
  reads: { x: ["tokens", "width"] },
  writes: { y: ["tokens", "out_width"] },
  params: ["out_width", "period", "offset", "size"],
  overrides,
  grid: ({ tokens = 0, out_width = 0 }, { WORKGROUP = 1 }) =>
    foldedGrid(Math.ceil((tokens * out_width) / 4 / WORKGROUP)),
});

const backwardX = kernel({
  name: "columns.backward_x",
  source,
  entry: "backward_x",
  reads: { dy: ["tokens", "out_width"] },
  writes: { dx: ["tokens", "width"] },
  params: ["width", "period", "offset", "size", "accumulate"],
  overrides,
  grid: ({ tokens = 0, width = 0 }, { WORKGROUP = 1 }) => foldedGrid(Math.ceil((tokens * width) / 4 / WORKGROUP)),
});

/** Which columns: run j of `groups` begins at j · period + offset and has `size`. */
export interface ColumnRuns {
  readonly groups: number;
  /** A multiple of 4, as offset and size are. Runs do not cross it: offset + size ≤ period. */
  readonly period: number;
  readonly offset: number;
  readonly size: number;
}

/**
 * x [tokens, width] → y [tokens, groups · size], y[t, j · size + i] = x[t, j · period + offset + i]. The first of several
 * parts to give x its gradient makes all others' columns 0. Throws `ShapeError` where a run is not within x.
 */
export function columns(g: Graph, x: Tensor, runs: ColumnRuns): Tensor {
  const width = requireVec4("columns", "x", x);
  checkRuns(runs, width);
  const { groups, period, offset, size } = runs;
  const { y } = g.run(forward, { x }, { out_width: groups * size, period, offset, size });
  g.onBackward(y, [x], (dy) => {
    g.addGradient(
      x,
      (dx, accumulate) => g.run(backwardX, { dy }, { width, period, offset, size, accumulate }, { dx }).dx,
    );
  });
  return y;
}

function checkRuns({ groups, period, offset, size }: ColumnRuns, width: number): void {
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ShapeError(`columns: groups is ${groups}; it must be a whole number from 1 on.`);
  }
  for (const [name, value, least] of [
    ["period", period, 4],
    ["offset", offset, 0],
    ["size", size, 4],
  ] as const) {
    if (!Number.isInteger(value) || value < least || value % 4 !== 0) {
      throw new ShapeError(`columns: ${name} is ${value}; it must be a multiple of 4 from ${least} on.`);
    }
  }
  if (offset + size > period) {
    throw new ShapeError(
      `columns: a run from ${offset} of ${size} columns goes past the period of ${period}; runs must lie within it.`,
    );
  }
  const end = (groups - 1) * period + offset + size;
  if (end > width) {
    throw new ShapeError(`columns: the last of ${groups} runs ends at ${end}, but x has rows of ${width}.`);
  }
}
