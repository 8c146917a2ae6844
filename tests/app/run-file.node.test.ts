/** The run file: what is written is read back, also of very long runs, and what a stranger made of it is refused in a sentence, at once. */
import { describe, expect, it } from "vitest";
import { dataDefaults } from "../../src/data/options";
import type { AdapterConfig } from "../../src/training/adapter";
import { recipeDefaults } from "../../src/training/recipe";
import type { RunLogEvent, RunSummary } from "../../src/worker/protocol";
import { readRunFile } from "../../src/worker/read-run-file";
import { runFile } from "../../src/worker/run-file";

const weights = new Blob(["weights"]);
const targetModules = ["q_proj", "v_proj"];
const recipe = { ...recipeDefaults, learningRate: 1e-3, dropout: 0.1, targetModules: ["v_proj", "q_proj"] };
const config: AdapterConfig = { baseModel: "m", rank: 8, alpha: 16, rslora: false, dropout: 0.1, targetModules };

const stepAt = (step: number, steps: number): RunLogEvent => ({
  kind: "step",
  step,
  steps,
  epoch: (3 * step) / steps,
  loss: 2 + Math.sin(step),
  learningRate: 1e-3 * Math.cos(step / steps),
  gradientNorm: 1 + Math.cos(step) ** 2,
  tokens: 4096,
  countedTokens: 2011,
  milliseconds: 210.1 + Math.sin(step),
});

function history(steps: number) {
  const log = Array.from({ length: steps }, (_, index) => stepAt(index + 1, steps));
  const summary: RunSummary = {
    id: "r1",
    name: "amber-otter-12",
    model: "m",
    dataset: "rows.jsonl",
    dataOptions: dataDefaults,
    recipe,
    created: "2026-03-08T08:00:00.000Z",
    state: "finished",
    steps,
    trainableParameters: 10,
    losses: log.map((event) => (event.kind === "step" ? event.loss : 0)),
    evalBefore: null,
    evalAfter: null,
    milliseconds: 1000,
    tokens: 4096 * steps,
    adapterBytes: 40,
  };
  return { summary, log, chatTemplate: null };
}

const written = async (steps: number): Promise<Blob> =>
  (await runFile(history(steps), [{ path: "adapter_model.safetensors", blob: weights }])).blob;
const read = (json: unknown, of: AdapterConfig = config) =>
  readRunFile(new Blob([typeof json === "string" ? json : JSON.stringify(json)]), of, weights);
const good = JSON.parse(await (await written(3)).text());
const withSummary = (change: object) => ({ ...good, summary: { ...good.summary, ...change } });

describe("a run file", () => {
  it("is read back as it was written, an event a line", async () => {
    const blob = await written(3);
    expect((await blob.text()).split("\n")).toHaveLength(7);
    expect(await readRunFile(blob, config, weights)).toEqual(history(3));
    expect(await readRunFile(await written(0), config, weights)).toEqual(history(0));
  });

  it("of 230,000 steps is read back", async () => {
    const steps = 230_000;
    const blob = await written(steps);
    console.log(`${(blob.size / steps).toFixed(0)} bytes a step`);
    const { summary, log } = await readRunFile(blob, config, weights);
    expect([summary.losses.length, log.length]).toEqual([steps, steps]);
    expect(log.at(-1)).toEqual(stepAt(steps, steps));
  });

  it("of another adapter is refused", async () => {
    const other = new Blob(["Weights"]);
    const file = new Blob([JSON.stringify(good)]);
    await expect(readRunFile(file, config, other)).rejects.toThrow(/another adapter: the SHA-256 of its adapter_model/);
    await expect(read(good, { ...config, dropout: 0 })).rejects.toThrow(/it says dropout 0\.1, the adapter has 0;/);
    await expect(read(good, { ...config, targetModules: ["q_proj"] })).rejects.toThrow(
      /it says targetModules q_proj, v_proj, the adapter has q_proj;/,
    );
    const all = withSummary({ recipe: { ...recipe, targetModules: "all-linear" } });
    expect((await read(all)).summary.recipe.targetModules).toBe("all-linear");
  });

  it("whose steps are not 1 to n in order is refused", async () => {
    const [first, second, third] = good.log;
    await expect(read({ ...good, log: [first, third, second] })).rejects.toThrow(/step 2 of its log is numbered 3;/);
    const evals = Array.from({ length: 6 }, () => ({ kind: "eval", step: 3, loss: 1, countedTokens: 1 }));
    await expect(read({ ...good, log: [...good.log, ...evals] })).rejects.toThrow(/3 steps and 6 held-out losses/);
    await expect(read({ ...good, log: [first, second, evals[0]] })).rejects.toThrow(/of 2 steps and 1 held-out/);
  });

  it.each([
    ["log", { ...good, log: Array.from({ length: 3_000_000 }, () => 0) }, /of 3000000 events in its log; export/],
    ["sample answers", { ...good, log: [...good.log, ...Array.from({ length: 90_000 }, () => 0)] }, /log\[3\] is 0,/],
    ["losses", withSummary({ losses: Array.from({ length: 3_000_000 }, () => "x") }), /of 3000000 losses/],
    ["summary", withSummary({ dataOptions: Array.from({ length: 3_000_000 }, () => 0) }), /more than 2000 values/],
    ["step", withSummary({ steps: 1e9 }), /tells of 1000000000 steps, of 3 losses/],
  ])("with millions of faults is refused at the first: %s", async (_, json, message) => {
    const text = JSON.stringify(json);
    const started = performance.now();
    await expect(read(text)).rejects.toThrow(message);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it("nested too deeply to be shown is refused in a sentence", async () => {
    const deep = "[".repeat(200_000) + "]".repeat(200_000);
    const text = JSON.stringify({ ...good, log: [...good.log.slice(0, 2), { ...good.log[2], loss: "DEEP" }] });
    await expect(read(text.replace('"DEEP"', deep))).rejects.toThrow(/log\[2\]\.loss is a long list, which no run/);
  });

  it("shows nothing that cannot be seen or that turns the direction of writing", async () => {
    const turned = "data\u202e\n.jsonl";
    const { summary } = await read(withSummary({ dataset: turned, model: "m\u2067" }));
    expect(summary).toMatchObject({ dataset: "data  .jsonl", model: "m " });
    const bad = withSummary({ dataOptions: { ...dataDefaults, format: turned } });
    await expect(read(bad)).rejects.toThrow(
      /^tabtune-run\.json: summary\.dataOptions\.format is "data \\n\.jsonl", which/,
    );
    await expect(read(withSummary({ recipe: { ...recipe, "a\u202eb": 1 } }))).rejects.toThrow(/^[^\u202e]+$/);
  });
});
