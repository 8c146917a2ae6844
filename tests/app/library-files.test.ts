/** Adapters in and runs out through the worker's own handlers, with a real model and a real IndexedDB; hostile zips are refused in a sentence. */
import { strToU8, unzipSync, zipSync } from "fflate";
import { afterEach, describe, expect, it } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { recipeDefaults } from "../../src/training/recipe";
import { findAdapters } from "../../src/worker/adapter-files";
import type { DataFile } from "../../src/worker/protocol";
import { createHandlers } from "../../src/worker/studio";

const handlers = createHandlers(() => undefined, new URL("/", location.href));
const never = new AbortController().signal;
const ignore = () => undefined;

afterEach(async () => {
  for (const { id } of await handlers.listRuns({}, ignore, never)) await handlers.deleteRun({ run: id }, ignore, never);
});

const zip = (name: string, files: Readonly<Record<string, string>>): DataFile => ({
  name,
  blob: new Blob([zipSync(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, strToU8(text)])))]),
});
const both = { "adapter_config.json": "{}", "adapter_model.safetensors": "w" };
const inFolder = (folder: string): Record<string, string> =>
  Object.fromEntries(Object.entries(both).map(([path, text]) => [`${folder}/${path}`, text]));
const plain = (name: string): DataFile => ({ name, blob: new Blob(["{}"]) });

describe("runs and files", () => {
  it("go out as one zip and come back in as adapters with names of their own", async () => {
    await handlers.openModel({ source: { kind: "embedded", id: "tabtune-tiny" } }, ignore, never);
    const rows = new File(['{"text":"One little bird sang."}\n'.repeat(4)], "rows.jsonl");
    const data = { name: "rows.jsonl", files: [{ name: rows.name, blob: rows }], options: dataDefaults };
    const recipe = { ...recipeDefaults, rank: 4, learningRate: 1e-3, steps: 2, maxLength: 64, pack: false };
    const run = await handlers.train({ recipe, data, evalData: null, initAdapter: null }, ignore, never);
    expect(await handlers.runLog({ run: run.id }, ignore, never)).toMatchObject([
      { kind: "step", step: 1, loss: run.losses[0] },
      { kind: "step", step: 2, loss: run.losses[1] },
    ]);
    await handlers.updateRun({ run: run.id, name: "bird: small/fast", note: "sings" }, ignore, never);

    const phases: string[] = [];
    const packed = await handlers.exportRuns({ runs: null }, ({ phase }) => phases.push(phase), never);
    expect(packed.leftOut).toEqual([]);
    expect(packed.fileName).toMatch(/^tabtune-runs-\d{4}-\d\d-\d\d\.zip$/);
    expect(phases).toEqual(["packing bird: small/fast"]);
    const files = unzipSync(new Uint8Array(await packed.blob.arrayBuffer()));
    const folder = "bird- small-fast";
    expect(Object.keys(files).sort()).toEqual(
      ["README.md", "adapter_config.json", "adapter_model.safetensors", "tabtune-run.json"].map(
        (name) => `${folder}/${name}`,
      ),
    );
    const json: unknown = JSON.parse(new TextDecoder().decode(files[`${folder}/tabtune-run.json`]));
    expect(json).toMatchObject({ summary: { note: "sings", steps: 2 }, log: [{ step: 1 }, { step: 2 }] });

    const zips = [{ name: packed.fileName, blob: packed.blob }];
    const { runs, refused } = await handlers.importAdapters({ files: zips }, ignore, never);
    expect(refused).toEqual([]);
    expect(runs).toMatchObject([{ name: folder, steps: 0, recipe: { rank: 4 }, model: run.model }]);
    const again = await handlers.importAdapters({ files: zips }, ignore, never);
    expect(again.runs.map(({ name }) => name)).toEqual([`${folder} 2`]);
    // Bit for bit what went out.
    const exported = await handlers.exportAdapter({ run: runs[0]?.id ?? "", target: "peft" }, ignore, never);
    const back = unzipSync(new Uint8Array(await exported.blob.arrayBuffer()));
    expect(back["adapter_model.safetensors"]).toEqual(files[`${folder}/adapter_model.safetensors`]);

    const broken = zip("broken.zip", both);
    await expect(handlers.importAdapters({ files: [broken] }, ignore, never)).rejects.toThrow(/adapter_/);
    const mixed = await handlers.importAdapters({ files: [...zips, broken] }, ignore, never);
    expect(mixed.runs.map(({ name }) => name)).toEqual([`${folder} 3`]);
    expect(mixed.refused).toMatchObject([expect.stringMatching(/^broken: /)]);
  });
});

describe("adapters among files", () => {
  it("are found in folders, in zips, and in zips of folders, each by its name", async () => {
    const files = [
      plain("captain/adapter_config.json"),
      plain("captain/adapter_model.safetensors"),
      plain("captain/README.md"),
      zip("bare.zip", both),
      zip("two.zip", { ...inFolder("one"), ...inFolder("deep/two"), "__MACOSX/one/._adapter_config.json": "x" }),
    ];
    expect((await findAdapters(files)).map(({ name }) => name)).toEqual(["captain", "bare", "one", "two"]);
    const loose = await findAdapters([plain("adapter_config.json"), plain("adapter_model.safetensors")]);
    expect(loose.map(({ name }) => name)).toEqual([""]);
  });

  it.each([
    [[plain("photo.png")], /^photo\.png is no adapter; choose a PEFT folder/],
    [[plain("a/adapter_config.json")], /^adapter_config\.json came without adapter_model\.safetensors/],
    [[plain("a/adapter_config.json"), plain("a/adapter_model.bin")], /^adapter_model\.bin is a Python pickle/],
    [[plain("broken.zip")], /^broken\.zip is no zip, or a damaged one \(.+\); pack or download it again\.$/],
    [[zip("texts.zip", { "a.txt": "x" })], /^texts\.zip holds no adapter_config\.json/],
  ])("that are none are refused in a sentence (%#)", async (files, message) => {
    await expect(findAdapters(files)).rejects.toThrow(message);
  });

  it("in a zip that promises more than it can hold take no memory", async () => {
    const bytes = zipSync({ "adapter_config.json": strToU8("{}"), "adapter_model.safetensors": strToU8("w") });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // The uncompressed size of every entry of the central directory becomes almost 4 GB.
    for (let at = 0; at + 46 < bytes.length; at++) {
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 0xfffffff0, true);
    }
    const files = [{ name: "bomb.zip", blob: new Blob([bytes]) }];
    await expect(findAdapters(files)).rejects.toThrow(/^bomb\.zip unpacks to more than it can hold/);
  });
});
