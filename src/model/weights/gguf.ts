/** GGUF (llama.cpp): one file with metadata and tensors, often quantized in blocks. Its reader loads with the first such file. */
import { WeightsError } from "../errors";
import type { ExpectedTensor, ModelFiles, WeightFormat, WeightSource } from "./types";

export const format: WeightFormat = {
  id: "gguf",
  match: (paths) => paths.filter((path) => /^[^/]+\.gguf$/i.test(path)),
  async open(files: ModelFiles, paths: readonly string[], expected: readonly ExpectedTensor[]): Promise<WeightSource> {
    const [path, another] = paths;
    if (path === undefined || another !== undefined) {
      throw new WeightsError(
        `${files.name} holds ${paths.length} GGUF files (${paths.slice(0, 4).join(", ")}); give one of them.`,
      );
    }
    const { openGguf } = await import("./gguf/open");
    return openGguf(await files.open(path), path, expected);
  },
};
