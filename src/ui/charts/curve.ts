/** What of a run's numbers is drawn: smoothed before it is thinned, and in a range that outliers do not own. */
import { debiasedEma } from "./ema";

/**
 * The moving average of one number by step; on a log axis that of its logarithms, so that it lies where it is seen.
 * Up to two points stay what they are: there is nothing to smooth.
 */
export function smoothed(values: readonly number[], beta: number, log: boolean): number[] {
  const usable = (value: number): boolean => Number.isFinite(value) && (!log || value > 0);
  if (values.reduce((sum, value) => sum + (usable(value) ? 1 : 0), 0) <= 2) {
    return values.map((value) => (usable(value) ? value : Number.NaN));
  }
  if (!log) return debiasedEma(values, beta);
  return debiasedEma(
    values.map((value) => (usable(value) ? Math.log(value) : Number.NaN)),
    beta,
  ).map(Math.exp);
}

/**
 * At most about `most` indices of `from` … `values.length − 1`: in each bin the lowest, the highest and the first value
 * that is no number, so that no spike and no gap is lost. First and last are among them.
 */
export function thinned(values: readonly number[], from: number, most: number): number[] {
  const length = values.length - from;
  if (length <= most) return Array.from({ length: Math.max(0, length) }, (_, index) => from + index);
  const bins = Math.max(1, Math.floor(most / 3));
  const picked = new Set([from, values.length - 1]);
  for (let bin = 0; bin < bins; bin++) {
    const start = from + Math.floor((bin * length) / bins);
    const end = from + Math.floor(((bin + 1) * length) / bins);
    let low = -1;
    let high = -1;
    let gap = -1;
    for (let index = start; index < end; index++) {
      const value = values[index] ?? Number.NaN;
      if (!Number.isFinite(value)) gap = gap < 0 ? index : gap;
      else {
        if (low < 0 || value < (values[low] ?? value)) low = index;
        if (high < 0 || value > (values[high] ?? value)) high = index;
      }
    }
    for (const index of [low, high, gap]) if (index >= 0) picked.add(index);
  }
  return [...picked].sort((a, b) => a - b);
}

export interface Range {
  readonly min: number;
  readonly max: number;
  /** Values above `max`. */
  readonly above: number;
}

interface RangeOptions {
  /** Few values above the 99th percentile may lie outside where they would take more than half of the height. */
  readonly clip: boolean;
  readonly log: boolean;
  /** A linear axis begins at zero. */
  readonly fromZero: boolean;
}

/** Below so many values none is an outlier. */
const fewest = 5;

/** What the axis spans for `values` and, in any case, `always`; on a log axis in powers of ten. */
export function rangeOf(
  values: readonly number[],
  always: readonly number[],
  { clip, log, fromZero }: RangeOptions,
): Range {
  const usable = (value: number): boolean => Number.isFinite(value) && (!log || value > 0);
  const placed = (all: readonly number[]) => Float64Array.from(all.filter(usable), log ? Math.log10 : undefined);
  const sorted = placed(values).sort();
  const sure = placed(always);
  let low = sorted[0] ?? Number.POSITIVE_INFINITY;
  let high = sorted.at(-1) ?? Number.NEGATIVE_INFINITY;
  const bound = sorted[Math.floor(0.99 * (sorted.length - 1))] ?? high;
  if (clip && sorted.length >= fewest && high > 2 * bound - low) high = bound;
  for (const value of sure) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return { min: 0, max: 1, above: 0 };
  const air = Math.max(0.08 * (high - low), log ? 0.05 : 0.05 * Math.abs(high), 1e-12);
  const max = high + air;
  const min = log ? low - air : fromZero ? 0 : Math.max(Math.min(0, low), low - air);
  let above = 0;
  for (let index = sorted.length - 1; index >= 0 && (sorted[index] ?? max) > max; index--) above++;
  return { min, max, above };
}

/** Where a log axis from 10^min to 10^max has its lines, as exponents: round numbers, three to eight of them. */
export function logTicks(min: number, max: number): number[] {
  const choices: readonly (readonly number[])[] = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]];
  for (const mantissas of choices) {
    const ticks: number[] = [];
    for (let decade = Math.floor(min); decade <= Math.ceil(max) && ticks.length <= 400; decade++) {
      for (const mantissa of mantissas) {
        const exponent = decade + Math.log10(mantissa);
        if (exponent >= min && exponent <= max) ticks.push(exponent);
      }
    }
    if (ticks.length >= 3) {
      const each = Math.ceil(ticks.length / 8);
      return ticks.filter((_, index) => index % each === 0);
    }
  }
  // Less than a few steps of these: round numbers between the two ends.
  const [from, to] = [10 ** min, 10 ** max];
  const rough = (to - from) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5, 10].find((factor) => factor * unit >= rough) ?? 10);
  const ticks: number[] = [];
  for (let count = Math.ceil(from / step); count * step <= to && ticks.length < 10; count++) {
    ticks.push(Math.log10(count * step));
  }
  return ticks;
}

/** The step between rows of a table of at most `most` rows: 1, 2 or 5 times a power of ten. */
export function tableStride(steps: number, most: number): number {
  for (let unit = 1; ; unit *= 10) {
    for (const factor of [1, 2, 5]) if (steps / (factor * unit) <= most) return factor * unit;
  }
}
