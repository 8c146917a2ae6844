/** Smoothing and thinning of loss curves, and the numbers beside them. */
import { describe, expect, it } from "vitest";
import { logTicks, rangeOf, smoothed, tableStride, thinned } from "../../src/ui/charts/curve";
import { debiasedEma, spread } from "../../src/ui/charts/ema";
import { bytes, duration, rate, short } from "../../src/ui/format";

describe("debiasedEma", () => {
  it("starts at the first value and leaves a constant as it is", () => {
    expect(debiasedEma([5, 5, 5], 0.9)).toEqual([5, 5, 5].map((value) => expect.closeTo(value, 12)));
    expect(debiasedEma([7], 0.99)).toEqual([7]);
  });

  it("is the weighted mean of what came before", () => {
    const [, second, third] = debiasedEma([1, 2, 4], 0.5);
    expect(second).toBeCloseTo((2 + 0.5 * 1) / 1.5, 12);
    expect(third).toBeCloseTo((4 + 0.5 * 2 + 0.25 * 1) / 1.75, 12);
  });

  it("marks what is not finite and goes on past it", () => {
    const smooth = debiasedEma([1, Number.NaN, Number.POSITIVE_INFINITY, 1], 0.9);
    expect(smooth[1]).toBeNaN();
    expect(smooth[2]).toBeNaN();
    expect(smooth[3]).toBeCloseTo(1, 12);
  });
});

describe("spread", () => {
  it("keeps short lists and both ends of long ones", () => {
    expect(spread(3, 25)).toEqual([0, 1, 2]);
    expect(spread(0, 25)).toEqual([]);
    const picked = spread(1000, 25);
    expect([picked.length, picked[0], picked.at(-1)]).toEqual([25, 0, 999]);
    expect(new Set(picked).size).toBe(25);
  });
});

const range = { clip: true, log: false, fromZero: false } as const;

describe("smoothed", () => {
  it("leaves one point and two points where they are", () => {
    expect(smoothed([4], 0.99, false)).toEqual([4]);
    expect(smoothed([4, 1], 0.99, false)).toEqual([4, 1]);
    expect(smoothed([4, Number.NaN, 1], 0.99, true)).toEqual([4, Number.NaN, 1]);
  });

  it("averages logarithms on a log axis, and marks what has none", () => {
    const [first, second, third, fourth] = smoothed([1, 100, 0, 10_000], 0.5, true);
    expect(first).toBeCloseTo(1, 9);
    expect(second).toBeCloseTo(10 ** (2 / 1.5), 9);
    expect(third).toBeNaN();
    expect(fourth).toBeCloseTo(10 ** ((4 + 0.5 * 2) / 1.75), 6);
  });
});

describe("thinned", () => {
  const many = Array.from({ length: 10_000 }, (_, index) => Math.sin(index / 50) + index / 10_000);

  it("keeps every point of a short run", () => {
    expect(thinned([3, 2, 1], 0, 1500)).toEqual([0, 1, 2]);
    expect(thinned([3, 2, 1], 2, 1500)).toEqual([2]);
    expect(thinned([], 0, 1500)).toEqual([]);
  });

  it("keeps spikes, gaps and both ends of a long one, in order", () => {
    const values = [...many];
    values[4321] = 99;
    values[7654] = Number.NaN;
    const picked = thinned(values, 100, 1500);
    expect(picked.length).toBeLessThanOrEqual(1502);
    expect(picked.length).toBeGreaterThan(600);
    expect([picked[0], picked.at(-1)]).toEqual([100, 9999]);
    expect(picked).toEqual(expect.arrayContaining([4321, 7654]));
    expect([...picked].sort((a, b) => a - b)).toEqual(picked);
  });

  it("is the last thing that happens: the mean of a long run is that of all its points", () => {
    const [smooth, all] = [smoothed(many, 0.9, false), debiasedEma(many, 0.9)];
    for (const index of thinned(many, 0, 1500)) expect(smooth[index]).toBe(all[index]);
  });
});

describe("rangeOf", () => {
  const curve = Array.from({ length: 100 }, (_, index) => 4 - index / 50);

  it("does not give the scale to a first value that is nonsense", () => {
    const { max, above } = rangeOf([1e6, ...curve], [], range);
    expect(max).toBeLessThan(5);
    expect(above).toBe(1);
    expect(rangeOf([1e6, ...curve], [], { ...range, clip: false })).toMatchObject({ above: 0 });
    expect(rangeOf([1e6, ...curve], [], { ...range, log: true }).max).toBeLessThan(Math.log10(5));
  });

  it("cuts nothing of an ordinary curve, and nothing of a few points", () => {
    expect(rangeOf(curve, [], range)).toMatchObject({ above: 0 });
    expect(rangeOf(curve, [], range).max).toBeGreaterThan(4);
    expect(rangeOf([900, 1], [], range).max).toBeGreaterThan(900);
  });

  it("shows what it must, whatever is clipped", () => {
    expect(rangeOf([1e6, ...curve], [12], range).max).toBeGreaterThan(12);
  });

  it("has some height for no value, one value, equal values and zeros", () => {
    for (const values of [[], [Number.NaN], [2], [2, 2, 2], [0, 0]]) {
      const { min, max } = rangeOf(values, [], { ...range, fromZero: true });
      expect(min).toBe(0);
      expect(max).toBeGreaterThan(0);
    }
  });
});

describe("logTicks", () => {
  it.each([
    [0.001, 1000],
    [0.5, 20],
    [1.9, 4.1],
    [2.31, 2.36],
    [3e-9, 2e9],
  ])("has three to ten round numbers from %d to %d", (from, to) => {
    const ticks = logTicks(Math.log10(from), Math.log10(to));
    expect(ticks.length).toBeGreaterThanOrEqual(3);
    expect(ticks.length).toBeLessThanOrEqual(10);
    for (const tick of ticks) {
      expect(tick).toBeGreaterThanOrEqual(Math.log10(from) - 1e-9);
      expect(tick).toBeLessThanOrEqual(Math.log10(to) + 1e-9);
    }
    expect([...new Set(ticks)].sort((a, b) => a - b)).toEqual(ticks);
  });
});

describe("tableStride", () => {
  it.each([
    [0, 1],
    [25, 1],
    [26, 2],
    [100, 5],
    [10_000, 500],
  ])("of %d steps is %d", (steps, stride) => {
    expect(tableStride(steps, 25)).toBe(stride);
  });
});

describe("numbers", () => {
  it.each([
    [bytes(0), "0 B"],
    [bytes(999), "999 B"],
    [bytes(1000), "1.0 kB"],
    [bytes(999_600), "1.0 MB"],
    [bytes(123_456_789), "123 MB"],
    [duration(0), "0 s"],
    [duration(59_600), "1:00"],
    [duration(3_725_000), "1:02:05"],
    [duration(Number.NaN), "–"],
    [rate(2e-4), "2.0e-4"],
    [rate(0.00249), "0.0025"],
    [rate(0), "0"],
    [short(950), "950"],
    [short(3_456_789), "3.5 M"],
  ])("%s is %s", (shown, expected) => {
    expect(shown).toBe(expected);
  });
});
