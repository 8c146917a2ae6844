/** What goes wrong in a run, from its numbers alone. Thresholds are set so that ordinary noise says nothing. */

export type Warning =
  | { readonly kind: "not-finite"; readonly step: number }
  | { readonly kind: "rising"; readonly step: number; readonly from: number; readonly to: number }
  | {
      readonly kind: "spikes";
      /** Of the last one. */
      readonly step: number;
      readonly count: number;
      readonly norm: number;
      readonly usual: number;
    }
  | { readonly kind: "overfitting"; readonly step: number; readonly best: number; readonly last: number }
  | { readonly kind: "flat"; readonly step: number; readonly loss: number };

export interface Watched {
  /** By step, from step 1. */
  readonly losses: readonly number[];
  readonly norms: readonly number[];
  readonly evals: readonly { readonly step: number; readonly loss: number }[];
  /** That the run is planned for. */
  readonly steps: number;
  /** Steps in which the rate still climbs. */
  readonly warmupSteps: number;
}

/** One warning of a kind at most, the gravest first. */
export function runWarnings(run: Watched): Warning[] {
  return [notFinite(run), rising(run), spikes(run), overfitting(run), flat(run)].filter((found) => found !== null);
}

/** The last step at which it was worth to look: each of the first ones is, then a fiftieth to a hundredth part apart. */
export const watchedStep = (step: number): number => step - (step % 2 ** Math.max(0, Math.floor(Math.log2(step / 50))));

function notFinite({ losses, norms }: Watched): Warning | null {
  const index = losses.findIndex((loss, at) => !Number.isFinite(loss) || !Number.isFinite(norms[at] ?? 0));
  return index < 0 ? null : { kind: "not-finite", step: index + 1 };
}

/** A mean over the window must lie so far above the best earlier one: of the loss, and of the noise of a mean. */
const risingShare = 0.2;
const risingNoise = 6;

function rising({ losses }: Watched): Warning | null {
  const finite = losses.filter(Number.isFinite);
  const window = Math.min(200, Math.max(10, Math.floor(finite.length / 10)));
  if (finite.length < 2 * window) return null;
  const sums = cumulative(finite);
  const mean = (end: number): number => ((sums[end] ?? 0) - (sums[end - window] ?? 0)) / window;
  const last = mean(finite.length);
  let best = Number.POSITIVE_INFINITY;
  for (let end = window; end <= finite.length - window; end++) best = Math.min(best, mean(end));
  const margin = Math.max(risingShare * best, risingNoise * noise(finite) * Math.sqrt(2 / window));
  return last > best + margin ? { kind: "rising", step: losses.length, from: best, to: last } : null;
}

const spikeFactor = 10;
const spikeWindow = 50;
const fewestNorms = 10;

function spikes({ norms }: Watched): Warning | null {
  /** The norms before this one, in their order of time and of size. */
  const recent: number[] = [];
  const sorted: number[] = [];
  let count = 0;
  let found: Warning | null = null;
  for (const [index, norm] of norms.entries()) {
    if (!Number.isFinite(norm)) continue;
    const usual = sorted[sorted.length >> 1] ?? 0;
    if (recent.length >= fewestNorms && usual > 0 && norm >= spikeFactor * usual) {
      count++;
      found = { kind: "spikes", step: index + 1, count, norm, usual };
    }
    if (recent.length === spikeWindow) sorted.splice(placeOf(sorted, recent.shift() ?? 0), 1);
    recent.push(norm);
    sorted.splice(placeOf(sorted, norm), 0, norm);
  }
  return found;
}

/** Where `value` is, or belongs, in ascending order. */
function placeOf(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? value) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The held-out loss counts as risen above this share of its best. */
const heldOutShare = 0.03;
const heldOutLeast = 0.01;

function overfitting({ losses, evals }: Watched): Warning | null {
  const last = evals.at(-1);
  const earlier = evals.slice(0, -1);
  const first = earlier[0];
  if (last === undefined || first === undefined || losses.length < 4) return null;
  const best = earlier.reduce((least, entry) => (entry.loss < least.loss ? entry : least), first);
  if (!(last.loss > best.loss + Math.max(heldOutShare * best.loss, heldOutLeast))) return null;
  const window = Math.min(200, Math.max(2, Math.floor(losses.length / 5)));
  const start = Math.max(0, Math.min(best.step, losses.length) - window);
  const then = average(losses.slice(start, start + window));
  const now = average(losses.slice(-window));
  const fell = now < then - Math.max(0.02 * then, 2.5 * noise(losses) * Math.sqrt(2 / window));
  return fell ? { kind: "overfitting", step: best.step, best: best.loss, last: last.loss } : null;
}

const flatShare = 0.03;
const fewestFlat = 40;

/** Flat only where the numbers are many enough to say so: even the largest fall that they allow is small. */
function flat({ losses, steps, warmupSteps }: Watched): Warning | null {
  const after = losses.slice(warmupSteps).filter(Number.isFinite);
  if (after.length < Math.max(fewestFlat, 0.1 * steps)) return null;
  const third = Math.floor(after.length / 3);
  const [first, last] = [average(after.slice(0, third)), average(after.slice(-third))];
  const unsure = 3 * noise(after) * Math.sqrt(2 / third);
  const change = Math.abs(first - last) + unsure;
  return change < flatShare * first ? { kind: "flat", step: losses.length, loss: last } : null;
}

function cumulative(values: readonly number[]): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (const [index, value] of values.entries()) sums[index + 1] = (sums[index] ?? 0) + value;
  return sums;
}

const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Standard deviation around the trend, from differences of neighbours; a median would miss heavy tails. */
function noise(values: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (let index = 1; index < values.length; index++) {
    const difference = (values[index] ?? 0) - (values[index - 1] ?? 0);
    if (!Number.isFinite(difference)) continue;
    sum += difference * difference;
    count++;
  }
  return count === 0 ? 0 : Math.sqrt(sum / (2 * count));
}
