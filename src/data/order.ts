/** Seeded order: a permutation that is a function of seed and epoch alone, so that any step can be reached directly. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

type Random = ReturnType<typeof xoroshiro128plus>;

/** The generator of one epoch. Seeds and epochs are small neighbouring numbers: multiplying spreads them over 32 bits. */
export function epochRandom(seed: number, epoch: number): Random {
  return xoroshiro128plus(Math.imul(seed ^ Math.imul(epoch + 1, 0x9e3779b1), 0x85ebca6b));
}

/** A copy in random order: Fisher–Yates, inside out. */
export function shuffled<T extends object>(items: readonly T[], random: Random): T[] {
  const result: T[] = [];
  for (const item of items) {
    const at = uniformInt(random, 0, result.length);
    const displaced = result[at];
    if (displaced !== undefined) result[at] = item;
    result.push(displaced ?? item);
  }
  return result;
}
