/** The page over the fake client, for pictures: `?state=…` of scripts/screenshots.mjs. Never part of a build. */
import { chooseFiles, chooseHeldOut } from "../../src/ui/actions/choose-data";
import { editForm, editText } from "../../src/ui/stores/recipe";
import type { ErrorData } from "../../src/worker/protocol";
import { createFakeClient, type FakeOptions, sampleRun } from "./fake-client";
import { severalRuns } from "./fake-library";
import { badCheck, someStored } from "./fake-models";
import { courses } from "./fake-training";
import { mountStudio } from "./mount";

const state = new URLSearchParams(location.search).get("state") ?? "first";
const diverged: ErrorData = {
  code: "diverged",
  message: "The loss became infinite at step 7; a learning rate below 1e-3 usually cures this.",
  data: { step: 7 },
};

const options: Readonly<Record<string, FakeOptions>> = {
  busy: { holdAt: 19, fallback: false },
  failed: { fail: { train: diverged } },
  "run-busy": { holdAt: 72, course: courses.noisy, fallback: false },
  "run-warned": { holdAt: 110, course: courses.rising, fallback: false },
  "run-broken": { course: { ...courses.noisy, breakAt: { step: 66, error: { ...diverged, data: { step: 67 } } } } },
  "run-finished": { course: courses.noisy },
  finished: {
    runs: [
      sampleRun,
      { ...sampleRun, id: "run-0", name: "cobalt-heron-7", state: "stopped", evalBefore: null, evalAfter: null },
    ],
  },
  "model-catalogue": { stored: someStored },
  "model-stored": { stored: someStored },
  "model-downloading": { holdDownload: true },
  "model-stopped": { holdDownload: true },
  "model-not-found": {
    fail: {
      lookUpModel: {
        code: "bad-input",
        message: "There is no model org/none on the hub; check its spelling, or sign in there if it is private.",
        data: { reason: "not-found" },
      },
    },
  },
  "model-wrong": { kernelCheck: badCheck },
  library: { runs: severalRuns(sampleRun) },
  "data-problems": { dataset: "problems", shared: true },
  "data-unmapped": { dataset: "unmapped" },
  "data-mapping": { dataset: "unmapped" },
  "data-reading": { dataset: "large", holdReading: true },
  "data-large": { dataset: "large" },
  "data-failed": {
    fail: {
      inspectDataset: {
        code: "bad-input",
        message: "photo.jsonl: the file is a PNG picture; choose a file of text.",
        data: {},
      },
    },
  },
};

const { desk } = mountStudio(createFakeClient({ pace: 4, ...options[state] }), { hasWebGpu: state !== "no-gpu" });

const file = (name: string): File => new File(['{"prompt":"Hello?","completion":"Ahoy!"}\n'.repeat(200)], name);
if (state.startsWith("data-") && state !== "data-settings") {
  // After the sample, as a person would.
  setTimeout(() => {
    const names = state === "data-large" ? ["part-1.jsonl", "part-2.jsonl"] : ["notes.jsonl"];
    void chooseFiles(desk, names.map(file)).then(() =>
      state === "data-problems" ? chooseHeldOut(desk, [file("notes.eval.jsonl")]) : undefined,
    );
  }, 500);
}
if (state.startsWith("run-")) {
  // Long enough for curves to look like curves.
  const { recipe } = desk.stores;
  editForm(recipe, (form) => ({ ...form, lengthUnit: "steps" }));
  editText(recipe, "steps", "120");
}
