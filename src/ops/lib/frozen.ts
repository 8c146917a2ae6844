/** A frozen matrix on the GPU, in the form its file stores; shaders/lib/frozen.wgsl decodes it inside the products. */
import frozenSource from "../../../shaders/lib/frozen.wgsl?raw";
import { EngineError } from "../../engine/errors";
import type { Kernel, TensorDeclarations } from "../../engine/kernel";
import type { Tensor } from "../../engine/tensor";

export { frozenSource };

export type FrozenForm = "f32" | "f16" | "bf16" | "int8" | "int4" | "nf4" | "fp4";

/** What decides how many bytes a matrix of a given size takes. */
export interface FrozenLayout {
  readonly form: FrozenForm;
  /** Values that share a scale: of a row for int8 and int4 (always 32 there), of the whole row-major matrix for nf4 and fp4. */
  readonly group?: number;
  /** What a scale brings along: a zero point (q − zero) · scale, or an offset q · scale + offset. int4 without: zero 8. */
  readonly correction?: "zeros" | "offsets";
}

export interface FrozenMatrix {
  readonly label: string;
  readonly form: FrozenForm;
  /** Output features for a linear module, vocabulary for an embedding. */
  readonly rows: number;
  /** Input features, or the embedding's width; a multiple of 4. */
  readonly columns: number;
  /** The bytes as u32 words, row-major: u32[words]. */
  readonly data: Tensor;
  /** f32: int8 [rows · ⌈columns/group⌉], int4 [rows · ⌈columns/32⌉], nf4 and fp4 [⌈rows · columns/group⌉]. */
  readonly scales: Tensor | null;
  /** int4: zero points two a byte, rows padded to whole bytes; int8: one float32 for each scale; both as u32 words. */
  readonly zeros: Tensor | null;
  /** int4, int8: one float32 for each scale, added to q · scale, as u32 words; null: 0. There are never zeros and offsets. */
  readonly offsets: Tensor | null;
  /** As in `FrozenLayout`: int8, nf4 and fp4 go by it. A multiple of 4. */
  readonly group: number;
}

/** What a kernel that includes frozen.wgsl declares among its reads. */
export const frozenReads = { weight: ["*"], weight_scales: ["*"], weight_zeros: ["*"] } as const;

const formNumbers: Readonly<Record<FrozenForm, number>> = { f32: 0, f16: 1, bf16: 2, int8: 3, int4: 4, nf4: 5, fp4: 6 };

const grouped: ReadonlySet<FrozenForm> = new Set(["int8", "nf4", "fp4"]);

/** The kernel's variant for this matrix: one pipeline per form, whatever the sizes. */
export function forForm<R extends TensorDeclarations, W extends TensorDeclarations, P extends string>(
  kernel: Kernel<R, W, P>,
  matrix: FrozenMatrix,
): Kernel<R, W, P> {
  return kernel.with({
    overrides: {
      WEIGHT_FORM: formNumbers[matrix.form],
      WEIGHT_GROUP: grouped.has(matrix.form) ? matrix.group : 32,
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

/** One number for each buffer of a matrix; `zeros` is the buffer of the zero points or of the offsets. */
export interface FrozenParts {
  readonly data: number;
  readonly scales: number;
  readonly zeros: number;
}

/** Bytes that a matrix takes on the GPU by buffer, as `Device.allocate` rounds them; 0 where there is no such buffer. */
export function frozenBytes(layout: FrozenLayout, rows: number, columns: number): FrozenParts {
  const { data, scales, zeros } = bytesOfRows(layout, rows, columns);
  return { data: buffer(data), scales: buffer(scales), zeros: buffer(zeros) };
}

const buffer = (bytes: number): number => (bytes === 0 ? 0 : Math.max(4, Math.ceil(bytes / 4) * 4));

/** Pieces of a matrix start at multiples of so many rows: each buffer's share of a piece then starts at a whole word. */
export function pieceStep(layout: FrozenLayout, columns: number): number {
  if (layout.form !== "nf4" && layout.form !== "fp4") return 4;
  // The least multiple of 4 rows that is a whole number of blocks.
  const group = groupOf(layout);
  return (4 * group) / greatestCommonDivisor(group, 4 * columns);
}

/** Byte offset in each buffer of the piece that starts at row `first`, a multiple of `pieceStep`. */
export function pieceOffsets(layout: FrozenLayout, columns: number, first: number): FrozenParts {
  const step = pieceStep(layout, columns);
  if (first % step !== 0) {
    throw new EngineError(`A piece of a matrix in ${layout.form} starts at row ${first}, no multiple of ${step}.`);
  }
  return bytesOfRows(layout, first, columns);
}

/** Bytes of the first `rows` rows, unrounded. */
function bytesOfRows(layout: FrozenLayout, rows: number, columns: number): FrozenParts {
  const { form, correction } = layout;
  switch (form) {
    case "f32":
      return { data: 4 * rows * columns, scales: 0, zeros: 0 };
    case "f16":
    case "bf16":
      return { data: 2 * rows * columns, scales: 0, zeros: 0 };
    case "int8": {
      const scales = 4 * rows * Math.ceil(columns / groupOf(layout));
      return { data: rows * columns, scales, zeros: correction ? scales : 0 };
    }
    case "int4": {
      const blocks = Math.ceil(columns / 32);
      const scales = 4 * rows * blocks;
      const nibbles = rows * Math.ceil(blocks / 2);
      return {
        data: 16 * rows * blocks,
        scales,
        zeros: { zeros: nibbles, offsets: scales, none: 0 }[correction ?? "none"],
      };
    }
    case "nf4":
    case "fp4":
      return {
        data: Math.ceil((rows * columns) / 2),
        scales: 4 * Math.ceil((rows * columns) / groupOf(layout)),
        zeros: 0,
      };
  }
}

function groupOf({ form, group }: FrozenLayout): number {
  if (group === undefined || group < 4 || group % 4 !== 0) {
    throw new EngineError(`A matrix in ${form} has scales for ${group} values; it must be a multiple of 4.`);
  }
  return group;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
