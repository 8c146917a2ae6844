// @ts-check
/** The states of the page that pictures are taken of: the step, what the fake client is told, and the way there by hand. */

/** @typedef {import("playwright").Page} Page */
/**
 * @typedef {object} PictureState
 * @property {string} step The part of the address after "#/".
 * @property {string} [fake] Which of the states of tests/support/studio.tsx; the picture's own name where absent.
 * @property {(page: Page) => Promise<unknown>} [reach] From the opened page to the state.
 */

/** @param {Page} page @param {string | RegExp} name */
const press = (page, name) => page.getByRole("button", { name }).first().click();
/** @param {Page} page @param {string | RegExp} text */
const seen = (page, text) => page.getByText(text).filter({ visible: true }).first().waitFor();
/** @param {Page} page */
const ready = (page) => page.getByRole("button", { name: "Train the sample" }).click({ trial: true });
/** @param {Page} page @param {string} title */
const way = (page, title) => page.locator("#model").getByText(title, { exact: true }).first().click();
/** @param {Page} page @param {string} address */
async function lookUp(page, address) {
  await ready(page);
  await way(page, "From the hub");
  await page.getByLabel("Model id or address").fill(address);
  await page.keyboard.press("Enter");
}
/** @param {Page} page */
async function choose(page) {
  await lookUp(page, "HuggingFaceTB/SmolLM2-135M-Instruct");
  await seen(page, "of weights");
}
/** @param {Page} page */
async function download(page) {
  await choose(page);
  await press(page, "Download and open");
}
/** @param {Page} page */
async function train(page) {
  await ready(page);
  await press(page, /^(Train the sample|Start training)$/);
}
/** @param {Page} page @param {string} step */
const goTo = (page, step) => page.locator(`nav a[href="#/${step}"]`).click();

/** @type {Readonly<Record<string, PictureState>>} */
export const states = {
  start: { step: "", reach: ready },
  "start-kept": { step: "", fake: "finished", reach: ready },
  "start-busy": {
    step: "",
    fake: "run-busy",
    reach: async (page) => {
      await train(page);
      await seen(page, "Step 72 of 120");
      await page.evaluate(() => {
        location.hash = "#/";
      });
    },
  },
  "start-no-gpu": { step: "", fake: "no-gpu", reach: (page) => page.getByRole("alert").waitFor() },

  model: { step: "model", reach: ready },
  "model-catalogue": {
    step: "model",
    reach: async (page) => {
      await ready(page);
      await way(page, "Models that train well here");
      await seen(page, "Qwen3 0.6B");
    },
  },
  "model-hub": { step: "model", reach: async (page) => ready(page).then(() => way(page, "From the hub")) },
  "model-not-found": {
    step: "model",
    reach: async (page) => {
      await lookUp(page, "org/none");
      await page.locator("#model").getByRole("alert").waitFor();
    },
  },
  "model-own": { step: "model", reach: async (page) => ready(page).then(() => way(page, "Your own file")) },
  "model-chosen": {
    step: "model",
    reach: async (page) => {
      await choose(page);
      await page.getByLabel(/^safetensors, as trained/).click();
      await page.getByLabel(/^NF4/).click();
    },
  },
  "model-downloading": {
    step: "model",
    reach: async (page) => {
      await download(page);
      await seen(page, "100 MB of 200 MB");
    },
  },
  "model-stopped": {
    step: "model",
    reach: async (page) => {
      await download(page);
      await seen(page, "100 MB of 200 MB");
      await press(page, /^Cancel opening/);
      await seen(page, "Resume goes on from there");
    },
  },
  "model-open": {
    step: "model",
    reach: async (page) => {
      await download(page);
      await seen(page, "Back to the built-in model");
      await ready(page);
    },
  },
  "model-stored": { step: "model", reach: async (page) => ready(page).then(() => way(page, "On this device")) },
  "model-delete": {
    step: "model",
    reach: async (page) => {
      await download(page);
      await seen(page, "Back to the built-in model");
      await way(page, "On this device");
      await press(page, /^Delete Hugging/);
      await page.getByRole("dialog").waitFor();
    },
  },
  "model-wrong": { step: "model", reach: (page) => seen(page, "Training is off") },

  data: { step: "data", fake: "start", reach: ready },
  "data-settings": {
    step: "data",
    reach: async (page) => {
      await ready(page);
      await page.getByText("How rows become examples").click();
      await page.getByLabel("Chat template", { exact: true }).selectOption("own");
      await press(page, "Use this template");
      await seen(page, "The first row, rendered");
    },
  },
  "data-tokens": {
    step: "data",
    reach: async (page) => {
      await seen(page, "notes.jsonl");
      await page.getByRole("tab", { name: "Tokens" }).click();
      await page.locator("#data .token.counted").nth(8).hover();
    },
  },
  "data-table": {
    step: "data",
    reach: async (page) => {
      await seen(page, "notes.jsonl");
      await page.getByRole("tab", { name: "Table" }).click();
    },
  },
  "data-reading": { step: "data", reach: (page) => seen(page, /kB of/) },
  "data-problems": { step: "data", reach: (page) => seen(page, /of the held-out file are in|held-out rows are in/) },
  "data-unmapped": { step: "data", reach: (page) => seen(page, "which is a guess") },
  "data-mapping": {
    step: "data",
    reach: async (page) => {
      await seen(page, "notes.jsonl");
      await seen(page, "which is a guess");
      await press(page, "Check the guess");
      await page.getByRole("dialog").getByText("Ready").waitFor();
    },
  },
  "data-large": { step: "data", reach: (page) => seen(page, "Estimated from") },
  "data-failed": { step: "data", reach: (page) => seen(page, "photo.jsonl") },

  train: { step: "train", fake: "start", reach: ready },
  "train-advanced": {
    step: "train",
    fake: "start",
    reach: async (page) => {
      await ready(page);
      await page.getByText("Advanced", { exact: true }).click();
      await page.getByText("Questions to ask while it trains").click();
      await page.getByLabel("Rank", { exact: true }).fill("64");
    },
  },
  "train-wrong": {
    step: "train",
    fake: "start",
    reach: async (page) => {
      await ready(page);
      await page.getByLabel("Learning rate", { exact: true }).fill("abc");
      await page.getByRole("button", { name: "Fix learning rate" }).waitFor();
      await page.waitForTimeout(700);
    },
  },
  "train-too-large": {
    step: "model",
    fake: "start",
    reach: async (page) => {
      await choose(page);
      await page.getByLabel("GPU memory to use (GB)").fill("0.1");
      await goTo(page, "train");
      await page.getByText("Advanced", { exact: true }).click();
      await page.getByLabel("Batch size", { exact: true }).fill("32");
      await seen(page, "What would free memory");
    },
  },

  "run-busy": { step: "train", reach: (page) => train(page).then(() => seen(page, "Step 72 of 120")) },
  "run-elsewhere": {
    step: "train",
    fake: "run-busy",
    reach: async (page) => {
      await train(page);
      await seen(page, "Step 72 of 120");
      await goTo(page, "data");
    },
  },
  "run-warned": { step: "train", reach: (page) => train(page).then(() => seen(page, "Step 110 of 120")) },
  "run-broken": { step: "train", reach: (page) => train(page).then(() => seen(page, "The loss ran away")) },
  "run-finished": { step: "train", reach: (page) => train(page).then(() => seen(page, "Kept in this browser as")) },
  "run-failed": {
    step: "train",
    fake: "failed",
    reach: (page) => train(page).then(() => seen(page, "The loss ran away")),
  },

  "try-empty": { step: "try", fake: "start", reach: (page) => page.locator("#try h2").waitFor() },
  try: {
    step: "try",
    fake: "finished",
    reach: async (page) => {
      await press(page, "Generate both");
      await page
        .locator("#try")
        .getByText(/tokens, [\d.]+\/s/)
        .nth(1)
        .waitFor();
    },
  },

  "try-tokens": {
    step: "try",
    fake: "finished",
    reach: async (page) => {
      await press(page, "Generate both");
      await seen(page, /tokens, [\d.]+\/s/);
      await page.locator("#try").getByText("Tokens", { exact: true }).click();
      await page.locator("#try summary").filter({ hasText: "Sampling" }).click();
      await page.getByLabel("Temperature", { exact: true }).fill("0.8");
    },
  },
  "try-rows": {
    step: "try",
    fake: "finished",
    reach: async (page) => {
      await press(page, "Measure");
      await page.getByRole("table").locator("tbody tr").nth(11).waitFor();
    },
  },

  "library-empty": { step: "library", fake: "start", reach: (page) => page.locator("#library h2").waitFor() },
  library: { step: "library", reach: (page) => seen(page, "teal-heron-42") },
  "library-answers": {
    step: "library",
    fake: "library",
    reach: async (page) => {
      await press(page, /^Answers/);
      await seen(page, "Before training");
    },
  },
  "library-compare": {
    step: "library",
    fake: "library",
    reach: async (page) => {
      await page.getByLabel("Choose all").click();
      await press(page, /^Compare \d runs$/);
      await page.getByRole("dialog").waitFor();
    },
  },
  "library-delete": {
    step: "library",
    fake: "library",
    reach: async (page) => {
      await page.getByLabel("Choose all").click();
      await press(page, /^Delete the \d runs chosen$/);
      await page.getByRole("dialog").waitFor();
    },
  },

  commands: {
    step: "train",
    fake: "library",
    reach: async (page) => {
      await ready(page);
      await page.keyboard.press("ControlOrMeta+k");
      await page.getByRole("dialog").waitFor();
    },
  },
  keys: {
    step: "train",
    fake: "start",
    reach: async (page) => {
      await ready(page);
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
    },
  },
};

/** Of a served studio, with the real engine: a run takes minutes without a GPU. @type {Readonly<Record<string, PictureState>>} */
export const realStates = {
  start: { step: "", reach: ready },
  busy: { step: "", reach: (page) => train(page).then(() => seen(page, /^Step (1[5-9]|[2-9]\d) of/)) },
  finished: { step: "", reach: (page) => train(page).then(() => seen(page, "Kept in this browser as")) },
  tried: {
    step: "",
    reach: async (page) => {
      await train(page);
      await seen(page, "Kept in this browser as");
      await goTo(page, "try");
      await states["try"]?.reach?.(page);
    },
  },
};
