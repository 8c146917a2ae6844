/** The worker's measurement of the speed on the embedded model: real steps, nothing kept, and anything else goes first. */
import { describe, expect, it } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { recipeDefaults } from "../../src/training/recipe";
import type { DataSource, ProgressEvent } from "../../src/worker/protocol";
import { createHandlers } from "../../src/worker/studio";

const handlers = createHandlers(() => undefined, new URL("/", location.href));
const never = new AbortController().signal;
const ignore = () => undefined;
const lines = Array.from({ length: 6 }, (_, row) => `${JSON.stringify({ text: `Bird ${row} sang a short song.` })}\n`);
const data: DataSource = {
  name: "rows.jsonl",
  files: [{ name: "rows.jsonl", blob: new File(lines, "rows.jsonl") }],
  options: dataDefaults,
};
const recipe = { ...recipeDefaults, rank: 4, learningRate: 1e-3, maxLength: 64, epochs: 2 };
const open = () => handlers.openModel({ source: { kind: "embedded", id: "tabtune-tiny" } }, ignore, never);
const inspect = () => handlers.inspectDataset({ data, recipe }, ignore, never);
const generate = () =>
  handlers.generate(
    { prompt: "Birds", run: null, strength: 1, maxNewTokens: 2, temperature: 0, topK: 0, topP: 1, seed: 1 },
    ignore,
    never,
  );

describe("the measured speed", () => {
  it("needs a dataset, then comes from two or three steps of the run, which keeps nothing", async () => {
    const info = await open();
    await expect(handlers.calibrate({ recipe }, ignore, never)).rejects.toThrow("No dataset is open");
    const { steps, tokens, stepsPerEpoch } = await inspect();
    const seen: ProgressEvent[] = [];
    const measured = await handlers.calibrate({ recipe }, (event) => seen.push(event), never);
    expect(measured.steps).toBe(steps);
    expect(measured.tokensPerSecond).toBeGreaterThan(0);
    expect(measured.millisecondsPerStep).toBeCloseTo((1000 * tokens) / stepsPerEpoch / measured.tokensPerSecond, 6);
    expect([2, 3]).toContain(seen.filter(({ phase }) => phase === "measuring the speed").length);
    expect(seen.some(({ phase }) => phase === "compiling shaders")).toBe(true);
    expect(await handlers.listRuns({}, ignore, never)).toEqual([]);

    const modules = await handlers.targetModules({}, ignore, never);
    expect(modules.map(({ module }) => module)).toEqual(info.loraTargets);
    // What a run says it trains is the sum of what the modules say.
    const started: number[] = [];
    const run = await handlers.train(
      { recipe: { ...recipe, steps: 1 }, data, evalData: null, initAdapter: null },
      (event) => event.kind === "start" && started.push(event.trainableParameters),
      never,
    );
    expect(started).toEqual([recipe.rank * modules.reduce((sum, { perRank }) => sum + perRank, 0)]);
    await handlers.deleteRun({ run: run.id }, ignore, never);
  });

  it("gives way to other work, which does not have to ask again", async () => {
    await open();
    await inspect();
    const measured = handlers.calibrate({ recipe: { ...recipe, maxLength: 65 } }, ignore, never);
    const answer = generate();
    await expect(measured).rejects.toMatchObject({ code: "aborted" });
    expect((await answer).tokens).toBeGreaterThan(0);
  });

  it("is stopped by its own signal, and leaves the GPU free", async () => {
    await open();
    await inspect();
    const stopper = new AbortController();
    const measured = handlers.calibrate({ recipe }, () => stopper.abort(), stopper.signal);
    await expect(measured).rejects.toThrow();
    expect((await generate()).tokens).toBeGreaterThan(0);
  });
});
