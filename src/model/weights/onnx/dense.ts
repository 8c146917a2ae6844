/** Float vectors and matrices, as they lie or transposed. */
import { WeightsError } from "../../errors";
import { checkFinite, toFloat32 } from "../bytes";
import { ColumnReader } from "./columns";
import { quoted } from "./file";
import type { StoredTensor } from "./storage";
import { isFloat, type OnnxTensor } from "./tensor";

/** `transposed`: a matrix that lies [in, out]. Throws `WeightsError` where the initializer is no float. */
export function denseTensor(stored: StoredTensor, transposed: boolean): OnnxTensor {
  const { type: form, shape, bytes, count, file } = stored;
  const name = quoted(stored.name).slice(1, -1);
  const label = `${file}: initializer "${name}"`;
  if (!isFloat(form)) {
    throw new WeightsError(`${label} has type ${form} but nothing scales it; export the model again.`);
  }
  const [rows = 1, columns = 1] = transposed ? shape.toReversed() : shape;
  const rowBytes = shape.length > 1 ? columns * (bytes / Math.max(count, 1)) : bytes / Math.max(count, 1);
  const reader = transposed ? new ColumnReader(stored) : null;
  return {
    ...{ label, key: stored.name, form, bytes },
    shape: shape.length > 1 ? [rows, columns] : shape,
    async read({ first, count: length }) {
      const data = reader
        ? await reader.read({ first, count: length })
        : await stored.read(first * rowBytes, (first + length) * rowBytes);
      checkFinite(form, data, file, name);
      return { form, shape: shape.length > 1 ? [length, columns] : [length], data };
    },
  };
}

/** A vector that the file stores as 1 + w; the difference is exact for every 1 + w that was rounded to float32 or float16. */
export function lessOne(tensor: OnnxTensor): OnnxTensor {
  return {
    ...tensor,
    form: "f32",
    held: "norm weights, stored as 1 + w, as w in float32",
    async read(rows) {
      const { form, shape, data } = await tensor.read(rows);
      if (form !== "f32" && form !== "f16" && form !== "bf16")
        throw new WeightsError(`${tensor.label} is ${form}; a norm's weights must be floats, export the model again.`);
      const values = Float32Array.from(toFloat32(form, data), (value) => value - 1);
      return { form: "f32", shape, data: new Uint8Array(values.buffer) };
    },
  };
}
