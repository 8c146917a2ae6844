/** The worker's own handlers with a real GPU, real files and a real IndexedDB: what goes wrong must not go far. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { recipeDefaults } from "../../src/training/recipe";
import { TrainingSession } from "../../src/training/session";
import type { Calls, ModelSource, TrainEvent } from "../../src/worker/protocol";
import { createHandlers } from "../../src/worker/studio";

const handlers = createHandlers(() => undefined, new URL("/", location.href));
const never = new AbortController().signal;
const ignore = () => undefined;
const rows = ["One little bird sang.", "Two little birds sang.", "Three birds flew home."];
const data = { name: "rows.jsonl", blob: new Blob(rows.map((text) => `${JSON.stringify({ text })}\n`)) };
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

  it("lets one job at a time use the GPU", async () => {
    await open(embedded);
    const first = train();
    await expect(train()).rejects.toMatchObject({ code: "busy" });
    await first;
  });
});
