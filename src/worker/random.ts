/** Seeded numbers for initial adapters and sampling. */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Numbers in [0, 1), the same for the same seed. */
export function seededUniform(seed: number): () => number {
  const generator = xoroshiro128plus(Math.imul(seed ^ 0x2545f491, 0x9e3779b1));
  return () => uniformFloat64(generator);
}
