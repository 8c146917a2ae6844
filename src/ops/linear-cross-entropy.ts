/** Cross-entropy of an output matrix's logits at the counted tokens, and its gradient, without ever holding all logits. */
import source from "../../shaders/linear-cross-entropy.wgsl?raw";
import { chunkDim, type RuntimeScalar, type SymbolicDim } from "../engine/dims";
import { EngineError } from "../engine/errors";
import type { Graph } from "../engine/graph";
import { kernel } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";
import type { FrozenMatrix } from "./lib/frozen";
import { product, transposedProduct } from "./linear";

/** Rows of logits alive at once. */
const chunkRows = 64;

const overrides = { WORKGROUP: 64 };
/** MAX_ROWS of the shader: a grid axis holds 65,535 workgroups. */
const maxRows = 32768;
const columnsByRows = (columns: number, rows: number, workgroup: number) =>
  [Math.ceil(columns / 4 / workgroup), Math.min(rows, maxRows), Math.ceil(rows / maxRows)] as const;

const gather = kernel({
  name: "linear-cross-entropy.gather",
  source,
  entry: "gather",
  reads: { hidden: ["tokens", "columns"], target_indices: ["targets"] },
  writes: { gathered: ["targets", "columns"] },
  params: [],
  overrides,
  grid: ({ columns = 0, targets = 0 }, { WORKGROUP = 1 }) => columnsByRows(columns, targets, WORKGROUP),
});

const scatter = kernel({
  name: "linear-cross-entropy.scatter",
  source,
  entry: "scatter",
  reads: { target_indices: ["targets"], gathered_gradient: ["targets", "columns"] },
  writes: { dx: ["tokens", "columns"] },
  params: ["tokens", "accumulate"],
  overrides,
  grid: ({ columns = 0, tokens = 0 }, { WORKGROUP = 1 }) => columnsByRows(columns, tokens, WORKGROUP),
});

const lossAndGradient = kernel({
  name: "linear-cross-entropy.loss_and_gradient",
  source,
  entry: "loss_and_gradient",
  reads: { target_ids: ["rows"] },
  writes: { logits: ["rows", "vocabulary_padded"], losses: ["rows"] },
  params: ["vocabulary", "with_gradient", "scale"],
  overrides,
  grid: ({ rows = 0 }) => [rows],
});

export interface Targets {
  /** Ascending token indices, u32[targets]; entry c's logits predict `ids[c]`. */
  readonly indices: Tensor;
  /** u32[targets] */
  readonly ids: Tensor;
}

/** The rows of hidden [tokens, columns] that `indices` u32[targets] name, without a gradient: [targets, columns]. */
export function gatherRows(g: Graph, hidden: Tensor, indices: Tensor): Tensor {
  return g.run(gather, { hidden, target_indices: indices }, {}).gathered;
}

/**
 * hidden [tokens, columns] × weight [vocabulary, columns] → one loss per counted token, in nats, f32[targets]. The
 * gradient that flows back is that of `scale` · Σ losses; scale = 1 / counted tokens of the optimizer step gives the mean.
 */
export function linearCrossEntropy(
  g: Graph,
  hidden: Tensor,
  weight: FrozenMatrix,
  targets: Targets,
  scale: RuntimeScalar | number,
): Tensor {
  const dim = targets.indices.shape[0];
  const tokens = hidden.shape[0];
  if (typeof dim !== "object" || tokens === undefined) {
    throw new EngineError("linear-cross-entropy: the number of targets must be a symbolic size.");
  }
  const withGradient = g.needsGradient(hidden);
  const gathered = gatherRows(g, hidden, targets.indices);
  const losses = g.tensor("losses", "f32", [dim]);
  const gradient = withGradient ? g.tensor("gathered gradient", "f32", [dim, weight.columns]) : null;
  for (let index = 0; index * chunkRows < dim.max; index += 1) {
    const first = index * chunkRows;
    const rows: SymbolicDim = chunkDim(dim, index, chunkRows);
    const logits = product(g, g.rows(gathered, first, rows), weight);
    g.run(
      lossAndGradient,
      { target_ids: g.rows(targets.ids, first, rows) },
      { vocabulary: weight.rows, with_gradient: withGradient ? 1 : 0, scale },
      { logits, losses: g.rows(losses, first, rows) },
    );
    if (gradient) transposedProduct(g, logits, weight, { into: g.rows(gradient, first, rows) });
  }
  if (gradient) {
    g.onBackward(losses, [hidden], () => {
      g.addGradient(
        hidden,
        (dx, accumulate) =>
          g.run(
            scatter,
            { target_indices: targets.indices, gathered_gradient: gradient },
            { tokens, accumulate },
            { dx },
          ).dx,
      );
    });
  }
  return losses;
}
