/** axe-core finds nothing in any state of the page, wide and narrow, light and dark. */
import { afterEach, describe, expect, it } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { Step } from "../../src/ui/stores/route";
import { createFakeClient, type FakeOptions, sampleRun } from "../support/fake-client";
import { badCheck, smolId, someStored } from "../support/fake-models";
import { type Mounted, mountStudio } from "../support/mount";
import { button, seen, shown, trainSample, violations, whenReady } from "../support/page-kit";

let mounted: Mounted | null = null;
afterEach(async () => {
  mounted?.unmount();
  mounted = null;
  localStorage.clear();
  await page.viewport(1200, 800);
});

const diverged = { code: "diverged", message: "The loss became infinite at step 7.", data: {} } as const;

interface State {
  readonly name: string;
  readonly options: FakeOptions;
  readonly webGpu?: boolean;
  /** Where it begins: at the start. */
  readonly step?: Step;
  readonly reach: () => Promise<void>;
}

const model = (title: string) => page.getByText(title, { exact: true }).first();

/** The model step's own; those of the whole page follow. */
const modelStates: readonly State[] = [
  {
    name: "models that train well, with one that is not reached",
    options: {
      stored: someStored,
      fail: { lookUpModel: { code: "bad-input", message: "The hub cannot be reached.", data: { reason: "offline" } } },
    },
    reach: async () => {
      await whenReady();
      await model("Models that train well here").click();
      await button("Choose Qwen3 0.6B").click();
      await expect.element(page.getByRole("alert")).toBeVisible();
    },
  },
  {
    name: "a chosen model with files that cannot be used, too large as it is",
    options: {},
    reach: async () => {
      await whenReady();
      await model("From the hub").click();
      await userEvent.fill(page.getByLabelText("Model id or address").element(), smolId);
      await userEvent.keyboard("{Enter}");
      await page.getByRole("radio", { name: /^safetensors/ }).click();
      await userEvent.fill(page.getByLabelText("GPU memory to use (GB)").element(), "0.55");
      await expect.element(page.getByText(/^This does not fit\./)).toBeVisible();
    },
  },
  {
    name: "downloading a model",
    options: { holdDownload: true },
    reach: async () => {
      await whenReady();
      await model("From the hub").click();
      await userEvent.fill(page.getByLabelText("Model id or address").element(), smolId);
      await userEvent.keyboard("{Enter}");
      await button("Download and open (200 MB)").click();
      await expect.element(page.getByText(/^100 MB of 200 MB/)).toBeVisible();
    },
  },
  {
    name: "the models on this device",
    options: { stored: someStored },
    reach: async () => {
      await whenReady();
      await model("On this device").click();
      await expect.element(button("Delete all")).toBeVisible();
    },
  },
  {
    name: "asking before a model is deleted",
    options: { stored: someStored },
    reach: async () => {
      await whenReady();
      await model("On this device").click();
      await button(`Delete ${smolId} from this device`).click();
      await expect.element(page.getByRole("dialog")).toBeVisible();
    },
  },
  {
    name: "own files, with wrong numbers",
    options: { kernelCheck: badCheck },
    reach: async () => {
      await expect.element(button("Training is off: wrong numbers")).toBeVisible();
      await model("Your own file").click();
    },
  },
];

const states: readonly State[] = [
  ...modelStates.map((state): State => ({ ...state, step: "model" })),
  { name: "first screen", options: {}, reach: whenReady },
  {
    name: "first screen of who comes back",
    options: { runs: [sampleRun], fallback: false },
    reach: async () => {
      await whenReady();
      await seen(/^Kept last: amber-otter-12\./);
      await seen(/about 2 minutes · /);
    },
  },
  {
    name: "first screen during a run",
    options: { holdAt: 12 },
    reach: async () => {
      await whenReady();
      await trainSample().click();
      await shown("train");
      await page.getByRole("link", { name: "Tabtune", exact: true }).click();
      await seen("A run is under way.");
    },
  },
  {
    name: "training",
    options: { holdAt: 12 },
    reach: async () => {
      await whenReady();
      await trainSample().click();
      await shown("train");
      await seen("Step 12 of 30");
    },
  },
  {
    name: "finished",
    options: { runs: [sampleRun] },
    reach: async () => {
      await whenReady();
      await trainSample().click();
      await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
      await page.getByText("Settings of this run").click();
    },
  },
  {
    name: "tried",
    options: { runs: [sampleRun] },
    step: "try",
    reach: async () => {
      await whenReady();
      await button("Generate both").click();
      await expect.element(page.getByRole("region", { name: "Try" }).getByText(/boilin' water, matey!$/)).toBeVisible();
    },
  },
  {
    name: "checked",
    options: {},
    step: "model",
    reach: async () => {
      await whenReady();
      await button("Check the numbers").click();
      await expect.element(page.getByText(/agree on all 32 tokens/)).toBeVisible();
    },
  },
  {
    name: "failed, with a wrong field and Advanced open",
    options: { fail: { train: diverged } },
    step: "train",
    reach: async () => {
      await whenReady();
      await trainSample().click();
      await expect.element(page.getByRole("alert")).toBeVisible();
      await userEvent.fill(page.getByLabelText("Learning rate").element(), "abc");
      await page.getByText("Advanced", { exact: true }).click();
    },
  },
  {
    name: "asking before a deletion",
    options: { runs: [sampleRun] },
    step: "library",
    reach: async () => {
      await whenReady();
      await button("Delete amber-otter-12").click();
      await expect.element(page.getByRole("dialog")).toBeVisible();
    },
  },
  {
    name: "reading data",
    options: { holdReading: true },
    step: "data",
    reach: async () => {
      await expect.element(page.getByText("Reading pirate.jsonl…")).toBeVisible();
    },
  },
  {
    name: "data with problems and shared held-out rows, as tokens",
    options: { dataset: "problems", shared: true },
    step: "data",
    reach: async () => {
      await expect.element(page.getByText(/are in the training rows too/)).toBeVisible();
      await page.getByRole("tab", { name: "Tokens" }).click();
      await expect.element(page.getByText("context only")).toBeVisible();
    },
  },
  {
    name: "mapping columns",
    options: { dataset: "unmapped" },
    step: "data",
    reach: async () => {
      await button("Check the guess").click();
      await expect.element(page.getByText("Ready", { exact: true })).toBeVisible();
    },
  },
  {
    name: "all settings of the data open, as a table",
    options: { dataset: "large" },
    step: "data",
    reach: async () => {
      await whenReady();
      await page.getByText("How rows become examples").click();
      await page.getByLabelText("Chat template").selectOptions("My own (Jinja)");
      await button("Use this template").click();
      await expect.element(page.getByText("The first row, rendered")).toBeVisible();
      await page.getByRole("tab", { name: "Table" }).click();
      await expect.element(page.getByRole("columnheader", { name: "messages" })).toBeVisible();
    },
  },
  {
    name: "no WebGPU",
    options: {},
    webGpu: false,
    reach: async () => {
      await expect.element(page.getByText("On Linux the browser keeps WebGPU from this GPU")).toBeVisible();
    },
  },
];

describe.each([1200, 390])("at %i px", (width) => {
  describe.each(["Light", "Dark"])("%s", (scheme) => {
    it.each(states)("$name", async ({ options, webGpu = true, step = "start", reach }) => {
      await page.viewport(width, 800);
      mounted = mountStudio(createFakeClient(options), { hasWebGpu: webGpu }, step);
      await page.getByTitle(scheme).click();
      await expect.poll(() => document.documentElement.dataset["mantineColorScheme"]).toBe(scheme.toLowerCase());
      await reach();
      // Colours are judged once transitions are over.
      const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
      for (const animation of ending) animation.finish();
      expect(document.documentElement.scrollWidth, "the page scrolls sideways").toBeLessThanOrEqual(width);
      expect(await violations()).toEqual([]);
    });
  });
});
