/**
 * com.microsoft MatMulBnb4: y = x·Wᵀ with W [N, K] as bitsandbytes stores it, one run of 4-bit codes of NF4 or FP4 over the
 * row-major matrix, high nibble first, each block with its largest magnitude. Source: ONNX Runtime's contrib operator
 * documentation.
 */
import { WeightsError } from "../../errors";
import { features, type GraphIndex, intAttribute } from "./graph";
import type { OnnxNode } from "./messages";
import { isFloat, notes, type OnnxTensor, readScales } from "./tensor";

/** Throws `WeightsError` for another kind or block size, or parts of the wrong size. */
export async function readMatMulBnb4(index: GraphIndex, node: OnnxNode): Promise<OnnxTensor> {
  const label = index.label(node);
  const kind = intAttribute(index, node, "quant_type");
  const form = kind === 1 ? "nf4" : kind === 0 ? "fp4" : null;
  if (form === null)
    throw new WeightsError(
      `${label} has quant_type ${kind}; only 0 (FP4) and 1 (NF4) are known, export the model again.`,
    );
  const group = intAttribute(index, node, "block_size");
  if (![16, 32, 64, 128, 256, 512, 1024, 2048, 4096].includes(group))
    throw new WeightsError(
      `${label} has blocks of ${group}; only powers of two from 16 to 4096 can be read, quantize the model with 64.`,
    );
  if (intAttribute(index, node, "transB", 1) !== 1)
    throw new WeightsError(`${label} holds its weights untransposed; export the model again.`);
  const [rows, columns] = features(index, node);
  const shape = `[${rows}, ${columns}]`;
  const total = rows * columns;
  const data = await index.sized(node, 1, "weights", shape, Math.ceil(total / 2));
  if (data.type !== "u8")
    throw new WeightsError(`${label} has weights of type ${data.type}; they must be uint8, export the model again.`);
  const scales = await index.sized(node, 2, "block maxima", shape, Math.ceil(total / group));
  if (!isFloat(scales.type))
    throw new WeightsError(
      `${label} has block maxima of type ${scales.type}; they must be float or float16, export the model again.`,
    );
  // Columns share their power of two with the block, so that many rows fill whole blocks.
  let rowStep = 1;
  while ((rowStep * columns) % group !== 0) rowStep *= 2;
  return {
    ...{ label, key: data.name, form, group, bytes: data.bytes + scales.bytes },
    shape: [rows, columns],
    ...(rowStep > 1 ? { rowStep } : {}),
    held: notes(scales.type !== "f32" && `${scales.type} scales as f32`),
    async read({ first, count }) {
      const [from, to] = [first * columns, (first + count) * columns];
      return {
        form,
        shape: [count, columns],
        group,
        data: await data.read(from / 2, Math.ceil(to / 2)),
        scales: await readScales(scales, from / group, Math.ceil(to / group)),
      };
    },
  };
}
