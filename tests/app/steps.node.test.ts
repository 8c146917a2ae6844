/** Addresses and states of the steps, as tables. */
import { describe, expect, it } from "vitest";
import { recipeDefaults } from "../../src/training/recipe";
import { createStores, type Stores } from "../../src/ui/stores";
import { busy, idle } from "../../src/ui/stores/load";
import { editText } from "../../src/ui/stores/recipe";
import { hashOf, stepOf, steps } from "../../src/ui/stores/route";
import { type Mark, stepStates } from "../../src/ui/stores/step-states";
import { dataDefaults } from "../../src/worker/client";
import { createFakeClient, sampleRun } from "../support/fake-client";
import { describe as describeData, type FakeDataset } from "../support/fake-data";
import { badCheck } from "../support/fake-models";

describe("the address", () => {
  it.each([
    ["", "start"],
    ["#", "start"],
    ["#/", "start"],
    ["#/model", "model"],
    ["#/data", "data"],
    ["#/train", "train"],
    ["#/try", "try"],
    ["#/library", "library"],
    ["#/start", null],
    ["#/foo", null],
    ["#/Model", null],
    ["#/model/", null],
    ["#model", null],
    ["#settings=abc", null],
    ["#/constructor", null],
  ])("%j is the step %j", (hash, step) => expect(stepOf(hash)).toBe(step));

  it.each(["start", ...steps] as const)("of %s leads back to it", (step) => expect(stepOf(hashOf(step))).toBe(step));
});

const failed = { state: "failed", error: { code: "bad-input", message: "No.", data: {} } } as const;
const gpu = { name: "ada", isFallback: false, features: [], maxBufferSize: 2 ** 30 };
const info = await createFakeClient().call("openModel", {
  source: { kind: "embedded", id: "tabtune-tiny" },
  quantization: null,
});
const tooMuch = { weights: 0, adapter: 0, activations: 5e9, loss: 0, other: 0, total: 5e9, largestBuffer: 5e9 };

function look({ data }: Stores, dataset: FakeDataset): void {
  const source = { name: data.getState().name ?? "", files: [], options: dataDefaults };
  const value = describeData(dataset, source, { ...recipeDefaults, learningRate: 2e-3 });
  data.setState({ info: { state: "ready", value }, shown: value });
}

/** Model open, sample read, nothing run yet. */
function whole(): Stores {
  const stores = createStores({ secureContext: true, hasWebGpu: true }, "tabtune-tiny");
  stores.device.setState({ device: { state: "ready", value: gpu } });
  stores.model.setState({ model: { state: "ready", value: info } });
  stores.data.setState({ name: "pirate.jsonl", sample: "pirate" });
  look(stores, "clean");
  return stores;
}

type Row = readonly [what: string, change: (stores: Stores) => void, mark: Mark, text: string];
const usual = (): void => undefined;
const table: Readonly<Record<(typeof steps)[number], readonly Row[]>> = {
  model: [
    ["one is open", usual, "done", "tabtune-tiny"],
    ["there is no WebGPU", ({ device }) => device.setState({ hasWebGpu: false }), "wrong", "Needs WebGPU"],
    ["the page is not secure", ({ device }) => device.setState({ secureContext: false }), "wrong", "Needs WebGPU"],
    ["no device opens", ({ device }) => device.setState({ device: failed }), "wrong", "Needs WebGPU"],
    ["the GPU went away", ({ device }) => device.setState({ lost: "reset" }), "wrong", "Needs WebGPU"],
    ["it opens", ({ model }) => model.setState({ model: busy }), "busy", "Opening…"],
    ["it failed", ({ model }) => model.setState({ model: failed }), "wrong", "Did not open"],
    [
      "its numbers are wrong",
      ({ model }) => model.setState({ model: { state: "ready", value: { ...info, kernelCheck: badCheck } } }),
      "wrong",
      "Wrong numbers",
    ],
  ],
  data: [
    ["a sample is read", usual, "done", "Pirate talk, 120 rows"],
    ["none is chosen", ({ data }) => data.setState({ name: null, shown: null }), "wrong", "None chosen"],
    [
      "it is one's own",
      ({ data }) => data.setState({ name: "notes.jsonl", sample: null }),
      "done",
      "notes.jsonl, 120 rows",
    ],
    ["it cannot be read", ({ data }) => data.setState({ info: failed }), "wrong", "Cannot be read"],
    ["reading was stopped", ({ data }) => data.setState({ stopped: true }), "wrong", "Not read to the end"],
    ["it is being read", ({ data }) => data.setState({ info: busy, shown: null }), "busy", "Reading…"],
    ["it is read again", ({ data }) => data.setState({ info: busy }), "busy", "Pirate talk, 120 rows"],
    [
      "it waits for the model",
      ({ data, model }) => {
        model.setState({ model: busy });
        data.setState({ info: { state: "idle" }, shown: null });
      },
      "open",
      "Waits for the model",
    ],
    [
      "the tokenizer comes that reads it without a GPU",
      ({ data, model }) => {
        model.setState({ model: idle, reader: busy });
        data.setState({ info: idle, shown: null });
      },
      "busy",
      "Reading…",
    ],
    [
      "that tokenizer does not come",
      ({ data, model }) => {
        model.setState({ model: idle, reader: failed });
        data.setState({ info: idle, shown: null });
      },
      "wrong",
      "Cannot be read",
    ],
    ["its columns fit no shape", (stores) => look(stores, "unmapped"), "wrong", "Which column is what?"],
    ["rows have problems", (stores) => look(stores, "problems"), "wrong", "Has problems"],
  ],
  train: [
    ["nothing was run", usual, "open", "Balanced, 30 steps"],
    ["a setting is wrong", ({ recipe }) => editText(recipe, "rank", "0"), "wrong", "Rank is wrong"],
    ["it does not fit", ({ recipe }) => recipe.setState({ plan: tooMuch }), "wrong", "Does not fit"],
    [
      "a run is at a step",
      ({ training }) => training.setState({ phase: "training", step: 12, steps: 1200 }),
      "busy",
      "Step 12 of 1,200",
    ],
    [
      "a run goes on although a setting is wrong by now",
      ({ training, recipe }) => {
        training.setState({ phase: "training", step: 1, steps: 2 });
        editText(recipe, "rank", "0");
      },
      "busy",
      "Step 1 of 2",
    ],
    ["a run is over", ({ training }) => training.setState({ phase: "finished" }), "done", "Finished"],
    ["a run was stopped", ({ training }) => training.setState({ phase: "stopped" }), "done", "Stopped"],
    [
      "a stopped run is kept",
      ({ training }) => training.setState({ phase: "stopped", summary: sampleRun }),
      "done",
      "Stopped and kept",
    ],
    ["a run failed", ({ training }) => training.setState({ phase: "failed" }), "wrong", "Did not finish"],
  ],
  try: [
    ["nothing was run", usual, "open", "After a run"],
    ["rows are measured", ({ rowLosses }) => rowLosses.setState({ phase: "measuring" }), "busy", "Measuring rows…"],
    ["answers are made", ({ trial }) => trial.setState({ running: true }), "busy", "Answering…"],
    [
      "a run is chosen",
      ({ library }) => library.setState({ runs: [sampleRun], selected: sampleRun.id }),
      "done",
      "amber-otter-12",
    ],
  ],
  library: [
    ["nothing was run", usual, "open", "No runs yet"],
    ["one run is kept", ({ library }) => library.setState({ runs: [sampleRun] }), "done", "1 run"],
    ["two are kept", ({ library }) => library.setState({ runs: [sampleRun, sampleRun] }), "done", "2 runs"],
  ],
};

describe.each(steps)("the state of %s", (step) => {
  it.each(table[step])("where %s", (_, change, mark, text) => {
    const stores = whole();
    change(stores);
    const { device, model, picker, data, recipe, training, trial, rowLosses, library } = stores;
    const states = stepStates({
      device: device.getState(),
      model: model.getState(),
      picker: picker.getState(),
      data: data.getState(),
      recipe: recipe.getState(),
      training: training.getState(),
      trial: trial.getState(),
      rowLosses: rowLosses.getState(),
      library: library.getState(),
    });
    expect(states[step]).toEqual({ mark, text });
  });
});
