/** Warnings of a run: each where it belongs, and none on ordinary noisy curves. */
import { describe, expect, it } from "vitest";
import { runWarnings, type Watched, watchedStep } from "../../src/ui/charts/warnings";
import { random } from "../support/random";

const gauss = (seed: number): (() => number) => random(seed).normal;

const run = (change: Partial<Watched>): Watched => ({
  losses: [],
  norms: [],
  evals: [],
  steps: change.losses?.length ?? 0,
  warmupSteps: 0,
  ...change,
});
const kinds = (watched: Watched): string[] => runWarnings(watched).map(({ kind }) => kind);
const falling = (steps: number, noise: number, next: () => number): number[] =>
  Array.from({ length: steps }, (_, step) => 1.8 + 1.6 * Math.exp((-4 * step) / steps) + noise * next());

describe("ordinary noisy runs", () => {
  it.each([20, 60, 300, 3000])("of %d steps raise nothing, at any step", (steps) => {
    for (let seed = 0; seed < 20; seed++) {
      const next = gauss(seed);
      const losses = falling(steps, seed % 2 === 0 ? 0.1 : 0.4, next);
      const norms = losses.map(() => Math.exp(0.4 * next()));
      const evals = [0, 0.25, 0.5, 0.75, 1].map((share) => ({
        step: Math.round(share * steps),
        loss: 1.9 + 1.5 * Math.exp(-4 * share) + 0.01 * next(),
      }));
      for (let upTo = 1; upTo <= steps; upTo += Math.max(1, Math.floor(steps / 40))) {
        const seen = run({
          losses: losses.slice(0, upTo),
          norms: norms.slice(0, upTo),
          evals: evals.filter(({ step }) => step <= upTo),
          steps,
        });
        expect(kinds(seen), `seed ${seed}, step ${upTo}`).toEqual([]);
      }
    }
  });

  it("that have converged long ago, with heavy tails, raise nothing", () => {
    for (let seed = 0; seed < 20; seed++) {
      const next = gauss(seed);
      const losses = Array.from({ length: 1000 }, (_, step) => 0.8 * Math.exp(0.5 * next()) + 2 * Math.exp(-step / 60));
      expect(kinds(run({ losses, norms: losses.map(() => Math.exp(0.5 * next())) }))).toEqual([]);
    }
  });

  it("that climb out of a warm-up raise nothing", () => {
    const next = gauss(3);
    const losses = Array.from({ length: 50 }, () => 3 + 0.05 * next());
    expect(kinds(run({ losses, steps: 400, warmupSteps: 45 }))).toEqual([]);
  });

  it("of no or one step raise nothing", () => {
    expect(kinds(run({}))).toEqual([]);
    expect(kinds(run({ losses: [3], norms: [1], evals: [{ step: 0, loss: 3 }], steps: 10 }))).toEqual([]);
  });
});

describe("what goes wrong", () => {
  const next = gauss(7);

  it("a loss or a norm that is no number", () => {
    expect(runWarnings(run({ losses: [3, Number.NaN, 2], norms: [1, 1, 1] }))).toEqual([
      { kind: "not-finite", step: 2 },
    ]);
    expect(runWarnings(run({ losses: [3, 2], norms: [1, Number.POSITIVE_INFINITY] }))).toEqual([
      { kind: "not-finite", step: 2 },
    ]);
  });

  it("a loss that rises over a window", () => {
    const losses = [
      ...falling(100, 0.1, next),
      ...Array.from({ length: 60 }, (_, step) => 2 + step / 30 + 0.1 * next()),
    ];
    expect(runWarnings(run({ losses }))).toMatchObject([{ kind: "rising", step: 160 }]);
    // A single bad step is no rise.
    expect(kinds(run({ losses: [...falling(100, 0.1, next), 6] }))).toEqual([]);
  });

  it("gradient spikes of ten times the running median, counted", () => {
    const norms = Array.from({ length: 120 }, () => Math.exp(0.3 * next()));
    norms[60] = 30;
    norms[90] = 14;
    const [found] = runWarnings(run({ losses: falling(120, 0.1, next), norms }));
    expect(found).toMatchObject({ kind: "spikes", step: 91, count: 2, norm: 14 });
    // The large norms of the first steps are no spikes: nothing was usual yet.
    expect(kinds(run({ losses: falling(60, 0.1, next), norms: [40, 30, ...norms.slice(0, 58)] }))).toEqual([]);
  });

  it("a held-out loss that rises while the training loss falls", () => {
    const losses = falling(200, 0.1, next);
    const evals = [3.3, 2.4, 2.2, 2.4, 2.6].map((loss, index) => ({ step: 50 * index, loss }));
    expect(runWarnings(run({ losses, evals }))).toEqual([{ kind: "overfitting", step: 100, best: 2.2, last: 2.6 }]);
    const ends = [evals[0], { step: 200, loss: 3.6 }].filter((entry) => entry !== undefined);
    expect(kinds(run({ losses, evals: ends }))).toEqual(["overfitting"]);
    // Where the training loss does not fall, it is something else.
    expect(kinds(run({ losses: losses.map(() => 2 + 0.3 * next()), evals }))).not.toContain("overfitting");
  });

  it("a loss that is flat from the start", () => {
    const losses = Array.from({ length: 200 }, () => 3 + 0.03 * next());
    expect(runWarnings(run({ losses }))).toMatchObject([{ kind: "flat", step: 200 }]);
    // Noise that may hide a fall says nothing.
    expect(kinds(run({ losses: losses.map(() => 3 + 0.8 * next()) }))).toEqual([]);
    expect(kinds(run({ losses: losses.slice(0, 30), steps: 200 }))).toEqual([]);
  });
});

describe("watchedStep", () => {
  it("is every step at first, a few hundred of a long run, and never an earlier one than before", () => {
    const watched = Array.from({ length: 10_001 }, (_, step) => watchedStep(step));
    expect(watched.slice(0, 100)).toEqual(Array.from({ length: 100 }, (_, step) => step));
    expect(new Set(watched).size).toBeLessThan(500);
    expect(watched.at(-1)).toBeGreaterThan(9_800);
    expect([...watched].sort((a, b) => a - b)).toEqual(watched);
  });
});
