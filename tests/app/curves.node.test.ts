/** Smoothing and thinning of loss curves, and the numbers beside them. */
import { describe, expect, it } from "vitest";
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
