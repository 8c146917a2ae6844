/** A frozen matrix on the GPU, in the form its file stores; shaders/lib/frozen.wgsl decodes it inside the products. */
import frozenSource from "../../../shaders/lib/frozen.wgsl?raw";
import type { Kernel, TensorDeclarations } from "../../engine/kernel";
import type { Tensor } from "../../engine/tensor";

export { frozenSource };

export type FrozenForm = "f32" | "f16" | "bf16" | "int8" | "int4";

export interface FrozenMatrix {
  readonly label: string;
  readonly form: FrozenForm;
  /** Output features for a linear module, vocabulary for an embedding. */
  readonly rows: number;
  /** Input features, or the embedding's width; a multiple of 4. */
  readonly columns: number;
  /** The bytes as u32 words, row-major: u32[words]. */
  readonly data: Tensor;
  /** int8: f32[rows · ⌈columns/group⌉]; int4: f32[rows · ⌈columns/32⌉]. */
  readonly scales: Tensor | null;
  /** int4 zero points, two a byte, rows padded to whole bytes. */
  readonly zeros: Tensor | null;
  /** int4, int8: one float32 for each scale, added to q · scale, as u32 words; null: 0. int4 has either zeros or offsets. */
  readonly offsets: Tensor | null;
  /** int8: columns that share a scale, a multiple of 4. */
  readonly group: number;
}

/** What a kernel that includes frozen.wgsl declares among its reads. */
export const frozenReads = { weight: ["*"], weight_scales: ["*"], weight_zeros: ["*"] } as const;

const formNumbers: Readonly<Record<FrozenForm, number>> = { f32: 0, f16: 1, bf16: 2, int8: 3, int4: 4 };

/** The kernel's variant for this matrix: one pipeline per form, whatever the sizes. */
export function forForm<R extends TensorDeclarations, W extends TensorDeclarations, P extends string>(
  kernel: Kernel<R, W, P>,
  matrix: FrozenMatrix,
): Kernel<R, W, P> {
  return kernel.with({
    overrides: {
      WEIGHT_FORM: formNumbers[matrix.form],
      WEIGHT_GROUP: matrix.form === "int8" ? matrix.group : 32,
      WEIGHT_HAS_ZEROS: matrix.zeros ? 1 : 0,
      WEIGHT_HAS_OFFSETS: matrix.offsets ? 1 : 0,
    },
  });
}

export const frozenInputs = (matrix: FrozenMatrix) => ({
  weight: matrix.data,
  weight_scales: matrix.scales,
  weight_zeros: matrix.offsets ?? matrix.zeros,
});
