/** Repositories for the fake hub, made of the golden model folders. */
import type { FakeRepository } from "./fake-hub";
import { goldenFolder } from "./golden";

export const commits = { int4: "1".repeat(40), tied: "2".repeat(40) } as const;

/** "tests/tiny-int4" (4-bit ONNX) and "tests/tiny-tied" (safetensors). */
export async function goldenRepositories(): Promise<FakeRepository[]> {
  return [
    { id: "tests/tiny-int4", commit: commits.int4, files: await filesOf("llama-int4/model") },
    { id: "tests/tiny-tied", commit: commits.tied, files: await filesOf("llama-tied/model") },
  ];
}

async function filesOf(folder: string): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const { paths, open } = goldenFolder(folder);
  const read = async (path: string) => [path, new Uint8Array(await (await open(path)).arrayBuffer())] as const;
  return new Map(await Promise.all(paths.map(read)));
}
