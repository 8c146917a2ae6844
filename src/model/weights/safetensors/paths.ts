/** The names under which safetensors models lie in a folder. */

const fileName = "model.safetensors";
export const indexName = "model.safetensors.index.json";
export const shardPattern = /^model-(\d{5})-of-(\d{5})\.safetensors$/;

/** The paths that are opened, in order; empty where the folder holds no such model. */
export function matchPaths(paths: readonly string[]): readonly string[] {
  if (paths.includes(fileName)) return [fileName];
  const shards = paths.filter((path) => shardPattern.test(path)).toSorted();
  return paths.includes(indexName) ? [indexName, ...shards] : shards;
}
