/** Embeddings and the right sides of products, float or scaled 8-bit, as tensors [out, in]. */
import { WeightsError } from "../../errors";
import { denseTensor } from "./dense";
import { type GraphIndex, intAttribute, type Table } from "./graph";
import type { OnnxNode } from "./messages";
import { scaledTensor } from "./scaled";
import { isFloat, type OnnxTensor } from "./tensor";

/** `turned`: the user takes the matrix as [in, out]. Null where the table is of integers that nothing scales on the way. */
export async function readTable(index: GraphIndex, table: Table, turned: boolean): Promise<OnnxTensor | null> {
  const stored = await index.locate(table.initializer);
  const transposed = table.transposed !== turned;
  if (!table.dequantize) return isFloat(stored.type) ? denseTensor(stored, transposed) : null;
  const { node, flipped } = table.dequantize;
  const label = index.label(node);
  const scales = await index.part(node, 1, "scale");
  if (!scales) throw new WeightsError(`${label} has no scale; the file is damaged.`);
  if (intAttribute(index, node, "block_size", 0) !== 0)
    throw new WeightsError(
      `${label} dequantizes in blocks, which cannot be read; use the q4 or the int8 file of the model.`,
    );
  const axis = intAttribute(index, node, "axis", 1);
  if (axis < -2 || axis > 1) throw new WeightsError(`${label} has axis ${axis} on a matrix; the file is damaged.`);
  const alongColumns = (axis === 1 || axis === -1) !== (flipped !== turned);
  if (scales.count > 1 && alongColumns)
    throw new WeightsError(
      `${label} has a scale for each input feature; quantize the model per tensor or per output channel.`,
    );
  return scaledTensor({ label, data: stored, transposed, scales, zeros: await index.part(node, 2, "zero point") });
}

/** Rows of an integer table that are scaled after they were looked up, with one scale for all. */
export async function readGather(index: GraphIndex, node: OnnxNode, table: Table): Promise<OnnxTensor | null> {
  const tensor = await readTable(index, table, false);
  const after = tensor
    ? undefined
    : index.consumers(node.output[0]).find(({ opType }) => opType === "DequantizeLinear");
  if (!after) return tensor;
  const label = index.label(after);
  const scales = await index.part(after, 1, "scale");
  if (scales?.count !== 1)
    throw new WeightsError(
      `${label} must have one scale, not ${scales?.count ?? "none"}; quantize the model per tensor.`,
    );
  return scaledTensor({
    label,
    data: await index.locate(table.initializer),
    transposed: table.transposed,
    scales,
    zeros: await index.part(after, 2, "zero point"),
  });
}
