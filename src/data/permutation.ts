/**
 * A seeded permutation of 0 … size − 1 that holds no table, so that a file of any number of rows is shuffled as a whole.
 * A balanced Feistel network permutes the smallest range of 4^k numbers that holds all of them; what falls outside is put
 * through again until it falls inside (cycle walking: Black & Rogaway, "Ciphers with Arbitrary Finite Domains", 2002),
 * fewer than four times on average. Shuffling only: nothing here is secret.
 */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { IndexFault } from "./errors";

const rounds = 8;
const mostNumbers = 2 ** 32;

export interface Permutation {
  readonly size: number;
  /** 0 ≤ index < size. */
  at(index: number): number;
  /** The index whose value this is. */
  indexOf(value: number): number;
}

/** The same permutation for the same three numbers. `size` is at most 2³². */
export function seededPermutation(size: number, seed: number, stream: number): Permutation {
  if (!Number.isSafeInteger(size) || size < 0 || size > mostNumbers) throw new IndexFault(size, mostNumbers);
  let half = 1;
  while (4 ** half < size) half++;
  const mask = 2 ** half - 1;
  const random = xoroshiro128plus(Math.imul(seed ^ Math.imul(stream + 1, 0xc2b2ae35), 0x9e3779b1));
  const keys = Array.from({ length: rounds }, () => uniformInt(random, -0x80000000, 0x7fffffff));

  // Both halves stay below 2¹⁶, so high · 2^half + low is exact.
  const encrypt = (value: number): number => {
    let low = value & mask;
    let high = Math.floor(value / (mask + 1));
    for (const key of keys) {
      const next = high ^ (mix(low ^ key) & mask);
      high = low;
      low = next;
    }
    return high * (mask + 1) + low;
  };
  const decrypt = (value: number): number => {
    let low = value & mask;
    let high = Math.floor(value / (mask + 1));
    for (let round = rounds - 1; round >= 0; round--) {
      const before = low ^ (mix(high ^ (keys[round] ?? 0)) & mask);
      low = high;
      high = before;
    }
    return high * (mask + 1) + low;
  };
  const walk = (step: (value: number) => number) => (start: number) => {
    if (!(start >= 0 && start < size)) throw new IndexFault(start, size);
    let value = step(start);
    while (value >= size) value = step(value);
    return value;
  };
  return { size, at: walk(encrypt), indexOf: walk(decrypt) };
}

/** The finalizer of MurmurHash3: every bit of the result depends on every bit of the value. */
function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
