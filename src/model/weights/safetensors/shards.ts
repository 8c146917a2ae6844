/** Which files of a folder hold a model in safetensors: one, those that the index names, or those numbered 1 to N. */
import { WeightsError } from "../../errors";
import { readSlice } from "../bytes";
import type { ModelFiles } from "../types";
import { maxTensors, readHeader, type StoredTensor } from "./header";
import { parseMembers } from "./json";
import { indexName, shardPattern } from "./paths";

const maxIndexBytes = 4 * 1024 * 1024;
const maxShards = 500;

/**
 * Every tensor of the files by name. Throws `WeightsError` where a shard is missing, lacks a tensor that the index says it has,
 * or holds one that another shard has too.
 */
export async function readShards(
  files: ModelFiles,
  paths: readonly string[],
): Promise<ReadonlyMap<string, StoredTensor>> {
  const index = paths.includes(indexName) ? await readIndex(files) : null;
  const shards = index ? [...new Set(index.values())].toSorted() : paths;
  if (shards.length > maxShards) {
    throw new WeightsError(
      `${files.name} splits its weights over ${shards.length} files; more than ${maxShards} are not read.`,
    );
  }
  const lacking = index ? shards.find((path) => !files.paths.includes(path)) : missingNumber(shards);
  if (lacking !== undefined) {
    const source = index ? indexName : (shards[0] ?? files.name);
    throw new WeightsError(`${source} goes with ${lacking}, which is missing; add that file to the folder.`);
  }
  const tensors = new Map<string, StoredTensor>();
  for (const path of shards) {
    for (const tensor of await readHeader(await files.open(path), path)) {
      const { name } = tensor;
      const other = tensors.get(name);
      if (other) {
        throw new WeightsError(
          `Both ${other.file} and ${path} hold the tensor ${JSON.stringify(name.slice(0, 200))}; the files belong to different models, download all of them again.`,
        );
      }
      tensors.set(name, tensor);
    }
    if (tensors.size > maxTensors) {
      throw new WeightsError(
        `${files.name} holds ${tensors.size} tensors up to ${path}; more than ${maxTensors} are not read.`,
      );
    }
  }
  for (const [name, path] of index ?? []) {
    if (tensors.get(name)?.file === path) continue;
    throw new WeightsError(
      `${indexName} says that ${path} holds the tensor ${JSON.stringify(name.slice(0, 200))}, but it does not; the files belong to different models, download all of them again.`,
    );
  }
  return tensors;
}

/** File by tensor name. */
async function readIndex(files: ModelFiles): Promise<ReadonlyMap<string, string>> {
  const blob = await files.open(indexName);
  if (blob.size > maxIndexBytes) {
    throw new WeightsError(
      `${indexName} has ${blob.size} bytes, more than the ${maxIndexBytes} that are read; this is no index of a model.`,
    );
  }
  const members = new Map(parseMembers(await readSlice(blob, 0, blob.size, indexName), indexName));
  const map = members.get("weight_map");
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new WeightsError(`${indexName} has no object "weight_map" of file names by tensor; download it again.`);
  }
  const entries: [string, unknown][] = Object.entries(map);
  if (entries.length === 0 || entries.length > maxTensors) {
    throw new WeightsError(`${indexName} lists ${entries.length} tensors; it must be 1 to ${maxTensors}.`);
  }
  return new Map(entries.map(([name, path]) => [name, checkPath(name, path)]));
}

/** A safetensors file right beside the index. */
function checkPath(name: string, path: unknown): string {
  if (typeof path === "string" && /^[\w.-]{1,200}\.safetensors$/.test(path)) return path;
  const shown = JSON.stringify(path)?.slice(0, 200);
  throw new WeightsError(
    `${indexName} says that tensor ${JSON.stringify(name.slice(0, 200))} lies in ${shown}; it must be the name of a .safetensors file of the same folder.`,
  );
}

/** The name of a file that is not there, going by the numbers in the others' names. */
function missingNumber(shards: readonly string[]): string | undefined {
  const total = shardPattern.exec(shards[0] ?? "")?.[2];
  if (total === undefined) return undefined;
  const names = Array.from(
    { length: Math.min(Number(total), maxShards + 1) },
    (_, i) => `model-${String(i + 1).padStart(5, "0")}-of-${total}.safetensors`,
  );
  const stray = shards.find((path) => !names.includes(path));
  if (stray !== undefined) {
    throw new WeightsError(
      `${stray} is not one of the ${Number(total)} files that ${shards[0]} belongs to; keep the files of one model only.`,
    );
  }
  return names.find((path) => !shards.includes(path));
}
