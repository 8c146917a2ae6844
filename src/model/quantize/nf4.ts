/** NF4 by 64 by bitsandbytes' rule: scale = max |w| of a block, codes to the nearest level. Source: Dettmers et al. 2023 (QLoRA). */
import type { WeightData } from "../weights/types";
import { nf4Values } from "./codes";

const group = 64;
/** Between neighbouring levels; a value at the middle belongs to the lower one. */
const middles = Float32Array.from(
  { length: 15 },
  (_, i) => Math.fround((nf4Values[i] ?? 0) + (nf4Values[i + 1] ?? 0)) / 2,
);
/** What bitsandbytes divides by where a block is all zeros. */
const leastScale = Math.fround(1e-38);

/** Finite `values` of a whole number of blocks, or with the matrix's shorter last one. */
export function quantizeNf4(values: Float32Array<ArrayBuffer>, shape: readonly [number, number]): WeightData {
  const data = new Uint8Array(Math.ceil(values.length / 2));
  const scales = new Float32Array(Math.ceil(values.length / group));
  for (let at = 0; at < scales.length; at++) {
    const first = at * group;
    const end = Math.min(first + group, values.length);
    let scale = 0;
    for (let i = first; i < end; i++) scale = Math.max(scale, Math.abs(values[i] ?? 0));
    const divisor = Math.max(scale, leastScale);
    const factor = Math.fround(1 / divisor);
    const short = end - first < group;
    for (let i = first; i < end; i++) {
      // A short last block is divided, a whole one multiplied by the inverse: the last bit may differ.
      const value = Math.fround(short ? (values[i] ?? 0) / divisor : (values[i] ?? 0) * factor);
      let code = 0;
      for (let step = 8; step > 0; step >>= 1) if (value > (middles[code + step - 1] ?? 0)) code += step;
      data[i >> 1] = (data[i >> 1] ?? 0) | (code << (4 * (1 - (i & 1))));
    }
    scales[at] = short ? divisor : scale;
  }
  return { form: "nf4", shape, group, data, scales };
}
