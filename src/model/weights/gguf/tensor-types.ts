/** ggml's tensor types: how their blocks lie in a file and in which form they are held. Source: ggml.h and ggml-common.h of ggml. */
import type { FloatForm } from "../bytes";

/** What a block of quantized weights becomes. The values stay the same, bit for bit. */
export interface HeldBlocks {
  readonly form: "int8" | "int4";
  /** Weights that share a scale. */
  readonly group: number;
  /** w = q · scale + offset instead of q · scale. */
  readonly offsets: boolean;
}

export interface TensorType {
  readonly name: string;
  /** Weights of a block, and the bytes it takes. */
  readonly block: number;
  readonly bytes: number;
  readonly held: FloatForm | HeldBlocks;
}

const float = (name: string, bytes: number, held: FloatForm): TensorType => ({ name, block: 1, bytes, held });
const blocks = (
  name: string,
  block: number,
  bytes: number,
  form: HeldBlocks["form"],
  group: number,
  offsets = false,
): TensorType => ({ name, block, bytes, held: { form, group, offsets } });

export const tensorTypes: ReadonlyMap<number, TensorType> = new Map([
  [0, float("F32", 4, "f32")],
  [1, float("F16", 2, "f16")],
  [30, float("BF16", 2, "bf16")],
  [2, blocks("Q4_0", 32, 18, "int4", 32)],
  [3, blocks("Q4_1", 32, 20, "int4", 32, true)],
  [6, blocks("Q5_0", 32, 22, "int8", 32)],
  [7, blocks("Q5_1", 32, 24, "int8", 32, true)],
  [8, blocks("Q8_0", 32, 34, "int8", 32)],
  [12, blocks("Q4_K", 256, 144, "int4", 32, true)],
  [13, blocks("Q5_K", 256, 176, "int8", 32, true)],
  [14, blocks("Q6_K", 256, 210, "int8", 16)],
]);

/** Types that are known by name only, for messages. */
const otherTypes: ReadonlyMap<number, string> = new Map([
  [9, "Q8_1"],
  [10, "Q2_K"],
  [11, "Q3_K"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [20, "IQ4_NL"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [28, "F64"],
  [29, "IQ1_M"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [39, "MXFP4"],
]);

/** "IQ4_XS (23)", "99" */
export function typeName(type: number): string {
  const name = otherTypes.get(type);
  return name === undefined ? `${type}` : `${name} (${type})`;
}

/** "Q4_1 as int4 with offsets"; null where the file's own form is kept. */
export function heldAs({ name, held }: TensorType): string | null {
  if (typeof held === "string") return null;
  return `${name} as ${held.form} by ${held.group}${held.offsets ? " with offsets" : ""}`;
}
