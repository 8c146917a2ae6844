/** The float32 values that stored weights stand for, by the formulas of `WeightData`. */
import { toFloat32 } from "../../src/model/weights/bytes";
import type { WeightData } from "../../src/model/weights/types";

/** NormalFloat (Dettmers et al. 2023, appendix E) and bitsandbytes' 4-bit float, as float32. */
const codes = {
  nf4: [
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
  ],
  fp4: [
    0, 0.0052083334885537624, 0.6666666865348816, 1, 0.3333333432674408, 0.5, 0.1666666716337204, 0.25, 0,
    -0.0052083334885537624, -0.6666666865348816, -1, -0.3333333432674408, -0.5, -0.1666666716337204, -0.25,
  ],
};

type Grouped = Extract<WeightData, { readonly form: "int8" | "int4" }>;
type Coded = Extract<WeightData, { readonly form: "nf4" | "fp4" }>;

/** Row-major. */
export function decodeWeights(weight: WeightData): Float32Array<ArrayBuffer> {
  if (!("scales" in weight)) return toFloat32(weight.form, weight.data);
  const [rows, columns] = weight.shape;
  const value =
    weight.form === "int8" || weight.form === "int4" ? groupedValue(weight, columns) : codedValue(weight, columns);
  return Float32Array.from({ length: rows * columns }, (_, k) => value(Math.floor(k / columns), k % columns));
}

function codedValue({ form, group, data, scales }: Coded, columns: number) {
  return (row: number, column: number): number => {
    const k = row * columns + column;
    const code = ((data[k >> 1] ?? 0) >> (k % 2 === 0 ? 4 : 0)) & 15;
    return (codes[form][code] ?? Number.NaN) * (scales[Math.floor(k / group)] ?? Number.NaN);
  };
}

function groupedValue(weight: Grouped, columns: number) {
  const { data, scales, offsets } = weight;
  const group = weight.form === "int8" ? weight.group : 32;
  const groups = Math.ceil(columns / group);
  const nibble = (bytes: Uint8Array, k: number) => ((bytes[k >> 1] ?? 0) >> (4 * (k & 1))) & 15;
  const code = (row: number, column: number): number => {
    if (weight.form === "int4") return nibble(data, row * groups * 32 + column);
    return ((data[row * columns + column] ?? 0) << 24) >> 24;
  };
  const zero = (row: number, g: number): number => {
    if (offsets) return 0;
    if (weight.form === "int8") return weight.zeros?.[row * groups + g] ?? 0;
    return weight.zeros ? nibble(weight.zeros, row * Math.ceil(groups / 2) * 2 + g) : 8;
  };
  return (row: number, column: number): number => {
    const g = Math.floor(column / group);
    const at = row * groups + g;
    return (code(row, column) - zero(row, g)) * (scales[at] ?? Number.NaN) + (offsets?.[at] ?? 0);
  };
}
