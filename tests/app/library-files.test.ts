/** Adapters in and runs out through the worker's own handlers, with a real model and a real IndexedDB; hostile zips are refused in a sentence. */
import { strToU8, unzipSync, zipSync } from "fflate";
import { afterEach, describe, expect, it } from "vitest";
import { type DataOptions, dataDefaults } from "../../src/data/options";
import { recipeDefaults } from "../../src/training/recipe";
import { findAdapters } from "../../src/worker/adapter-files";
import type { DataFile, DataSource, RunSummary } from "../../src/worker/protocol";
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

const rowsOf = (name: string, count: number): DataSource => {
  const line = `${JSON.stringify({ prompt: "Who sails here?", completion: "Arr, matey!" })}\n`;
  return { name, files: [{ name, blob: new Blob([line.repeat(count)]) }], options: dataDefaults };
};
const recipe = { ...recipeDefaults, rank: 4, learningRate: 1e-2, steps: 2, maxLength: 64, pack: false };
const samples = { prompts: ["How are you?", "Wer bist du, „Käpt'n“?\u2028\n"], every: 1, maxNewTokens: 4 };

/** Two runs as different as they can be: one plain, one with all that a run can have. */
async function trainTwo(): Promise<readonly [RunSummary, RunSummary]> {
  await handlers.openModel({ source: { kind: "embedded", id: "tabtune-tiny" } }, ignore, never);
  const data = rowsOf("rows.jsonl", 4);
  const jinja = "{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}";
  const options: DataOptions = { ...dataDefaults, template: { kind: "own", jinja }, skip: ["empty"] };
  const first = await handlers.train({ recipe, data, evalData: null, initAdapter: null }, ignore, never);
  const second = await handlers.train(
    {
      recipe: { ...recipe, rank: 8, alpha: 12.5, targetModules: ["q_proj", "v_proj"] },
      data: { ...data, options },
      evalData: { ...rowsOf("held-out.jsonl", 2), options },
      initAdapter: null,
      samples,
    },
    ignore,
    never,
  );
  const named = { run: second.id, name: `${"Käpt'n/Blaubär: ".repeat(4)}small`, note: "sings\nwell" };
  return [first, await handlers.updateRun(named, ignore, never)];
}

async function whole({ id }: RunSummary) {
  const { blob } = await handlers.exportAdapter({ run: id, target: "peft" }, ignore, never);
  const files = unzipSync(new Uint8Array(await blob.arrayBuffer()));
  return {
    log: await handlers.runLog({ run: id }, ignore, never),
    weights: files["adapter_model.safetensors"],
    config: files["adapter_config.json"],
    template: files["chat_template.jinja"],
    card: files["README.md"],
  };
}

/** The backup of one run: its zip, and the files of its folder. */
async function packOne({ id }: RunSummary) {
  const { fileName, blob } = await handlers.exportRuns({ runs: [id] }, ignore, never);
  const files = Object.entries(unzipSync(new Uint8Array(await blob.arrayBuffer())));
  return {
    fileName,
    blob,
    files: Object.fromEntries(files.map(([path, bytes]) => [path.replace(/^.*\//, ""), bytes])),
  };
}

const butId = ({ id: _, ...rest }: RunSummary) => rest;
const importZip = (file: DataFile) => handlers.importAdapters({ files: [file] }, ignore, never);

describe("runs and files", () => {
  it("go out as one zip, and come back whole where they were deleted: names, notes, settings, logs, answers, bytes", async () => {
    const before = await trainTwo();
    const wholeBefore = await Promise.all(before.map(whole));
    const phases: string[] = [];
    const packed = await handlers.exportRuns({ runs: null }, ({ phase }) => phases.push(phase), never);
    expect(packed.leftOut).toEqual([]);
    expect(packed.fileName).toMatch(/^tabtune-runs-\d{4}-\d\d-\d\d\.zip$/);
    expect(phases).toEqual([`packing ${before[1].name}`, `packing ${before[0].name}`]);
    const files = Object.keys(unzipSync(new Uint8Array(await packed.blob.arrayBuffer())));
    expect(files.filter((name) => !name.startsWith("Käpt'n-Blaubär- ")).sort()).toEqual(
      ["README.md", "adapter_config.json", "adapter_model.safetensors", "tabtune-run.json"].map(
        (name) => `${before[0].name}/${name}`,
      ),
    );

    for (const { id } of before) await handlers.deleteRun({ run: id }, ignore, never);
    expect(await handlers.listRuns({}, ignore, never)).toEqual([]);
    const { runs, refused, notes } = await importZip({ name: packed.fileName, blob: packed.blob });
    expect({ refused, notes }).toEqual({ refused: [], notes: [] });
    const after = [...runs].reverse();
    expect(after.map(butId)).toEqual(before.map(butId));
    expect(await Promise.all(after.map(whole))).toEqual(wholeBefore);
    expect(after[1]).toMatchObject({ note: "sings\nwell", recipe: { alpha: 12.5 }, heldOut: { rows: 2 } });
    expect(wholeBefore[1]?.log.map(({ kind }) => kind)).toEqual([
      "sample",
      "sample",
      "eval",
      "step",
      "sample",
      "sample",
      "step",
      "sample",
      "sample",
      "eval",
    ]);
    expect(wholeBefore[1]?.template).toBeDefined();
    // In the list they stand where they stood.
    const listed = await handlers.listRuns({}, ignore, never);
    expect(listed.map(({ name }) => name)).toEqual([before[1].name, before[0].name]);
  });

  it("to be passed on hold the adapter and what it needs, and neither note nor answers nor run file", async () => {
    const [, run] = await trainTwo();
    const { blob } = await handlers.exportAdapter({ run: run.id, target: "peft" }, ignore, never);
    const files = unzipSync(new Uint8Array(await blob.arrayBuffer()));
    expect(Object.keys(files).sort()).toEqual([
      "README.md",
      "adapter_config.json",
      "adapter_model.safetensors",
      "chat_template.jinja",
    ]);
    const texts = ["README.md", "adapter_config.json"].map((name) => new TextDecoder().decode(files[name])).join();
    expect(texts).not.toMatch(/sings|Wer bist du/);
    const { runs, notes } = await importZip({ name: "passed-on.zip", blob });
    expect(notes).toEqual([]);
    expect(runs).toMatchObject([{ name: "passed-on", steps: 0, recipe: { rank: 8, alpha: 12.5 } }]);
  });

  it("come in under a free name where theirs is taken, and beside adapters that cannot be used", async () => {
    const [run] = await trainTwo();
    const { fileName, blob } = await packOne(run);
    const zips = [{ name: fileName, blob }, zip("broken.zip", both)];
    const { runs, refused, notes } = await handlers.importAdapters({ files: zips }, ignore, never);
    expect(runs.map(({ name, losses }) => ({ name, losses }))).toEqual([{ name: `${run.name} 2`, losses: run.losses }]);
    expect(notes).toEqual([]);
    expect(refused).toMatchObject([expect.stringMatching(/^broken: /)]);
    await expect(importZip(zip("broken.zip", both))).rejects.toThrow(/adapter_/);
  });

  it("lose their history, and nothing else, where their run file is not one of ours", async () => {
    const [run] = await trainTwo();
    const { files } = await packOne(run);
    const text = new TextDecoder().decode(files["tabtune-run.json"]);
    const good = JSON.parse(text);
    const { summary, log } = good;
    const withRunFile = (bytes: Uint8Array | null): DataFile => {
      const { "tabtune-run.json": _, ...rest } = files;
      const all = bytes === null ? rest : { ...rest, "tabtune-run.json": bytes };
      return { name: "captain.zip", blob: new Blob([zipSync(all)]) };
    };
    const json = (value: unknown): Uint8Array => strToU8(JSON.stringify(value));
    const bad: readonly (readonly [Uint8Array, RegExp])[] = [
      [strToU8("{"), /tabtune-run\.json is not valid JSON; export the run again\.$/],
      [json(null), /the file is null, which no run of Tabtune has; export the run again\.$/],
      [json({ ...good, version: 2 }), /was written by a newer Tabtune/],
      [json({ ...good, summary: { ...summary, created: "yesterday" } }), /summary\.created is "yesterday", which/],
      [json({ ...good, summary: { ...summary, note: "x".repeat(10_001) } }), /summary\.note is "x+/],
      [json({ ...good, summary: { ...summary, state: { html: "<b>" } } }), /summary\.state is \{"html"/],
      [json({ ...good, summary: { ...summary, recipe: {} } }), /summary\.recipe: learningRate is missing/],
      [
        json({ ...good, summary: { ...summary, recipe: { ...recipe, alpha: 1 } } }),
        /of another adapter: it says alpha 1,/,
      ],
      [
        json({ ...good, summary: { ...summary, losses: [1] } }),
        /tells of 2 steps, of 1 losses and of 2 events in its log/,
      ],
      [json({ ...good, log: [...log, { kind: "step", step: -1 }] }), /log\[2\]\.step is -1, which/],
      [json({ ...good, log: [...log, { kind: "sample", step: 2, prompt: "?" }] }), /log\[2\]\.text is missing, which/],
      [json({ ...good, log: [{ kind: "model" }, ...log] }), /log\[0\]\.kind is "model", which/],
      [json({ ...good, adapterSha256: "0".repeat(64) }), /is of another adapter: the SHA-256 of its adapter_model/],
    ];
    for (const [bytes, sentence] of bad) {
      const { runs, refused, notes } = await importZip(withRunFile(bytes));
      expect(runs).toMatchObject([
        { name: expect.stringMatching(/^captain/), steps: 0, dataset: "", recipe: { rank: 4 } },
      ]);
      expect(refused).toEqual([]);
      expect(notes).toEqual([expect.stringMatching(sentence)]);
      expect(notes[0]).toMatch(/^captain( \d+)? came without its history: /);
    }
    const plainImport = await importZip(withRunFile(null));
    expect(plainImport).toMatchObject({ runs: [{ steps: 0, losses: [] }], refused: [], notes: [] });
    // Earlier releases wrote neither version nor template, and unknown fields are passed over.
    const earlier = await importZip(withRunFile(json({ summary: { ...summary, colour: "red" }, log })));
    expect(earlier.notes).toEqual([]);
    expect(earlier.runs.map(butId)).toEqual([{ ...butId(summary), name: `${run.name} 2` }]);
    const elsewhere = await importZip(withRunFile(json({ ...good, summary: { ...summary, model: "other" } })));
    expect(elsewhere.runs).toMatchObject([{ model: "tabtune-tiny", steps: 2 }]);
    expect(elsewhere.notes).toEqual([
      `${run.name} 3 was trained on other; it is kept for tabtune-tiny, which is open.`,
    ]);
  });

  it("with more text than a run may keep are thinned out on the way in", async () => {
    const [, run] = await trainTwo();
    const { files } = await packOne(run);
    const file = JSON.parse(new TextDecoder().decode(files["tabtune-run.json"]));
    for (let step = 0; step < 2000; step++)
      file.log.push({ kind: "sample", step, prompt: "?", text: "tea ".repeat(100) });
    const swollen = zipSync({ ...files, "tabtune-run.json": strToU8(JSON.stringify(file)) });
    const { runs, notes } = await importZip({ name: "big.zip", blob: new Blob([swollen]) });
    expect(notes).toEqual([]);
    const log = await handlers.runLog({ run: runs[0]?.id ?? "" }, ignore, never);
    const answers = log.filter(({ kind }) => kind === "sample");
    expect(answers.at(0)?.step).toBe(0);
    expect(answers.at(-1)?.step).toBe(1999);
    expect(JSON.stringify(answers).length).toBeLessThan(200_000);
    expect(log.filter(({ kind }) => kind === "step")).toHaveLength(2);
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
    expect(loose).toMatchObject([{ name: "", runFile: null }]);
    const ours = [...files.slice(0, 3), plain("captain/tabtune-run.json"), plain("tabtune-run.json")];
    expect(await findAdapters(ours)).toMatchObject([{ name: "captain", runFile: { size: 2 } }]);
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

  it("keep apart what lies in folders of one name in different zips, and refuse to mix loose ones", async () => {
    const twice = [
      zip("x.zip", inFolder("same")),
      zip("y.zip", { ...inFolder("same"), "same/tabtune-run.json": "{}" }),
    ];
    expect(await findAdapters(twice)).toMatchObject([
      { name: "same", runFile: null },
      { name: "same", runFile: { size: 2 } },
    ]);
    const loose = ["a/adapter_config.json", "a/adapter_model.safetensors", "./a/adapter_config.json"].map(plain);
    await expect(findAdapters(loose)).rejects.toThrow(/^a\/adapter_config\.json came twice; import folders/);
  });

  it("stored in a zip take no more memory than others, whatever their records claim", async () => {
    const packed = zipSync({ "adapter_model.safetensors": [new Uint8Array(2 ** 20), { level: 0 }] });
    const end = packed.length - 22;
    const directory = new DataView(packed.buffer).getUint32(end + 16, true);
    const record = packed.slice(directory, end);
    new DataView(record.buffer).setUint32(24, 0, true);
    // 1100 records, all of the one stored megabyte, each said to unpack to nothing.
    const tail = packed.slice(end);
    new DataView(tail.buffer).setUint16(8, 1100, true);
    new DataView(tail.buffer).setUint16(10, 1100, true);
    new DataView(tail.buffer).setUint32(12, 1100 * record.length, true);
    const blob = new Blob([packed.slice(0, directory), ...Array.from({ length: 1100 }, () => record), tail]);
    await expect(findAdapters([{ name: "bomb.zip", blob }])).rejects.toThrow(/^bomb\.zip unpacks to more than it can/);
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
