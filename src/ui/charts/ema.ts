/** Smoothing for loss curves. */

/**
 * Exponential moving average without the start-up bias: mᵢ = Σ βʲ·xᵢ₋ⱼ / Σ βʲ over the finite values so far.
 * A value that is not finite gives NaN at its place and counts for nothing after it. 0 ≤ beta < 1.
 */
export function debiasedEma(values: readonly number[], beta: number): number[] {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return Number.NaN;
    sum = beta * sum + value;
    weight = beta * weight + 1;
    return sum / weight;
  });
}

/** At most `most` indices of `length` items, evenly spread, first and last among them. */
export function spread(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, index) => index);
  return Array.from({ length: most }, (_, index) => Math.round((index * (length - 1)) / (most - 1)));
}
