/** int8 by 32 by the rule of GGUF's Q8_0: scale = max |w| / 127, codes rounded half away from zero. Source: ggml-quants.c. */
import type { WeightData } from "../weights/types";
import { halfFactor, inverse } from "./halves";

const group = 32;

/** Finite `values` [rows, columns]; a row's last group may be shorter. Throws `WeightsError` where a scale passes 65504. */
export function quantizeInt8(
  values: Float32Array<ArrayBuffer>,
  shape: readonly [number, number],
  name: string,
): WeightData {
  const [rows, columns] = shape;
  const groups = Math.ceil(columns / group);
  const codes = new Int8Array(rows * columns);
  const scales = new Float32Array(rows * groups);
  for (let at = 0; at < scales.length; at++) {
    const first = Math.floor(at / groups) * columns + (at % groups) * group;
    const end = Math.min(first + group, (Math.floor(at / groups) + 1) * columns);
    let largest = 0;
    for (let i = first; i < end; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
    const scale = Math.fround(largest / 127);
    const factor = inverse(scale);
    for (let i = first; i < end; i++) {
      const code = Math.fround((values[i] ?? 0) * factor);
      const size = Math.abs(code);
      const whole = Math.floor(size);
      // Adding ½ first would round 0.49999997 up.
      codes[i] = Math.sign(code) * (whole + Math.floor(2 * (size - whole)));
    }
    // The codes belong to the scale before it is rounded: so does GGUF.
    scales[at] = halfFactor(scale, name);
  }
  return { form: "int8", shape, group, data: new Uint8Array(codes.buffer), scales };
}
