/** Sampling from logits: greedy, temperature, top-k and top-p. */
import { describe, expect, it } from "vitest";
import { sampleToken } from "../../src/model/generation/sampling";
import { random } from "../support/random";

const logits = Float32Array.of(1, 3, 2, -1);
const shares = (options: Parameters<typeof sampleToken>[1]) => {
  const source = random(9);
  const counts = [0, 0, 0, 0];
  for (let draw = 0; draw < 20_000; draw += 1) {
    const id = sampleToken(logits, options, source.uniform);
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts.map((count) => count / 20_000);
};
const softmax = (values: readonly number[]) => {
  const powers = values.map(Math.exp);
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
};
const near = (actual: readonly number[], expected: readonly number[]) =>
  actual.forEach((share, id) => {
    expect(Math.abs(share - (expected[id] ?? 0))).toBeLessThan(0.015);
  });

describe("sampleToken", () => {
  it("takes the largest at temperature 0, the lower id on a tie", () => {
    const greedy = { temperature: 0, topK: 0, topP: 1 };
    expect(sampleToken(logits, greedy, () => 0.99)).toBe(1);
    expect(sampleToken(Float32Array.of(0, 5, 5), greedy, () => 0.5)).toBe(1);
  });

  it("draws from the softmax, sharper at a lower temperature", () => {
    near(shares({ temperature: 1, topK: 0, topP: 1 }), softmax([1, 3, 2, -1]));
    near(shares({ temperature: 0.5, topK: 0, topP: 1 }), softmax([2, 6, 4, -2]));
  });

  it("keeps the k likeliest", () => {
    near(shares({ temperature: 1, topK: 2, topP: 1 }), [0, ...softmax([3, 2]), 0]);
  });

  it("keeps the likeliest whose probabilities reach p, at least one", () => {
    near(shares({ temperature: 1, topK: 0, topP: 0.7 }), [0, ...softmax([3, 2]), 0]);
    near(shares({ temperature: 1, topK: 0, topP: 0.01 }), [0, 1, 0, 0]);
  });
});
