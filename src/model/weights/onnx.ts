/**
 * ONNX as transformers.js lays it out: float weights, 4-bit blocks (MatMulNBits), bitsandbytes' 4-bit codes (MatMulBnb4) and
 * dynamically quantized 8-bit weights, by optimum's names and by those of ONNX Runtime's model builder. Quantized values are
 * handed over as they lie in the file, or in another form with the same values, and then `held` says so.
 */
import { WeightsError } from "../errors";
import { collectTensors } from "./onnx/collect";
import { readGraph } from "./onnx/file";
import { GraphIndex } from "./onnx/graph";
import { OnnxStorage } from "./onnx/storage";
import { checkRange } from "./onnx/tensor";
import type { ExpectedTensor, ModelFiles, WeightFormat, WeightInfo, WeightSource } from "./types";

/** In order of preference: what takes the least memory first, and of that what keeps its scales in full. */
const variants = ["q4", "q4f16", "bnb4", "quantized", "int8", "uint8", "fp16", ""];

const fileNames = ["onnx/model", "model"].flatMap((start) =>
  variants.map((variant) => ({ start, variant, file: `${start}${variant && `_${variant}`}.onnx` })),
);
const preferred = variants.flatMap((variant) => fileNames.filter((name) => name.variant === variant));

export const format: WeightFormat = {
  id: "onnx",
  match: (paths) =>
    preferred.filter(({ file }) => paths.includes(file)).flatMap(({ file }) => [file, ...dataFiles(file, paths)]),
  async open(files: ModelFiles, paths: readonly string[], expected: readonly ExpectedTensor[]): Promise<WeightSource> {
    const file = paths.find((path) => path.endsWith(".onnx"));
    if (file === undefined)
      throw new WeightsError(`${files.name} holds no onnx/model_q4.onnx; add an ONNX file of the model.`);
    const blob = await files.open(file);
    const index = new GraphIndex(await readGraph(blob, file), new OnnxStorage(files, file, blob), file);
    const found = await collectTensors(index, expected);
    const tensors = new Map<string, WeightInfo>();
    for (const [name, { form, group, correction, shape, bytes, rowStep }] of found) {
      tensors.set(name, {
        ...{ name, form, shape, bytes },
        ...(group === undefined ? {} : { group }),
        ...(correction === undefined ? {} : { correction }),
        ...(rowStep === undefined ? {} : { rowStep }),
      });
    }
    return {
      path: file,
      format: "onnx",
      tensors,
      held: [...new Set([...found.values()].flatMap(({ held }) => held ?? []))],
      async read(name, rows) {
        const tensor = found.get(name);
        if (!tensor)
          throw new WeightsError(
            `${file} has no tensor "${name}"; it holds another model or names its tensors differently.`,
          );
        const range = rows ?? { first: 0, count: tensor.shape[0] ?? 0 };
        checkRange(tensor, range);
        return tensor.read(range);
      },
    };
  },
};

/** External data of an ONNX file, by the names that exporters give it. */
function dataFiles(file: string, paths: readonly string[]): readonly string[] {
  return paths.filter((path) => path.startsWith(`${file}_data`) || path === `${file}.data`);
}
