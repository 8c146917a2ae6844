/** A GGUF file's tensors, by the names and in the order that a Hugging Face folder has them. Source: docs/gguf.md of ggml. */
import { WeightsError } from "../../errors";
import type { ExpectedTensor, WeightInfo, WeightSource } from "../types";
import type { TensorPlace } from "./architecture";
import { architectureOfFile } from "./architectures";
import { type GgufTensor, readHeader } from "./header";
import { isRotaryTensor } from "./names";
import { readTensor } from "./tensor";
import { heldAs } from "./tensor-types";

/** Throws `WeightsError` for a header that is broken or lies, and for an architecture or a tensor that is not built. */
export async function openGguf(blob: Blob, file: string, expected: readonly ExpectedTensor[]): Promise<WeightSource> {
  const header = await readHeader(blob, file);
  const architecture = await architectureOfFile(header);
  const wanted = new Set(expected.map(({ name }) => name));
  const tensors = new Map<string, WeightInfo>();
  const found = new Map<string, { readonly tensor: GgufTensor; readonly place: TensorPlace }>();
  const held = new Set<string>();
  for (const tensor of header.tensors.values()) {
    if (isRotaryTensor(tensor.name)) continue;
    const place = architecture.place(tensor.name, header);
    // A tensor left out would be a model that answers, but not the one of the file.
    if (!place || (wanted.size > 0 && !wanted.has(place.name))) {
      throw new WeightsError(
        `${file}: tensor "${tensor.name}" has no place in the ${architecture.id} model that the metadata describe; the model is another one or the file is damaged, pick another.`,
      );
    }
    checkShape(file, tensor, place);
    tensors.set(place.name, infoOf(tensor, place));
    found.set(place.name, { tensor, place });
    const note = heldAs(tensor.type);
    if (note !== null) held.add(note);
    if (place.shift) held.add(place.shift.note);
  }
  return {
    format: "gguf",
    tensors,
    held: [...held],
    async read(name, rows) {
      const one = found.get(name);
      if (!one)
        throw new WeightsError(`${file} has no tensor for "${name}"; it holds another model or only part of one.`);
      return readTensor(blob, file, one.tensor, one.place, rows);
    },
  };
}

function infoOf({ type, shape, start, end }: GgufTensor, { name, order, shift }: TensorPlace): WeightInfo {
  const common = { name, shape, bytes: end - start, ...(order && { rowStep: order.step }) };
  const { held } = type;
  if (typeof held === "string") return { ...common, form: shift ? "f32" : held };
  return { ...common, form: held.form, group: held.group, ...(held.offsets && { correction: "offsets" }) };
}

/** Blocks run along the columns of matrices and are not changed; rows that are put in order must all be there. */
function checkShape(file: string, { name, type, shape }: GgufTensor, { order, shift }: TensorPlace): void {
  const rows = shape[0] ?? 0;
  if (typeof type.held !== "string" && (shape.length !== 2 || shift)) {
    throw new WeightsError(
      `${file}: tensor "${name}" is ${type.name} with ${shape.length} dims; only matrices can be quantized, the file is damaged.`,
    );
  }
  // The last row's place is the highest: within whole heads every row has one.
  if (order && order.source(rows - 1) !== rows - 1) {
    throw new WeightsError(
      `${file}: tensor "${name}" has ${rows} rows, which is no whole number of heads; the file is damaged.`,
    );
  }
}
