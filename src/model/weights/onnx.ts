/**
 * ONNX as transformers.js lays it out: a graph whose linear layers are com.microsoft MatMulNBits nodes. Quantized blocks are
 * handed over exactly as they lie in the file; embeddings, norms and biases are float initializers.
 */
import { WeightsError } from "../errors";
import { checkFinite } from "./bytes";
import { type OnnxGraph, readGraph } from "./onnx-file";
import { readMatMulNBits } from "./onnx-matmul-nbits";
import { tensorOfInitializer } from "./onnx-names";
import { OnnxStorage, type StoredTensor } from "./onnx-storage";
import type { ModelFiles, WeightData, WeightFormat, WeightInfo, WeightSource } from "./types";

/** Both variants hold the same nodes; q4f16 keeps its float tensors in f16. */
const fileNames = ["onnx/model_q4.onnx", "model_q4.onnx", "onnx/model_q4f16.onnx", "model_q4f16.onnx"];

export const format: WeightFormat = {
  id: "onnx",
  match(paths) {
    const file = fileNames.find((name) => paths.includes(name));
    return file === undefined
      ? []
      : [file, ...paths.filter((path) => path.startsWith(`${file}_data`) || path === `${file}.data`)];
  },
  async open(files: ModelFiles, paths: readonly string[]): Promise<WeightSource> {
    const file = paths[0];
    if (file === undefined) throw new WeightsError(`${files.name} holds no ${fileNames[0]}; add the 4-bit ONNX file.`);
    const blob = await files.open(file);
    const entries = await collectEntries(await readGraph(blob, file), new OnnxStorage(files, file, blob), file);
    return {
      format: "onnx",
      tensors: new Map(Array.from(entries, ([name, entry]) => [name, entry.info])),
      async read(name) {
        const entry = entries.get(name);
        if (!entry)
          throw new WeightsError(
            `${file} has no tensor "${name}"; it holds another model or names its tensors differently.`,
          );
        return entry.read();
      },
    };
  },
};

interface Entry {
  readonly info: WeightInfo;
  read(): Promise<WeightData>;
}

async function collectEntries(
  graph: OnnxGraph,
  storage: OnnxStorage,
  file: string,
): Promise<ReadonlyMap<string, Entry>> {
  const entries = new Map<string, Entry>();
  const add = (entry: Entry): void => {
    const { name } = entry.info;
    if (entries.has(name)) throw new WeightsError(`${file} gives the tensor "${name}" twice; export the model again.`);
    entries.set(name, entry);
  };
  // The right side of a plain product lies [in, out], not [out, in] as a Hugging Face name would promise.
  const transposed = new Set<string>();
  for (const node of graph.nodes) {
    if (node.opType === "MatMulNBits" && node.domain === "com.microsoft") {
      const linear = await readMatMulNBits(node, graph, storage, file);
      add(linear);
      if (linear.bias) add(floatEntry(linear.info.name.replace(/weight$/, "bias"), linear.bias));
    } else if (node.opType === "MatMul" || node.opType === "Gemm") {
      const right = node.input[1];
      if (right !== undefined && !node.attribute.some(({ name, i }) => name === "transB" && i === 1n))
        transposed.add(right);
    }
  }
  const layers = countLayers(entries.keys());
  for (const [given, initializer] of graph.initializers) {
    const name = tensorOfInitializer(given, layers);
    if (name === null || transposed.has(given)) continue;
    add(floatEntry(name, await storage.locate(initializer)));
  }
  return entries;
}

function countLayers(names: Iterable<string>): number {
  let layers = 0;
  for (const name of names) {
    const index = /^model\.layers\.(\d{1,6})\./.exec(name)?.[1];
    if (index !== undefined) layers = Math.max(layers, Number(index) + 1);
  }
  return layers;
}

function floatEntry(name: string, tensor: StoredTensor): Entry {
  const { file, form, shape, bytes } = tensor;
  if (form === "u8") {
    throw new WeightsError(
      `${file}: initializer "${tensor.name}" is uint8 but no MatMulNBits node uses it; export the model as q4.`,
    );
  }
  return {
    info: { name, form, shape, bytes },
    async read() {
      const data = await tensor.read();
      checkFinite(form, data, file, name);
      return { form, shape, data };
    },
  };
}
