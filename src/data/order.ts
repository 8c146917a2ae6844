/** Seeded order of what fits in memory: a function of seed and epoch alone, so that any step can be reached directly. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export type Random = ReturnType<typeof xoroshiro128plus>;

/** The generator of one epoch. Seeds and epochs are small neighbouring numbers: multiplying spreads them over 32 bits. */
export function epochRandom(seed: number, epoch: number): Random {
  return xoroshiro128plus(Math.imul(seed ^ Math.imul(epoch + 1, 0x9e3779b1), 0x85ebca6b));
}

/** The numbers 0 … count − 1 in random order: Fisher–Yates, inside out. */
export function shuffledOrder(count: number, random: Random): Uint32Array<ArrayBuffer> {
  const order = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const at = uniformInt(random, 0, index);
    order[index] = order[at] ?? 0;
    order[at] = index;
  }
  return order;
}
