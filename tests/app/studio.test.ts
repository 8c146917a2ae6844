/** The worker's own handlers with a real GPU, real files and a real IndexedDB: what goes wrong must not go far. */
import { unzipSync } from "fflate";
import { afterEach, describe, expect, it, vi } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { recipeDefaults } from "../../src/training/recipe";
import { TrainingSession } from "../../src/training/session";
import type { Calls, DataOptions, DataSource, InspectEvent, ModelSource, TrainEvent } from "../../src/worker/protocol";
import { createHandlers } from "../../src/worker/studio";

const handlers = createHandlers(() => undefined, new URL("/", location.href));
const never = new AbortController().signal;
const ignore = () => undefined;
const rows = ["One little bird sang.", "Two little birds sang.", "Three birds flew home."];
const source = (name: string, lines: readonly unknown[], options: Partial<DataOptions> = {}): DataSource => ({
  name,
  files: [{ name, blob: new File([lines.map((line) => `${JSON.stringify(line)}\n`).join("")], name) }],
  options: { ...dataDefaults, ...options },
});
const texts = rows.map((text) => ({ text }));
const data = source("rows.jsonl", texts);
const recipe = { ...recipeDefaults, rank: 4, learningRate: 1e-3, steps: 3, maxLength: 64, pack: false };
const train = (
  change: Partial<Calls["train"]["in"]> = {},
  emit: (event: TrainEvent) => void = ignore,
  signal = never,
) => handlers.train({ recipe, data, evalData: null, initAdapter: null, ...change }, emit, signal);
const open = (source: ModelSource) => handlers.openModel({ source }, ignore, never);
const embedded: ModelSource = { kind: "embedded", id: "tabtune-tiny" };

afterEach(async () => {
  vi.restoreAllMocks();
  for (const { id } of await handlers.listRuns({}, ignore, never)) await handlers.deleteRun({ run: id }, ignore, never);
});

describe("the studio", () => {
  it("keeps a run and exports it, also after another model was opened", async () => {
    await open(embedded);
    const summary = await train();
    expect(summary).toMatchObject({ state: "finished", steps: 3, dataset: "rows.jsonl" });
    const files = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
    const base = new URL("../golden/llama-tied/model/", import.meta.url).href;
    await open({ kind: "url", name: "llama-tied", base, paths: files });
    const { fileName, blob } = await handlers.exportAdapter({ run: summary.id, target: "peft" }, ignore, never);
    expect(fileName).toBe(`${summary.name}.zip`);
    expect(blob.size).toBeGreaterThan(summary.adapterBytes);
    await expect(
      handlers.generate(
        { prompt: "a", run: summary.id, strength: 1, maxNewTokens: 2, temperature: 0, topK: 0, topP: 1, seed: 1 },
        ignore,
        never,
      ),
    ).rejects.toThrow();
  });

  it("fits the max length to rows that are all short, and trains with the look that it gave", async () => {
    await open(embedded);
    const most = { ...recipe, maxLength: 512 };
    const fitted = await handlers.inspectDataset({ data, recipe: most, fitMaxLength: true }, ignore, never);
    expect(fitted).toMatchObject({ maxLength: 128, truncatedRows: 0, rows: 3 });
    expect(await handlers.inspectDataset({ data, recipe: most }, ignore, never)).toMatchObject({ maxLength: 512 });
  });

  it("fits the max length to the held-out rows too, where they can be read", async () => {
    await open(embedded);
    const most = { ...recipe, maxLength: 512 };
    const fitted = (evalData: DataSource | null) =>
      handlers.inspectDataset({ data, recipe: most, fitMaxLength: true, evalData }, ignore, never);
    const long = { text: Array.from({ length: 60 }, (_, index) => `${rows[0]} ${index}`).join(" ") };
    expect(await fitted(source("short.jsonl", texts))).toMatchObject({ maxLength: 128 });
    expect(await fitted(source("long.jsonl", [...texts, long]))).toMatchObject({ name: "rows.jsonl", maxLength: 512 });
    expect(await fitted(source("none.jsonl", []))).toMatchObject({ maxLength: 128 });
    expect(await fitted(null)).toMatchObject({ maxLength: 128 });
  });

  it("says what the held-out rows of a run lost, and refuses ones of which none can be measured", async () => {
    await open(embedded);
    const long = { text: `${rows.join(" ")} `.repeat(20) };
    const lines = [texts[0], long, { what: 1 }];
    const held = (options: Partial<DataOptions>) => source("held.jsonl", lines, { skip: ["shape"], ...options });
    const short = { ...recipe, steps: 1 };
    const counts = { rows: 2, truncatedRows: 1, droppedRows: 0, leftOutRows: 1, sampled: false };
    const cut = await train({ recipe: short, evalData: held({}) });
    expect(cut.heldOut).toEqual(counts);
    expect((await handlers.listRuns({}, ignore, never))[0]?.heldOut).toEqual(counts);
    const dropped = await train({ recipe: short, evalData: held({ tooLong: "drop" }) });
    expect(dropped.heldOut).toEqual({ ...counts, rows: 1, truncatedRows: 0, droppedRows: 1 });
    expect((await train({ recipe: short })).heldOut).toBeNull();
    await expect(train({ evalData: source("held.jsonl", [{ what: 1 }], { skip: ["shape"] }) })).rejects.toThrow(
      /^held\.jsonl: none of the 1 rows can be used: 1 have problems; /,
    );
  });

  it("gives an adapter the chat template that it learned", async () => {
    await open(embedded);
    const chat = [{ prompt: [{ role: "user", content: "Hi" }], completion: [{ role: "assistant", content: "Ahoy!" }] }];
    const taught = source("chat.jsonl", chat, { template: { kind: "named", id: "alpaca" } });
    const { id } = await train({ data: taught, recipe: { ...recipe, steps: 1, maxLength: 128 } });
    const { blob } = await handlers.exportAdapter({ run: id, target: "peft" }, ignore, never);
    const files = unzipSync(new Uint8Array(await blob.arrayBuffer()));
    const template = files["chat_template.jinja"];
    expect(template && new TextDecoder().decode(template)).toContain("### Instruction:");
  });

  it("refuses a tokenizer with tokens that the model lacks, naming the line", async () => {
    const from = async (folder: string, path: string) => ({
      path,
      blob: await (await fetch(new URL(folder + path, location.href))).blob(),
    });
    const golden = "/tests/golden/llama-tied/model/";
    const tiny = "/models/tabtune-tiny/";
    const files = await Promise.all([
      from(golden, "config.json"),
      from(golden, "model.safetensors"),
      from(tiny, "tokenizer.json"),
      from(tiny, "tokenizer_config.json"),
    ]);
    await open({ kind: "files", name: "mixed", files });
    await expect(train()).rejects.toThrow(
      /^rows\.jsonl line 1: the tokenizer gives token \d+ .* but mixed has only 131 tokens/,
    );
  });

  it("says before the first step that the browser keeps nothing", async () => {
    await open(embedded);
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    const events: string[] = [];
    await expect(train({}, ({ kind }) => events.push(kind))).rejects.toThrow(/no room to keep runs/);
    expect(events).not.toContain("step");
  });

  it("holds a run that could not be kept until the tab closes", async () => {
    await open(embedded);
    const put = vi.spyOn(IDBObjectStore.prototype, "put");
    const refuse = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    await expect(
      train({}, (event) => {
        if (event.kind === "step" && event.step === 3) put.mockImplementation(refuse);
      }),
    ).rejects.toThrow(/no room to keep the run/);
    const [held] = await handlers.listRuns({}, ignore, never);
    expect(held).toMatchObject({ steps: 3 });
    const { blob } = await handlers.exportAdapter({ run: held?.id ?? "", target: "peft" }, ignore, never);
    expect(blob.size).toBeGreaterThan(0);
  });

  it("keeps what was learned before a run diverged, and says so", async () => {
    await open(embedded);
    // The third step's loss is made NaN on its way back from the GPU; everything else is real.
    const { step } = TrainingSession.prototype;
    vi.spyOn(TrainingSession.prototype, "step").mockImplementation(async function (this: TrainingSession, batch, rate) {
      const result = await step.call(this, batch, rate);
      return batch.step === 2 ? { ...result, loss: Number.NaN } : result;
    });
    await expect(train()).rejects.toMatchObject({
      code: "diverged",
      message: expect.stringMatching(
        /diverged at step 3: .* What the 2 steps before it learned is kept as [a-z]+-[a-z]+-\d+\.$/,
      ),
    });
    const [kept] = await handlers.listRuns({}, ignore, never);
    expect(kept?.state).toBe("stopped");
    expect(kept?.losses).toHaveLength(2);
    expect(kept?.losses.every(Number.isFinite)).toBe(true);
  });

  it("opens the model chosen last, and nothing for a choice that was taken back", async () => {
    const base = new URL("../golden/llama-tied/model/", import.meta.url).href;
    const paths = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
    const controller = new AbortController();
    const first = handlers.openModel(
      { source: { kind: "url", name: "first", base, paths } },
      ignore,
      controller.signal,
    );
    const taken = handlers.openModel(
      { source: { kind: "url", name: "taken", base, paths } },
      ignore,
      AbortSignal.abort(),
    );
    const last = open(embedded);
    controller.abort();
    await expect(first).rejects.toThrow();
    await expect(taken).rejects.toThrow();
    expect((await last).name).toBe("tabtune-tiny");
    expect((await train()).model).toBe("tabtune-tiny");
  });

  it("shows what a dataset holds, and its first rows before it is done", async () => {
    await open(embedded);
    const events: InspectEvent[] = [];
    const info = await handlers.inspectDataset({ data, recipe }, (event) => events.push(event), never);
    expect(info).toMatchObject({
      name: "rows.jsonl",
      rows: 3,
      surveyedRows: 3,
      exact: true,
      examples: 3,
      columns: ["text"],
      shape: { id: "text" },
      suggestion: null,
      problems: [],
      refusal: null,
      steps: 3,
      stepsPerEpoch: 3,
      maxLength: 64,
    });
    expect(info.files).toEqual([
      { name: "rows.jsonl", bytes: info.bytes, rows: 3, format: { id: "jsonl", label: expect.any(String) } },
    ]);
    expect(info.formats[0]?.id).toBe("jsonl");
    expect(info.templates.length).toBeGreaterThan(2);
    expect(info.preview.map(({ cells }) => cells["text"])).toEqual(rows);
    const head = events.findIndex((event) => event.kind === "head");
    const tokenized = events.findIndex((event) => {
      return event.kind === "progress" && event.progress.phase.startsWith("tokenizing");
    });
    expect(head).toBeGreaterThanOrEqual(0);
    expect(head).toBeLessThan(tokenized);
    expect(events[head]).toEqual({ kind: "head", rows: info.preview });
    expect(structuredClone(info)).toEqual(info);
  });

  it("shows bad rows, refuses to train on them, and leaves them out when they are skipped", async () => {
    await open(embedded);
    const lines = [...texts, { what: 1 }, { text: 5 }, { what: 2 }];
    const bad = source("bad.jsonl", lines);
    const info = await handlers.inspectDataset({ data: bad, recipe }, ignore, never);
    expect(info.problems.map(({ kind, rows, skipped }) => [kind, rows, skipped])).toEqual([
      ["shape", 2, false],
      ["field", 1, false],
    ]);
    expect(info.refusal).toMatch(/^bad\.jsonl line 4: .* \(3 of 6 rows have problems\)/);
    const page = await handlers.viewRows({ from: 0, count: 10, problem: "shape" }, ignore, never);
    expect(page.total).toBe(2);
    expect(page.rows.map(({ line, tokens }) => [line, tokens.length])).toEqual([
      [4, 0],
      [6, 0],
    ]);
    const all = await handlers.viewRows({ from: 1, count: 2, problem: null }, ignore, never);
    expect([all.total, all.rows.map(({ line }) => line)]).toEqual([6, [2, 3]]);
    expect(await handlers.viewRows({ from: 1e9, count: -1, problem: null }, ignore, never)).toEqual({
      rows: [],
      total: 6,
    });
    await expect(train({ data: bad })).rejects.toThrow(info.refusal ?? "");
    const skipping = source("bad.jsonl", lines, { skip: ["shape", "field"] });
    const summary = await train({ data: skipping });
    expect(summary).toMatchObject({ state: "finished", steps: 3, leftOutRows: 3, dataOptions: skipping.options });
  });

  it("holds a share of the rows out, measures it, and counts rows that two datasets share", async () => {
    await open(embedded);
    const ten = Array.from({ length: 10 }, (_, row) => ({ text: `${rows[row % 3]} ${row}` }));
    const split = source("ten.jsonl", ten, { evalShare: 0.2 });
    const info = await handlers.inspectDataset({ data: split, recipe }, ignore, never);
    expect(info).toMatchObject({ examples: 8, heldOutRows: 2 });
    const plan = await handlers.plan({ recipe }, ignore, never);
    let memory = 0;
    const summary = await train({ data: split }, (event) => {
      if (event.kind === "start") memory = event.memory.total;
    });
    expect(summary.evalBefore).not.toBeNull();
    expect(memory).toBe(plan.total);
    const shared = await handlers.overlap(
      { data: source("ten.jsonl", ten), evalData: source("other.jsonl", [ten[4], { text: "new" }, ten[9]]), recipe },
      ignore,
      never,
    );
    expect(shared).toMatchObject({ rows: 2, comparedRows: 3, exact: true });
    expect(shared.examples.map(({ file, line }) => [file, line])).toEqual([
      ["other.jsonl", 1],
      ["other.jsonl", 3],
    ]);
  });

  it("lets a run answer through the template that it was trained with", async () => {
    await open(embedded);
    const jinja = "{{ messages[0].content }}";
    const own = source("rows.jsonl", texts, { template: { kind: "own", jinja } });
    const { id } = await train({ data: own });
    const settings = { strength: 0, maxNewTokens: 8, temperature: 0, topK: 0, topP: 1, seed: 1 };
    const ask = async (prompt: Calls["generate"]["in"]["prompt"], run: string | null) =>
      (await handlers.generate({ ...settings, prompt, run }, ignore, never)).text;
    const chat = [{ role: "user", content: "The sea" }] as const;
    expect(await ask(chat, id)).toBe(await ask("The sea", null));
    expect(await ask(chat, null)).not.toBe(await ask("The sea", null));
  });

  it("inspects and streams a large file without reading it whole", { timeout: 240_000 }, async () => {
    await open(embedded);
    let read = 0;
    class Watched extends File {
      override slice(start = 0, end = this.size): Blob {
        read += Math.min(end, this.size) - start;
        return super.slice(start, end);
      }
    }
    const padding = "x".repeat(1000);
    const block = Array.from({ length: 1000 }, (_, row) => `${JSON.stringify({ text: rows[row % 3], padding })}\n`);
    const file = new Watched(
      Array.from({ length: 200 }, () => block.join("")),
      "large.jsonl",
      { lastModified: 1 },
    );
    const large: DataSource = { name: file.name, files: [{ name: file.name, blob: file }], options: dataDefaults };
    const started = performance.now();
    const info = await handlers.inspectDataset({ data: large, recipe }, ignore, never);
    const indexed = read;
    expect(info).toMatchObject({ rows: 200_000, surveyedRows: 4000, exact: false, refusal: null, examples: 200_000 });
    const inspected = performance.now();
    read = 0;
    const summary = await train({ data: large });
    expect(summary).toMatchObject({ steps: 3, leftOutRows: 0 });
    console.log(
      `${Math.round(file.size / 1e6)} MB: ${Math.round(inspected - started)} ms to index and look (one pass and ${indexed} bytes in slices), ${read} bytes in slices for 3 steps`,
    );
    expect(read).toBeLessThan(0.05 * file.size);
  });

  it("ends a streamed run at a bad row that the look did not see, and keeps what it learned", {
    timeout: 240_000,
  }, async () => {
    await open(embedded);
    const padding = "x".repeat(2000);
    // Rows are read in groups of 64: the bad one is in the second group, which the third step needs.
    const lines = Array.from({ length: 17_000 }, (_, row) =>
      row === 70 ? { what: row } : { ...texts[row % 3], padding },
    );
    const large = source("streamed.jsonl", lines);
    const streamed = { ...recipe, batchSize: 32, shuffle: false };
    const info = await handlers.inspectDataset({ data: large, recipe: streamed }, ignore, never);
    expect(info).toMatchObject({ exact: false, problems: [], refusal: null });
    await expect(train({ data: large, recipe: streamed })).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringMatching(
        /^streamed\.jsonl line 71: .*, or skip the rows with problems\. What the 2 steps before it learned is kept as /,
      ),
    });
    expect(await handlers.listRuns({}, ignore, never)).toMatchObject([{ state: "stopped", steps: 2, leftOutRows: 0 }]);
  });

  it("lets one job at a time use the GPU", async () => {
    await open(embedded);
    const first = train();
    await expect(train()).rejects.toMatchObject({ code: "busy" });
    await first;
  });
});
