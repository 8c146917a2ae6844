/** The stores by themselves: the settings form, a run's events, and what the main button says. */
import { describe, expect, it } from "vitest";
import { allLinear, recipeDefaults } from "../../src/training/recipe";
import { asModelFolder } from "../../src/ui/actions/model-files";
import { createStores } from "../../src/ui/stores";
import { readiness } from "../../src/ui/stores/readiness";
import {
  adoptModel,
  checkForm,
  createRecipeStore,
  defaultForm,
  editForm,
  editText,
  fieldOrder,
} from "../../src/ui/stores/recipe";
import { keptOf, keptVariant } from "../../src/ui/stores/stored";
import { applyEvents, noTraining, phaseName } from "../../src/ui/stores/training";
import { strings } from "../../src/ui/strings";
import type { ModelInfo, TrainEvent } from "../../src/worker/protocol";
import { sampleRun } from "../support/fake-client";
import { badCheck, goodCheck, listOf, smol, someStored } from "../support/fake-models";

describe("the settings form", () => {
  it("starts as the recipe's defaults", () => {
    const { recipe, errors } = checkForm(defaultForm, allLinear);
    expect(errors).toEqual({});
    expect(recipe).toEqual({ ...recipeDefaults, learningRate: 2e-4 });
  });

  it("covers every setting, each with its texts", () => {
    expect([...fieldOrder].sort()).toEqual([...Object.keys(recipeDefaults), "learningRate"].sort());
    for (const field of fieldOrder) expect(strings.fields[field].label).not.toBe("");
  });

  it("reads 2e-4 and refuses what is no number, each field by itself", () => {
    const store = createRecipeStore();
    editText(store, "learningRate", " 2e-3 ");
    expect(store.getState().recipe?.learningRate).toBe(2e-3);
    editText(store, "rank", "0");
    editText(store, "learningRate", "1,000");
    const { errors, recipe } = store.getState();
    expect(recipe).toBeNull();
    expect(errors).toEqual({
      rank: "Rank is 0; it must be a whole number from 1 to 1024.",
      learningRate: 'Learning rate is "1,000", which may mean 1000 or 1.000; write it without the comma.',
    });
  });

  it("checks only the length that is in use", () => {
    const store = createRecipeStore();
    editText(store, "steps", "x");
    expect(store.getState().recipe?.steps).toBeNull();
    editForm(store, (form) => ({ ...form, lengthUnit: "steps" }));
    expect(store.getState().errors.steps).toMatch(/^Steps is "x"/);
  });

  it("takes a model's rate until one is typed, and its modules", () => {
    const store = createRecipeStore();
    adoptModel(store, { loraTargets: ["q_proj", "v_proj"], defaultLearningRate: 0.00249, maxPositions: 1024 });
    expect(store.getState().recipe).toMatchObject({ learningRate: 0.00249, targetModules: "all-linear" });
    editText(store, "learningRate", "1e-3");
    adoptModel(store, { loraTargets: ["q_proj", "k_proj"], defaultLearningRate: 0.1, maxPositions: 1024 });
    expect(store.getState().recipe?.learningRate).toBe(1e-3);
    editForm(store, (form) => ({ ...form, targets: ["k_proj"] }));
    expect(store.getState().recipe?.targetModules).toEqual(["k_proj"]);
    editForm(store, (form) => ({ ...form, targets: [] }));
    expect(store.getState().errors.targetModules).toMatch(/^Layers to adapt is \[\]/);
  });
});

describe("the max length", () => {
  const model = { loraTargets: allLinear, defaultLearningRate: 1e-3, maxPositions: 256 };

  it("follows the model until it is typed", () => {
    const store = createRecipeStore();
    adoptModel(store, model);
    expect(store.getState().recipe?.maxLength).toBe(256);
    adoptModel(store, { ...model, maxPositions: 4096 });
    expect(store.getState().recipe?.maxLength).toBe(512);
  });

  it("once typed is refused where the model takes less", () => {
    const store = createRecipeStore();
    editText(store, "maxLength", "512");
    adoptModel(store, model);
    expect(store.getState().recipe).toBeNull();
    expect(store.getState().errors).toEqual({ maxLength: "Max length is 512; this model takes at most 256 tokens." });
    editText(store, "maxLength", "256");
    expect(store.getState().recipe?.maxLength).toBe(256);
  });
});

describe("a run's events", () => {
  const memory = { weights: 1, adapter: 1, activations: 1, loss: 1, other: 1, total: 5, largestBuffer: 1 };
  const start: TrainEvent = { kind: "start", run: "r", steps: 4, trainableParameters: 8, memory };
  const step = (n: number, loss: number): TrainEvent => ({
    kind: "step",
    step: n,
    steps: 4,
    epoch: n / 4,
    loss,
    learningRate: 0.1,
    gradientNorm: 2,
    tokens: 100,
    countedTokens: 50,
    milliseconds: 500,
  });

  it("add up, whether they come one by one or at once", () => {
    const events = [start, step(1, 3), step(2, 2), { kind: "eval", step: 2, loss: 2.5, countedTokens: 9 } as const];
    const begun = { ...noTraining, phase: "preparing" } as const;
    const atOnce = applyEvents(begun, events);
    const oneByOne = events.reduce((state, event) => applyEvents(state, [event]), applyEvents(begun, []));
    expect(atOnce).toEqual(oneByOne);
    expect(atOnce).toMatchObject({
      phase: "training",
      step: 2,
      losses: [3, 2],
      tokensPerSecond: 200,
      millisecondsPerStep: 500,
    });
    expect(atOnce.evals).toEqual([{ step: 2, loss: 2.5 }]);
  });

  it("do not turn a stopping run back into a training one", () => {
    expect(applyEvents({ ...noTraining, phase: "stopping" }, [start, step(1, 3)]).phase).toBe("stopping");
  });
});

describe("a run that was stopped", () => {
  it("says so, and whether something was kept", () => {
    expect(phaseName({ phase: "stopped", summary: null })).toBe("Stopped");
    expect(phaseName({ phase: "stopped", summary: sampleRun })).toBe("Stopped and kept");
  });
});

describe("the main button", () => {
  const states = () => {
    const stores = createStores({ secureContext: true, hasWebGpu: true }, "tiny");
    const label = () =>
      readiness({
        device: stores.device.getState(),
        model: stores.model.getState(),
        data: stores.data.getState(),
        recipe: stores.recipe.getState(),
        trial: stores.trial.getState(),
        rowLosses: stores.rowLosses.getState(),
      }).label;
    return { stores, label };
  };

  it("names the first thing that is missing", () => {
    const { stores, label } = states();
    expect(label()).toBe("Looking for a GPU…");
    stores.device.setState({
      device: { state: "ready", value: { name: "x", isFallback: false, features: [], maxBufferSize: 1 } },
    });
    expect(label()).toBe("Opening the model…");
    stores.model.setState({ model: { state: "failed", error: { code: "bad-input", message: "", data: {} } } });
    expect(label()).toBe("Choose a model");
    stores.device.setState({ lost: "reset" });
    expect(label()).toBe("Training needs WebGPU");
  });

  it("is off where a check of the numbers failed", () => {
    const { stores, label } = states();
    stores.device.setState({
      device: { state: "ready", value: { name: "x", isFallback: false, features: [], maxBufferSize: 1 } },
    });
    stores.model.setState({ model: { state: "ready", value: openedModel(goodCheck) } });
    expect(label()).toBe("Choose a dataset");
    stores.model.setState({ model: { state: "ready", value: openedModel(badCheck) } });
    expect(label()).toBe("Training is off: wrong numbers");
  });
});

const openedModel = (kernelCheck: ModelInfo["kernelCheck"]): ModelInfo => ({
  name: "tiny",
  modelType: "llama",
  weightFormat: "f32 safetensors",
  parameters: 1,
  hiddenSize: 1,
  layers: 1,
  vocabSize: 1,
  maxPositions: 1,
  weightBytes: 4,
  quantization: null,
  loraTargets: [],
  hasChatTemplate: true,
  defaultLearningRate: 1e-3,
  canSelfCheck: false,
  kernelCheck,
  notes: [],
});

describe("what is kept of a model", () => {
  const [model] = someStored;
  const cached = listOf(someStored);

  it("counts the files of the variant, shared ones too", () => {
    expect(model && keptVariant(model, "onnx/model_q4.onnx", cached)).toMatchObject({ bytes: 200e6, whole: true });
    expect(model && keptVariant(model, "model.safetensors", cached)).toMatchObject({ bytes: 109.6e6, whole: false });
  });

  it("is nothing of another commit", () => {
    expect(keptOf(cached, { ...smol, commit: "0".repeat(40) }, "onnx/model_q4.onnx")).toBeNull();
    expect(keptOf(null, smol, "onnx/model_q4.onnx")).toBeNull();
  });
});

describe("files as a model folder", () => {
  const file = (path: string): File =>
    Object.defineProperty(new File(["x"], path.split("/").at(-1) ?? ""), "path", { value: path });

  it.each([
    [["m/config.json", "m/onnx/model_q4.onnx", "m/.git/x"], "m", ["config.json", "onnx/model_q4.onnx"]],
    [["a.gguf"], "a", ["a.gguf"]],
    [["tiny.safetensors", "config.json"], "tiny", ["model.safetensors", "config.json"]],
    [
      ["m/model-00001-of-00002.safetensors", "m/model-00002-of-00002.safetensors"],
      "m",
      ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
    ],
    [["notes.txt"], "model folder", ["notes.txt"]],
  ])("%j", (paths, name, inside) => {
    const folder = asModelFolder(paths.map(file));
    expect(folder.name).toBe(name);
    expect(folder.files.map(({ path }) => path)).toEqual(inside);
  });
});
