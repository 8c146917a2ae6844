/** int4 by 32 with offsets by the rule of GGUF's Q4_1: 15 steps from the least to the largest weight. Source: ggml-quants.c. */
import type { WeightData } from "../weights/types";
import { halfFactor, inverse } from "./halves";

const block = 32;

/** Finite `values` [rows, columns]; a row's last block may be shorter. Throws `WeightsError` where a factor passes 65504. */
export function quantizeInt4(
  values: Float32Array<ArrayBuffer>,
  shape: readonly [number, number],
  name: string,
): WeightData {
  const [rows, columns] = shape;
  const blocks = Math.ceil(columns / block);
  const data = new Uint8Array(rows * blocks * (block / 2));
  const scales = new Float32Array(rows * blocks);
  const offsets = new Float32Array(rows * blocks);
  for (let at = 0; at < scales.length; at++) {
    const first = Math.floor(at / blocks) * columns + (at % blocks) * block;
    const end = Math.min(first + block, (Math.floor(at / blocks) + 1) * columns);
    let least = values[first] ?? 0;
    let largest = least;
    for (let i = first; i < end; i++) {
      least = Math.min(least, values[i] ?? 0);
      largest = Math.max(largest, values[i] ?? 0);
    }
    const scale = Math.fround(Math.fround(largest - least) / 15);
    const factor = inverse(scale);
    for (let i = first; i < end; i++) {
      const steps = Math.fround(Math.fround((values[i] ?? 0) - least) * factor);
      const code = Math.min(15, Math.floor(Math.fround(steps + 0.5)));
      const byte = at * (block / 2) + ((i - first) >> 1);
      data[byte] = (data[byte] ?? 0) | (code << (4 * ((i - first) & 1)));
    }
    scales[at] = halfFactor(scale, name);
    offsets[at] = halfFactor(least, name);
  }
  return { form: "int4", shape, data, scales, zeros: null, offsets };
}
