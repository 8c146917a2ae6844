/** Quantization on load: float rows of a matrix become int8, int4 or NF4. One form per file beside this one. */
import type { FrozenLayout } from "../../ops/lib/frozen";
import { WeightsError } from "../errors";
import { release, toFloat32 } from "../weights/bytes";
import type { WeightData } from "../weights/types";
import { quantizeInt4 } from "./int4";
import { quantizeInt8 } from "./int8";
import { quantizeNf4 } from "./nf4";

export type Quantization = "int8" | "int4" | "nf4";

export interface QuantizationFacts {
  readonly label: string;
  /** One sentence for the user. */
  readonly description: string;
  /** On the GPU, scales and offsets included, for a matrix whose width is a multiple of 32. */
  readonly bitsPerWeight: number;
  readonly layout: FrozenLayout;
}

export const quantizations: Readonly<Record<Quantization, QuantizationFacts>> = {
  int8: {
    label: "8 bits",
    description:
      "Whole numbers of 8 bits with a scale for every 32, as in GGUF's Q8_0: 9 bits per weight, scales included.",
    bitsPerWeight: 9,
    layout: { form: "int8", group: 32 },
  },
  int4: {
    label: "4 bits",
    description:
      "Whole numbers of 4 bits with a scale and an offset for every 32, as in GGUF's Q4_1: 6 bits per weight, scales and offsets included.",
    bitsPerWeight: 6,
    layout: { form: "int4", correction: "offsets" },
  },
  nf4: {
    label: "NF4",
    description:
      "The 16 levels of QLoRA's NormalFloat with a scale for every 64, as in bitsandbytes: 4.5 bits per weight, scales included.",
    bitsPerWeight: 4.5,
    layout: { form: "nf4", group: 64 },
  },
};

export const isFloat = ({ form }: { readonly form: string }): boolean =>
  form === "f32" || form === "f16" || form === "bf16";

/** What a matrix of `layout` becomes; one that is quantized in its file stays as it is. */
export function quantizedLayout(q: Quantization, layout: FrozenLayout): FrozenLayout {
  return isFloat(layout) ? quantizations[q].layout : layout;
}

/**
 * The rows in the form `q`; rows that are quantized already, and vectors, come back as they are. For nf4, blocks run on from
 * row to row, so a piece begins at a block boundary and ends at one or with the matrix. Throws `WeightsError` where a value
 * is not finite or the form cannot hold it.
 */
export function quantizeRows(q: Quantization, piece: WeightData, name: string): WeightData {
  if (piece.form !== "f32" && piece.form !== "f16" && piece.form !== "bf16") return piece;
  const [rows, columns] = piece.shape;
  if (rows === undefined || columns === undefined || piece.shape.length !== 2) return piece;
  const values = toFloat32(piece.form, piece.data);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new WeightsError(
      `${name} holds ${values[bad]} in row ${Math.floor(bad / columns)} of the piece being quantized; the file is damaged or the model diverged, use another copy.`,
    );
  }
  const shape = [rows, columns] as const;
  const quantized =
    q === "int8"
      ? quantizeInt8(values, shape, name)
      : q === "int4"
        ? quantizeInt4(values, shape, name)
        : quantizeNf4(values, shape);
  if (values.buffer !== piece.data.buffer) release(values);
  return quantized;
}
