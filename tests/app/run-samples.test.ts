/** Sample answers in the middle of a real run: they come when asked for, and change nothing of what is learned. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { OutOfMemoryError } from "../../src/engine/errors";
import { Decoder } from "../../src/model/generation/decoder";
import { recipeDefaults } from "../../src/training/recipe";
import type { Calls, DataSource, TrainEvent } from "../../src/worker/protocol";
import { samplingSteps } from "../../src/worker/sampling-steps";
import { createHandlers } from "../../src/worker/studio";

const handlers = createHandlers(() => undefined, new URL("/", location.href));
const never = new AbortController().signal;
const ignore = () => undefined;
const rows = ["How are you?", "Who sails here?", "Where is the sea?"].map((prompt) => ({
  prompt,
  completion: "Arr, matey!",
}));
const data: DataSource = {
  name: "rows.jsonl",
  files: [{ name: "rows.jsonl", blob: new Blob(rows.map((row) => `${JSON.stringify(row)}\n`)) }],
  options: dataDefaults,
};
const recipe = { ...recipeDefaults, rank: 4, learningRate: 1e-2, steps: 4, maxLength: 64, pack: false, dropout: 0.1 };
const request = { prompts: ["How are you?", "", "Who sails here?"], every: null, maxNewTokens: 6 };

async function train(
  samples: Calls["train"]["in"]["samples"],
  watch: (event: TrainEvent) => void = ignore,
  signal = never,
) {
  const events: TrainEvent[] = [];
  const summary = await handlers.train(
    { recipe, data, evalData: null, initAdapter: null, ...(samples === undefined ? {} : { samples }) },
    (event) => {
      events.push(event);
      watch(event);
    },
    signal,
  );
  return { summary, events, samples: events.filter((event) => event.kind === "sample") };
}

const adapterBytes = async (run: string): Promise<ArrayBuffer> => {
  const { blob } = await handlers.exportAdapter({ run, target: "peft" }, ignore, never);
  const { unzipSync } = await import("fflate");
  const weights = unzipSync(new Uint8Array(await blob.arrayBuffer()))["adapter_model.safetensors"];
  return Uint8Array.from(weights ?? []).buffer;
};

afterEach(async () => {
  vi.restoreAllMocks();
  for (const { id } of await handlers.listRuns({}, ignore, never)) await handlers.deleteRun({ run: id }, ignore, never);
});

describe("sample answers", () => {
  it("come at the start, each quarter and the end, and leave the run as it is, bit for bit", async () => {
    await handlers.openModel({ source: { kind: "embedded", id: "tabtune-tiny" } }, ignore, never);
    const without = await train(undefined);
    const withThem = await train(request);
    expect(without.samples).toEqual([]);
    expect(withThem.samples.map(({ step, prompt }) => [step, prompt])).toEqual(
      [0, 1, 2, 3, 4].flatMap((step) => [
        [step, "How are you?"],
        [step, "Who sails here?"],
      ]),
    );
    // Before the first step the base model speaks; after four steps at this rate it says something else.
    const [first, last] = [withThem.samples[0]?.text, withThem.samples.at(-2)?.text];
    const base = await handlers.generate(
      { prompt: [{ role: "user", content: "How are you?" }], run: null, strength: 0, ...greedy },
      ignore,
      never,
    );
    const tuned = await handlers.generate(
      { prompt: [{ role: "user", content: "How are you?" }], run: withThem.summary.id, strength: 1, ...greedy },
      ignore,
      never,
    );
    expect(first).toBe(base.text);
    expect(last).toBe(tuned.text);
    expect(last).not.toBe(first);
    expect(withThem.summary.losses).toEqual(without.summary.losses);
    expect(new Uint8Array(await adapterBytes(withThem.summary.id))).toEqual(
      new Uint8Array(await adapterBytes(without.summary.id)),
    );
  });

  it("are given up with one word where there is no memory, and the run goes on", async () => {
    const create = vi.spyOn(Decoder, "create");
    const plain = await train(null);
    create.mockRejectedValue(new OutOfMemoryError(1e9, "The GPU has no room for 1 GB."));
    const { summary, events, samples } = await train(request);
    expect(samples).toEqual([]);
    const skipped = events.filter(({ kind }) => kind === "samples-skipped");
    expect(skipped).toEqual([
      {
        kind: "samples-skipped",
        step: 0,
        error: expect.objectContaining({ code: "out-of-memory", message: "The GPU has no room for 1 GB." }),
      },
    ]);
    expect(summary).toMatchObject({ state: "finished", steps: 4 });
    expect(summary.losses).toEqual(plain.summary.losses);
  });

  it("stop with the run, and what was learned is kept", async () => {
    const controller = new AbortController();
    const { summary, samples } = await train(
      { ...request, every: 1 },
      (event) => event.kind === "sample" && event.step === 2 && controller.abort(),
      controller.signal,
    );
    expect(summary).toMatchObject({ state: "stopped", steps: 2 });
    expect(Math.max(...samples.map(({ step }) => step))).toBe(2);
  });

  it("of a question that is too long say so", async () => {
    const { events } = await train({ ...request, prompts: ["tea ".repeat(3000)] });
    expect(events.find(({ kind }) => kind === "samples-skipped")).toMatchObject({
      error: {
        code: "bad-input",
        message: expect.stringMatching(/^A question has \d+ tokens; tabtune-tiny takes at most/),
      },
    });
  });
});

const greedy = { maxNewTokens: 6, temperature: 0, topK: 0, topP: 1, seed: 1 };

describe("samplingSteps", () => {
  it.each([
    [100, null, [0, 25, 50, 75, 100]],
    [2, null, [0, 1, 2]],
    [10, 4, [0, 4, 8, 10]],
    [3, 100, [0, 3]],
    [2, 0, [0, 1, 2]],
  ])("of %d steps, every %j", (steps, every, places) => {
    expect([...samplingSteps(steps, every)].sort((a, b) => a - b)).toEqual(places);
  });
});
