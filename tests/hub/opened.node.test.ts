/** What was downloaded is what the loaders open. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { lookUp, obtain } from "../../src/hub";
import { memoryStore } from "../../src/hub/store";
import { parseBlueprint } from "../../src/model/blueprint";
import { readJson } from "../../src/model/folder";
import { ggufFolder } from "../../src/model/gguf-folder";
import { openWeights } from "../../src/model/weights/registry";
import type { ModelFiles } from "../../src/model/weights/types";
import { fakeHub } from "../support/fake-hub";
import { goldenRepositories } from "../support/fake-hub-models";

const gguf = new Uint8Array(await readFile(new URL("../golden/gguf/q4_0.gguf", import.meta.url)));
const repositories = [
  ...(await goldenRepositories()),
  { id: "tests/tiny-GGUF", commit: "3".repeat(40), files: new Map([["tiny-Q4_0.gguf", gguf]]) },
];

async function download(source: string, more: Partial<Parameters<typeof fakeHub>[0]> = {}) {
  const hub = fakeHub({ repositories, ...more });
  const options = { fetchFile: hub.fetchFile, wait: async () => undefined, store: memoryStore() };
  const found = await lookUp(source, options);
  const variant = found.variants.find(({ id }) => id === found.preferred);
  return (await obtain(found, variant ?? expect.fail("no variant"), options)).opened;
}

async function formatOf(files: ModelFiles): Promise<string> {
  const { tensors } = parseBlueprint(await readJson(files, "config.json", 100_000));
  const source = await openWeights(files, tensors);
  const [first] = source.tensors.values();
  expect((await source.read(first?.name ?? "")).shape).toEqual(first?.shape);
  return source.format;
}

describe("a downloaded model", () => {
  it.each([
    ["tests/tiny-int4", "onnx"],
    ["tests/tiny-tied", "safetensors"],
  ])("%s opens as %s", async (source, format) => {
    const opened = await download(source);
    if (opened.kind !== "folder") expect.fail("no folder");
    expect(await formatOf(opened.files)).toBe(format);
  });

  it.each(["tests/tiny-GGUF", "https://cdn-lfs.hf.co/tiny-Q4_0.gguf"])("%s opens as GGUF", async (source) => {
    const opened = await download(source, { sites: new Map([["https://cdn-lfs.hf.co/tiny-Q4_0.gguf", gguf]]) });
    if (opened.kind !== "gguf") expect.fail("no GGUF");
    const files = (await ggufFolder(opened.files)) ?? expect.fail("no GGUF model");
    expect(await formatOf(files)).toBe("gguf");
  });

  it("opens from an address of a safetensors file with its config beside it", async () => {
    const folder = repositories[1]?.files ?? new Map<string, Uint8Array<ArrayBuffer>>();
    const sites = new Map([...folder].map(([path, bytes]) => [`https://cdn-lfs.hf.co/m/${path}`, bytes] as const));
    const opened = await download("https://cdn-lfs.hf.co/m/model.safetensors", { sites });
    if (opened.kind !== "folder") expect.fail("no folder");
    expect(await formatOf(opened.files)).toBe("safetensors");
  });
});
