/** y = Wx + b + s·B(A·dropout(x)) over a frozen, possibly quantized W; gradients for x, A and B, never for W. */
import dropoutSource from "../../shaders/lib/dropout.wgsl?raw";
import source from "../../shaders/linear.wgsl?raw";
import type { RuntimeScalar } from "../engine/dims";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import { type FrozenMatrix, forForm, frozenInputs, frozenReads, frozenSource } from "./lib/frozen";
import { addGradient, down } from "./low-rank";

const text = frozenSource + dropoutSource + source;
const tile = { TILE_COLUMNS: 8, TILE_ROWS: 8 };
const groups = (items: number, perThread: number, threads: number) => Math.ceil(items / (perThread * threads));

const forward = kernel({
  name: "linear.forward",
  source: text,
  entry: "forward",
  reads: { x: ["tokens", "columns"], ...frozenReads, bias: ["rows"], h: ["tokens", "rank"], b: ["rank", "rows"] },
  writes: { y: ["tokens", "rows_padded"] },
  params: ["rows", "rows_padded", "rank", "has_bias"],
  overrides: tile,
  grid: ({ rows = 0, tokens = 0 }, { TILE_COLUMNS = 1, TILE_ROWS = 1 }) => [
    groups(rows, 8, TILE_COLUMNS),
    groups(tokens, 8, TILE_ROWS),
  ],
  flops: ({ tokens = 0, rows = 0, columns = 0, rank = 0 }) => 2 * tokens * rows * (columns + rank),
});

const backwardX = kernel({
  name: "linear.backward_x",
  source: text,
  entry: "backward_x",
  reads: { dy: ["tokens", "rows_padded"], ...frozenReads, dh: ["tokens", "rank"], a: ["rank", "columns"] },
  writes: { dx: ["tokens", "columns"] },
  params: ["columns", "rows", "rank", "accumulate", "dropout", "dropout_seed"],
  overrides: tile,
  grid: ({ columns = 0, tokens = 0 }, { TILE_COLUMNS = 1, TILE_ROWS = 1 }) => [
    groups(columns, 8, TILE_COLUMNS),
    groups(tokens, 8, TILE_ROWS),
  ],
  flops: ({ tokens = 0, rows = 0, columns = 0, rank = 0 }) => 2 * tokens * columns * (rows + rank),
});

/** The low-rank pair of one module; ranks are padded to a multiple of 4 with rows of zeros, which stay zero. */
export interface LowRankPair {
  /** [rank, in] */
  readonly a: Tensor;
  /** B transposed: [rank, out] */
  readonly b: Tensor;
  /** Added to; same shapes. Null where the pair is only used, not trained. */
  readonly gradients: { readonly a: Tensor; readonly b: Tensor } | null;
  /** s: α/r or α/√r, times the strength in use. */
  readonly scale: RuntimeScalar | number;
  /** Probability that an input of A is dropped; 0 outside training. */
  readonly dropout: number;
  readonly dropoutSeed: RuntimeScalar | number;
}

/** Row stride of a product's output: W's rows rounded up to whole vectors. */
export const paddedRows = (weight: FrozenMatrix): number => Math.ceil(weight.rows / 4) * 4;

/** x·Wᵀ (+ bias, + the adapter's columns), without a gradient. x [tokens, in] → [tokens, out rounded up to 4]. */
export function product(
  g: Graph,
  x: Tensor,
  weight: FrozenMatrix,
  options: { readonly bias?: Tensor | null; readonly h?: Tensor; readonly b?: Tensor; readonly into?: Tensor } = {},
): Tensor {
  const { bias = null, h = null, b = null, into } = options;
  return g.run(
    forForm(forward, weight),
    { x, ...frozenInputs(weight), bias, h, b },
    { rows: weight.rows, rows_padded: paddedRows(weight), rank: h?.shape[1] ?? 0, has_bias: bias ? 1 : 0 },
    { y: into },
  ).y;
}

/** dy·W (+ the adapter's columns): [tokens, out rounded up to 4] → [tokens, in]. Padded columns of dy must be 0. */
export function transposedProduct(
  g: Graph,
  dy: Tensor,
  weight: FrozenMatrix,
  options: {
    readonly dh?: Tensor;
    readonly a?: Tensor;
    readonly dropout?: number;
    readonly dropoutSeed?: RuntimeScalar | number;
    readonly into?: Tensor | undefined;
    readonly accumulate?: 0 | 1;
  } = {},
): Tensor {
  const { dh = null, a = null, dropout = 0, dropoutSeed = 0, into, accumulate = 0 } = options;
  return g.run(
    forForm(backwardX, weight),
    { dy, ...frozenInputs(weight), dh, a },
    {
      columns: weight.columns,
      rows: weight.rows,
      rank: dh?.shape[1] ?? 0,
      accumulate,
      dropout,
      dropout_seed: dropoutSeed,
    },
    { dx: into },
  ).dx;
}

/** x [tokens, in] → [tokens, out]. W's rows and columns must be multiples of 4. */
export function linear(
  g: Graph,
  x: Tensor,
  weight: FrozenMatrix,
  bias: Tensor | null,
  pair: LowRankPair | null,
): Tensor {
  if (!pair) {
    const y = product(g, x, weight, { bias });
    g.onBackward(y, [x], (dy) => {
      g.addGradient(x, (into, accumulate) => transposedProduct(g, dy, weight, { into, accumulate }));
    });
    return y;
  }
  const { a, b, gradients, scale, dropout, dropoutSeed } = pair;
  const h = down(g, x, a, { scale, dropout, dropoutSeed });
  const y = product(g, x, weight, { bias, h, b });
  g.onBackward(
    y,
    [x],
    (dy) => {
      // s is in h and in dh already, so both parameter gradients come out scaled.
      const dh = down(g, dy, b, { scale });
      if (gradients) {
        addGradient(g, gradients.a, dh, x, { dropout, dropoutSeed });
        addGradient(g, gradients.b, h, dy);
      }
      g.addGradient(x, (into, accumulate) =>
        transposedProduct(g, dy, weight, { dh, a, dropout, dropoutSeed, into, accumulate }),
      );
    },
    { trains: gradients !== null },
  );
  return y;
}
