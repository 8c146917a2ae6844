/**
 * MatMulInteger as dynamic quantization writes it: activations are quantized while the model runs, weights [in, out] are int8
 * or uint8. The weights' scale is multiplied in after the product: Mul(Cast(product), Mul(activation scale, weight scale)).
 */
import { WeightsError } from "../../errors";
import type { GraphIndex, Table } from "./graph";
import type { OnnxNode } from "./messages";
import { scaledTensor } from "./scaled";
import type { StoredTensor } from "./storage";
import type { OnnxTensor } from "./tensor";

/** Throws `WeightsError` where the weights' scale is not to be found, or parts do not fit. */
export async function readMatMulInteger(index: GraphIndex, node: OnnxNode, table: Table): Promise<OnnxTensor> {
  const scales = await findScale(index, node);
  if (!scales) {
    throw new WeightsError(
      `${index.label(node)} has no scale of its weights after it; only dynamic quantization as onnxruntime writes it can be read.`,
    );
  }
  return scaledTensor({
    label: index.label(node),
    data: await index.locate(table.initializer),
    transposed: !table.transposed,
    scales,
    zeros: await index.part(node, 3, "zero points"),
  });
}

/** The one initializer that the product is multiplied by, at the first or the second `Mul` after it. */
async function findScale(index: GraphIndex, node: OnnxNode): Promise<StoredTensor | null> {
  let value = node.output[0];
  const cast = index.consumers(value).find(({ opType }) => opType === "Cast");
  if (cast) value = cast.output[0];
  for (let hop = 0; hop < 2; hop++) {
    const product = index.consumers(value).find(({ opType }) => opType === "Mul");
    if (!product) return null;
    const other = product.input.find((input) => input !== value);
    const inner = index.producer(other);
    const factors = inner?.opType === "Mul" ? [other, ...inner.input] : [other];
    for (const factor of factors) {
      const initializer = factor === undefined ? undefined : index.initializers.get(factor);
      if (initializer) return index.locate(initializer);
    }
    value = product.output[0];
  }
  return null;
}
