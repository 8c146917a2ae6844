/** The weight file formats, one file each beside this one. */
import { ModelError } from "../errors";
import { format as gguf } from "./gguf";
import { format as onnx } from "./onnx";
import { format as safetensors } from "./safetensors";
import type { ExpectedTensor, ModelFiles, WeightFormat, WeightSource } from "./types";

/** In order of preference where a folder holds several: quantized weights take a quarter of the memory. */
export const weightFormats: readonly WeightFormat[] = [onnx, gguf, safetensors];

/** Opens the first format that the folder holds. Throws `ModelError` where there is none. */
export async function openWeights(files: ModelFiles, expected: readonly ExpectedTensor[]): Promise<WeightSource> {
  for (const format of weightFormats) {
    const paths = format.match(files.paths);
    if (paths.length > 0) return format.open(files, paths, expected);
  }
  throw new ModelError(
    `${files.name} holds no weights that can be read; add model.safetensors, onnx/model_q4.onnx or a .gguf file.`,
  );
}
