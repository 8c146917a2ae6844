/**
 * com.microsoft GatherBlockQuantized: rows of an embedding in blocks along its width. Inputs: data (uint8 that packs codes of
 * `bits` bits, or ONNX's own 4-bit types), indices, scales [rows, blocks], zero points of the data's type. Source: ONNX
 * Runtime's contrib operator documentation.
 */
import { WeightsError } from "../../errors";
import { blockTensor } from "./blocks";
import { blockSize, type GraphIndex, intAttribute } from "./graph";
import type { OnnxNode } from "./messages";
import type { StoredTensor } from "./storage";
import { isFloat, type OnnxTensor } from "./tensor";

/** `columns` is the width that the model expects; null: as many as the data can hold. */
export async function readGatherBlockQuantized(
  index: GraphIndex,
  node: OnnxNode,
  columns: number | null,
): Promise<OnnxTensor> {
  const label = index.label(node);
  const refuse = (what: string, remedy = "export the model again"): WeightsError =>
    new WeightsError(`${label} ${what}; ${remedy}.`);
  const data = await index.part(node, 0, "weights");
  const scales = await index.part(node, 2, "scales");
  const zeros = await index.part(node, 3, "zero points");
  if (!data || !scales) throw refuse("has no weights or no scales", "the file is damaged");
  const typed = data.type === "u4" || data.type === "i4";
  if (!typed && data.type !== "u8") throw refuse(`has weights of type ${data.type}, which cannot be read`);
  const bits = typed ? 4 : intAttribute(index, node, "bits", 4);
  if (bits !== 4 && bits !== 8) throw refuse(`holds ${bits}-bit weights; only 4- and 8-bit ones can be read`);
  const [gather, quantize] = [
    intAttribute(index, node, "gather_axis", 0),
    intAttribute(index, node, "quantize_axis", 1),
  ];
  if (gather !== 0 || (quantize !== 1 && quantize !== -1))
    throw refuse(`gathers along axis ${gather} and is quantized along ${quantize}, which must be 0 and 1`);
  if (!isFloat(scales.type)) throw refuse(`has scales of type ${scales.type}; they must be float or float16`);
  if (zeros && zeros.type !== data.type)
    throw refuse(`has zero points of type ${zeros.type} for weights of type ${data.type}`);
  const block = blockSize(index, node);
  const [rows = 0, ...rest] = data.shape;
  // Three dims where the table is shared with a MatMulNBits node and reshaped on the way.
  const rowBytes = rest.reduce((product, size) => product * size, 1) / (typed ? 2 : 1);
  const stored = (rowBytes * 8) / bits;
  const width = columns ?? stored;
  const blocks = Math.ceil(width / block);
  if (
    rows < 1 ||
    rest.length < 1 ||
    width < 1 ||
    !Number.isInteger(rowBytes) ||
    width > stored ||
    stored - width >= block
  )
    throw refuse(`has the shape [${data.shape.join(", ")}], but the model's config asks for ${width} columns`);
  const zeroStride = zeroStrideOf(zeros, rows, blocks, bits, typed);
  if (scales.count !== rows * blocks || zeroStride === null) {
    throw refuse(
      `has the shape [${rows}, ${width}] in blocks of ${block}, which ${scales.count} scales and ${zeros?.count ?? "no"} zero points do not fit`,
      "the file is damaged",
    );
  }
  return blockTensor({
    ...{ label, rows, columns: width, bits, block, data, rowBytes, scales, zeros, zeroStride },
    defaultZero: typed ? 0 : 2 ** (bits - 1),
    signed: data.type === "i4",
  });
}

/** Codes from one row's zero points to the next's; null where their number is wrong. */
function zeroStrideOf(
  zeros: StoredTensor | null,
  rows: number,
  blocks: number,
  bits: number,
  typed: boolean,
): number | null {
  if (!zeros) return 0;
  const bytes = Math.ceil((blocks * bits) / 8);
  const stride = typed ? blocks : (bytes * 8) / bits;
  return zeros.count === rows * (typed ? blocks : bytes) ? stride : null;
}
