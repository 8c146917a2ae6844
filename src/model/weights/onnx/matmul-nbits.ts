/**
 * com.microsoft MatMulNBits: y = x·Wᵀ with W [N, K] in blocks of 4- or 8-bit codes along K. Inputs: A, B [N, ⌈K/block⌉,
 * block·bits/8] uint8, scales [N·⌈K/block⌉], optional packed zero points, g_idx and bias. Source: ONNX Runtime's contrib
 * operator documentation.
 */
import { WeightsError } from "../../errors";
import { blockTensor } from "./blocks";
import { blockSize, features, type GraphIndex, intAttribute } from "./graph";
import type { OnnxNode } from "./messages";
import type { StoredTensor } from "./storage";
import { isFloat, type OnnxTensor } from "./tensor";

export interface QuantizedProduct {
  readonly weight: OnnxTensor;
  /** The operator's own bias input, where it has one. */
  readonly bias: StoredTensor | null;
}

/** Throws `WeightsError` for another bit width or block size, float zero points, reordered columns, or parts of the wrong size. */
export async function readMatMulNBits(index: GraphIndex, node: OnnxNode): Promise<QuantizedProduct> {
  const label = index.label(node);
  const bits = intAttribute(index, node, "bits", 4);
  if (bits !== 4 && bits !== 8)
    throw new WeightsError(
      `${label} holds ${bits}-bit weights; only 4- and 8-bit ones can be read, use the q4 file of the model.`,
    );
  const block = blockSize(index, node);
  const [rows, columns] = features(index, node);
  const shape = `[${rows}, ${columns}]`;
  const blocks = Math.ceil(columns / block);
  const rowBytes = (blocks * block * bits) / 8;
  const data = await index.sized(node, 1, "weights", shape, rows * rowBytes);
  if (data.type !== "u8")
    throw new WeightsError(`${label} has weights of type ${data.type}; they must be uint8, export the model again.`);
  const scales = await index.sized(node, 2, "scales", shape, rows * blocks);
  if (!isFloat(scales.type))
    throw new WeightsError(
      `${label} has scales of type ${scales.type}; they must be float or float16, export the model again.`,
    );
  const zeroPart = await index.part(node, 3, "zero points");
  if (zeroPart && zeroPart.type !== "u8") {
    throw new WeightsError(
      `${label} has zero points of type ${zeroPart.type}; only packed uint8 ones can be read, quantize the model with integer zero points.`,
    );
  }
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const zeros = zeroPart && (await index.sized(node, 3, "packed zero points", shape, rows * zeroBytes));
  if (node.input[4])
    throw new WeightsError(
      `${label} reorders its columns (g_idx), which cannot be read; quantize the model without it.`,
    );
  const bias = node.input[5] ? await index.sized(node, 5, "bias", shape, rows) : null;
  const weight = blockTensor({
    ...{ label, rows, columns, bits, block, data, rowBytes, scales, zeros },
    zeroStride: (zeroBytes * 8) / bits,
    defaultZero: 2 ** (bits - 1),
    signed: false,
  });
  return { weight, bias };
}
