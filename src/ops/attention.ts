/** Causal grouped-query attention over packed documents, forward and backward in memory linear in the tokens. */
import source from "../../shaders/attention.wgsl?raw";
import type { RuntimeScalar } from "../engine/dims";
import { ShapeError } from "../engine/errors";
import type { Graph } from "../engine/graph";
import { kernel, type Sizes } from "../engine/kernel";
import type { Tensor } from "../engine/tensor";

const overrides = { WORKGROUP: 32 };
/** Replaced by the model's head size; a power of two is not needed, a multiple of 4 is. */
const constants = { HEAD_DIM: 64 };
const maxHeadDim = 256;

/** A window is a u32 in the shader. */
const maxWindow = 2 ** 32 - 1;

/** Query and key pairs of one document: an upper bound where there are several. */
const pairs = ({ tokens = 0, keys = tokens, window = 0 }: Sizes) => {
  // Of the first `count` tokens, each sees one key more than the one before until the window is full.
  const upTo = (count: number) => {
    const growing = window === 0 ? count : Math.min(count, window);
    return (growing * (growing + 1)) / 2 + (count - growing) * growing;
  };
  return upTo(keys) - upTo(keys - tokens);
};
const perHead = ({ tokens = 0, heads = 0 }: Sizes, { WORKGROUP = 1 }: Sizes) =>
  [Math.ceil(tokens / WORKGROUP), heads] as const;

const queries = { q: ["tokens", "q_width"] } as const;
const keysAndValues = { k: ["keys", "kv_width"], v: ["keys", "kv_width"] } as const;
/** In training the keys are the tokens' own. */
const ownKeysAndValues = { k: ["tokens", "kv_width"], v: ["tokens", "kv_width"] } as const;

const forward = kernel({
  name: "attention.forward",
  source,
  entry: "forward",
  reads: { ...queries, ...keysAndValues, segment_start: ["tokens"] },
  writes: { y: ["tokens", "q_width"], lse: ["tokens", "heads"] },
  params: ["heads", "query_offset", "window", "scale"],
  overrides,
  constants,
  grid: perHead,
  flops: (sizes) => 4 * (sizes["q_width"] ?? 0) * pairs(sizes),
});

const backwardRows = kernel({
  name: "attention.backward_rows",
  source,
  entry: "backward_rows",
  reads: { saved_y: ["tokens", "q_width"], saved_lse: ["tokens", "heads"], dy: ["tokens", "q_width"] },
  writes: { row_terms: ["tokens", "heads", "terms"] },
  params: ["terms"],
  overrides,
  constants,
  grid: perHead,
});

const backwardQ = kernel({
  name: "attention.backward_q",
  source,
  entry: "backward_q",
  reads: {
    ...queries,
    ...ownKeysAndValues,
    dy: ["tokens", "q_width"],
    saved_row_terms: ["tokens", "heads", "terms"],
    segment_start: ["tokens"],
  },
  writes: { dq: ["tokens", "q_width"] },
  params: ["window", "scale", "accumulate"],
  overrides,
  constants,
  grid: perHead,
  flops: (sizes) => 6 * (sizes["q_width"] ?? 0) * pairs(sizes),
});

const backwardKv = kernel({
  name: "attention.backward_kv",
  source,
  entry: "backward_kv",
  reads: {
    ...queries,
    ...ownKeysAndValues,
    dy: ["tokens", "q_width"],
    saved_row_terms: ["tokens", "heads", "terms"],
    segment_end: ["tokens"],
  },
  writes: { dk: ["tokens", "kv_width"], dv: ["tokens", "kv_width"] },
  params: ["window", "scale", "accumulate", "accumulate_v"],
  overrides,
  constants,
  grid: ({ tokens = 0, heads = 0, q_width = 1, kv_width = 1 }, { WORKGROUP = 1 }) => [
    Math.ceil(tokens / WORKGROUP),
    (heads * kv_width) / q_width,
  ],
  flops: (sizes) => 8 * (sizes["q_width"] ?? 0) * pairs(sizes),
});

export interface AttentionInputs {
  /** [tokens, heads · headDim] */
  readonly q: Tensor;
  /** [keys, keyValueHeads · headDim]; keys are the tokens themselves, or the filled rows of a cache. */
  readonly k: Tensor;
  readonly v: Tensor;
}

/** For each token the half-open range of key indices that its document takes, u32[tokens]. */
export interface Segments {
  readonly segmentStart: Tensor;
  readonly segmentEnd: Tensor;
}

export interface AttentionOptions {
  readonly heads: number;
  /** Divides `heads`. */
  readonly keyValueHeads: number;
  /** A multiple of 4, at most 256. */
  readonly headDim: number;
  /** 1/√headDim where absent. */
  readonly scale?: number;
  /** Sliding window: token t sees the keys from t − window + 1 to its own, as far as they are its document's. All where absent. */
  readonly window?: number;
  /** Decoding with a cache: query t sits at key index queryOffset + t. Has no backward pass. */
  readonly queryOffset?: RuntimeScalar;
}

/** Token t sees the keys from its document's first, or its window's where that is later, up to its own. → [tokens, heads · headDim] */
export function attention(g: Graph, inputs: AttentionInputs, segments: Segments, options: AttentionOptions): Tensor {
  const { q, k, v } = inputs;
  const { heads, keyValueHeads, headDim, queryOffset, scale = 1 / Math.sqrt(headDim) } = options;
  /** 0 is "none" in the shader. */
  const window = options.window ?? 0;
  requireHeads(q, "q", heads, headDim);
  requireHeads(k, "k", keyValueHeads, headDim);
  if (heads % keyValueHeads !== 0) {
    throw new ShapeError(`attention: ${heads} query heads cannot share ${keyValueHeads} key heads evenly.`);
  }
  if (headDim % 4 !== 0 || headDim > maxHeadDim) {
    throw new ShapeError(`attention: the head size is ${headDim}; it must be a multiple of 4, at most ${maxHeadDim}.`);
  }
  if (options.window !== undefined && !(Number.isInteger(window) && window >= 1 && window <= maxWindow)) {
    throw new ShapeError(`attention: the window is ${window}; it must be a whole number from 1 to ${maxWindow}.`);
  }
  const sized = { constants: { HEAD_DIM: headDim } };
  const { segmentStart: segment_start, segmentEnd: segment_end } = segments;
  const { y, lse } = g.run(
    forward.with(sized),
    { q, k, v, segment_start },
    { heads, query_offset: queryOffset ?? 0, window, scale },
  );
  if (queryOffset) return y;
  g.onBackward(y, [q, k, v], (dy) => {
    const { row_terms } = g.run(backwardRows.with(sized), { saved_y: y, saved_lse: lse, dy }, { terms: 2 });
    const saved = { q, k, v, dy, saved_row_terms: row_terms };
    g.addGradient(
      q,
      (dq, accumulate) =>
        g.run(backwardQ.with(sized), { ...saved, segment_start }, { window, scale, accumulate }, { dq }).dq,
    );
    const keyAndValue = (dk: Tensor | undefined, accumulate: 0 | 1, dv: Tensor | undefined, accumulate_v: 0 | 1) =>
      g.run(backwardKv.with(sized), { ...saved, segment_end }, { window, scale, accumulate, accumulate_v }, { dk, dv });
    if (!g.needsGradient(v)) g.addGradient(k, (dk, accumulate) => keyAndValue(dk, accumulate, undefined, 0).dk);
    else if (!g.needsGradient(k)) g.addGradient(v, (dv, accumulate) => keyAndValue(undefined, 0, dv, accumulate).dv);
    else {
      // One kernel writes both, so it is recorded once both targets are known.
      g.addGradient(k, (dk, accumulate) => {
        let made = dk;
        g.addGradient(v, (dv, accumulateV) => {
          const both = keyAndValue(dk, accumulate, dv, accumulateV);
          made = both.dk;
          return both.dv;
        });
        if (!made) throw new ShapeError("attention: k and v must be different tensors.");
        return made;
      });
    }
  });
  return y;
}

function requireHeads(tensor: Tensor, name: string, heads: number, headDim: number): void {
  const width = tensor.shape[1];
  if (width !== heads * headDim) {
    throw new ShapeError(`attention: ${name} has rows of ${String(width)}, not ${heads} heads of ${headDim}.`);
  }
}
