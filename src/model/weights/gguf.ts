/** GGUF (llama.cpp): one file with metadata and tensors, often quantized in blocks. Source: docs/gguf.md of ggml. */
import { WeightsError } from "../errors";
import { architectureOfFile } from "./gguf/architectures";
import { type GgufTensor, readHeader } from "./gguf/header";
import { readTensor } from "./gguf/tensor";
import { heldAs } from "./gguf/tensor-types";
import type { ModelFiles, WeightFormat, WeightInfo, WeightSource } from "./types";

export const format: WeightFormat = {
  id: "gguf",
  match: (paths) => paths.filter((path) => /^[^/]+\.gguf$/i.test(path)),
  async open(files: ModelFiles, paths: readonly string[]): Promise<WeightSource> {
    const [path, another] = paths;
    if (path === undefined || another !== undefined) {
      throw new WeightsError(
        `${files.name} holds ${paths.length} GGUF files (${paths.slice(0, 4).join(", ")}); give one of them.`,
      );
    }
    return openGguf(await files.open(path), path);
  },
};

/** Throws `WeightsError` for a header that is broken or lies, and for an architecture that is not built. */
async function openGguf(blob: Blob, file: string): Promise<WeightSource> {
  const header = await readHeader(blob, file);
  const architecture = await architectureOfFile(header);
  const tensors = new Map<string, WeightInfo>();
  const found = new Map<string, GgufTensor>();
  const held = new Set<string>();
  for (const tensor of header.tensors.values()) {
    const name = architecture.tensorName(tensor.name);
    if (name === null) continue;
    const { type, shape, start, end } = tensor;
    checkShape(file, tensor, architecture.rowOrder(tensor.name, header));
    tensors.set(name, {
      name,
      form: typeof type.held === "string" ? type.held : type.held.form,
      shape,
      bytes: end - start,
    });
    found.set(name, tensor);
    const note = heldAs(type);
    if (note !== null) held.add(note);
  }
  return {
    format: "gguf",
    tensors,
    held: [...held],
    async read(name) {
      const tensor = found.get(name);
      if (!tensor)
        throw new WeightsError(`${file} has no tensor for "${name}"; it holds another model or only part of one.`);
      return readTensor(blob, file, tensor, architecture.rowOrder(tensor.name, header));
    },
  };
}

/** Blocks run along the columns of matrices; rows that are put in order must all be there. */
function checkShape(file: string, { name, type, shape }: GgufTensor, order: ((row: number) => number) | null): void {
  const rows = shape[0] ?? 0;
  if (typeof type.held !== "string" && shape.length !== 2) {
    throw new WeightsError(
      `${file}: tensor "${name}" is ${type.name} with ${shape.length} dims; only matrices can be quantized, the file is damaged.`,
    );
  }
  // The last row's place is the highest: within whole heads every row has one.
  if (order && order(rows - 1) !== rows - 1) {
    throw new WeightsError(
      `${file}: tensor "${name}" has ${rows} rows, which is no whole number of heads; the file is damaged.`,
    );
  }
}
