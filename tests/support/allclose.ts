/** ‖Δ‖/‖ref‖, the one measure of agreement. */
import { expect } from "vitest";

type Numbers = ArrayLike<number>;

export function norm(values: Numbers): number {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += (values[index] as number) ** 2;
  return Math.sqrt(sum);
}

/** NaN where the lengths differ or a value is not finite, so that no comparison with it holds. */
function relativeError(actual: Numbers, reference: Numbers, absolute = 0): number {
  if (actual.length !== reference.length || reference.length === 0) return Number.NaN;
  let sum = 0;
  for (let index = 0; index < reference.length; index += 1) {
    sum += ((actual[index] as number) - (reference[index] as number)) ** 2;
  }
  const distance = Math.sqrt(sum);
  const scale = Math.max(norm(reference), absolute);
  return distance === 0 && Number.isFinite(scale) ? 0 : distance / scale;
}

/**
 * Fails unless ‖actual − reference‖ ≤ tolerance · max(‖reference‖, absolute). `absolute` is for references that are
 * exactly or nearly 0.
 */
export function expectClose(what: string, actual: Numbers, reference: Numbers, tolerance: number, absolute = 0): void {
  const error = relativeError(actual, reference, absolute);
  expect(
    error <= tolerance,
    `${what}: ‖Δ‖/‖ref‖ = ${error.toExponential(2)}, allowed ${tolerance.toExponential(0)}` +
      (actual.length === reference.length ? "" : ` (${actual.length} values against ${reference.length})`),
  ).toBe(true);
}
