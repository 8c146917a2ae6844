/** Lengths in about 24 bins with round edges. */

export interface LengthHistogram {
  /** One more than there are counts. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

const mostBins = 24;

/**
 * Bin i holds lengths from `edges[i]` up to, not including, `edges[i + 1]`. Edges are multiples of 1, 2 or 5 times a power of
 * ten; a few very long rows do not squeeze all others into one bin: what lies beyond 99 % goes into a last, wider one.
 */
export function lengthHistogram(lengths: Uint32Array<ArrayBuffer>): LengthHistogram {
  if (lengths.length === 0) return { edges: [0, 1], counts: [0] };
  const sorted = lengths.toSorted();
  const longest = sorted[sorted.length - 1] ?? 0;
  const most = sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 0;
  const step = roundStep((most + 1) / mostBins);
  const edges = [0];
  while ((edges.at(-1) ?? 0) <= most) edges.push(edges.length * step);
  const last = edges.at(-1) ?? 0;
  if (longest >= last) edges.push((Math.floor(longest / step) + 1) * step);
  const counts = new Array<number>(edges.length - 1).fill(0);
  for (const length of lengths) {
    const bin = length >= last ? counts.length - 1 : Math.floor(length / step);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { edges, counts };
}

/** The least of 1, 2, 5, 10, 20, … that is not below `value`. */
function roundStep(value: number): number {
  let power = 1;
  while (10 * power < value) power *= 10;
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= value) ?? 10 * power;
}
