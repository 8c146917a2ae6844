/** safetensors, whole or in shards. The reader loads with the first such file. */
import { matchPaths } from "./safetensors/paths";
import type { ExpectedTensor, WeightFormat, WeightSource } from "./types";

export const format: WeightFormat = {
  id: "safetensors",
  match: matchPaths,
  async open(files, paths, expected) {
    const { openFolder } = await import("./safetensors/open");
    return openFolder(files, paths, expected);
  },
};

/** Any safetensors file. `file` is how messages call it. Throws `WeightsError` for a header that is broken or lies. */
export async function openSafetensors(
  blob: Blob,
  file: string,
  expected: readonly ExpectedTensor[] = [],
): Promise<WeightSource> {
  const { openFile } = await import("./safetensors/open");
  return openFile(blob, file, expected);
}
