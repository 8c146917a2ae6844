/** Seeded numbers for tests: the same seed gives the same values everywhere. */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export interface Random {
  /** In [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Whole, both ends included. */
  integer(from: number, to: number): number;
}

export function random(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const uniform = () => uniformFloat64(generator);
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer: (from, to) => uniformInt(generator, from, to),
  };
}

/** `count` standard normal values, rounded to f32. */
export function normals(source: Random, count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, () => source.normal());
}
