// Takes pictures of the page into the ignored folder screenshots/, at 1280 and 390 px, light and dark:
//   node scripts/screenshots.mjs [STATE…]             over the fake client, in all states below
//   node scripts/screenshots.mjs --url URL [STATE…]   of a served studio, with real runs: first, busy, finished
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright";
import { createServer } from "vite";
import { softwareArgs } from "./lib/chromium-args.mjs";
import { setup } from "./setup.mjs";

const { values, positionals } = parseArgs({ options: { url: { type: "string" } }, allowPositionals: true });
const dataStates = ["settings", "tokens", "table", "reading", "problems", "unmapped", "mapping", "large", "failed"];
const modelStates = [
  "catalogue",
  "hub",
  "not-found",
  "own",
  "chosen",
  "downloading",
  "stopped",
  "open",
  "stored",
  "delete",
  "wrong",
];
const fakeStates = [
  "failed",
  "no-gpu",
  ...modelStates.map((state) => `model-${state}`),
  ...dataStates.map((state) => `data-${state}`),
];
const states = positionals.length > 0 ? positionals : ["first", "busy", "finished", ...(values.url ? [] : fakeStates)];
const root = fileURLToPath(new URL("..", import.meta.url));
const out = fileURLToPath(new URL("../screenshots/", import.meta.url));
const minutes = 60_000;

await setup({ browser: true });
const server = values.url ? null : await createServer({ root, server: { port: 0, hmr: false }, logLevel: "error" });
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM_PATH"] ?? "",
  args: softwareArgs,
});
try {
  await mkdir(out, { recursive: true });
  await server?.listen();
  for (const width of [1280, 390]) {
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      for (const state of states) {
        const context = await browser.newContext({
          viewport: { width, height: width === 390 ? 844 : 800 },
          colorScheme,
          reducedMotion: "reduce",
        });
        const page = await context.newPage();
        page.setDefaultTimeout(10 * minutes);
        page.on("pageerror", (error) => console.error(`page: ${error.message}`));
        await page.goto(values.url ?? `${server?.resolvedUrls?.local[0]}tests/support/studio.html?state=${state}`);
        await reach(page, state);
        const path = `${out}${values.url ? "real-" : ""}${state}-${width}-${colorScheme}.png`;
        await page.screenshot({ path, fullPage: true });
        console.log(path);
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
  await server?.close();
}

/**
 * @param {import("playwright").Page} page
 * @param {string} state
 */
async function reach(page, state) {
  if (state === "no-gpu") {
    await page.getByText("This browser has no WebGPU").waitFor();
    return;
  }
  if (state.startsWith("data-")) {
    await reachData(page, state);
    await page.waitForTimeout(200);
    return;
  }
  if (state.startsWith("model-")) {
    await reachModel(page, state);
    await page.waitForTimeout(200);
    return;
  }
  const main = page.getByRole("button", { name: "Train the sample" });
  await main.click({ trial: true });
  if (state === "first") return;
  await main.click();
  if (state === "busy")
    await page
      .getByText(/^Step (1[5-9]|[2-9]\d) of/)
      .first()
      .waitFor();
  if (state === "failed") {
    await page.getByText("The loss ran away").waitFor();
    await page.getByLabel("Learning rate").fill("abc");
  }
  if (state === "finished") {
    await page.getByText("Kept in this browser as").waitFor();
    await page.getByRole("button", { name: "Check the numbers" }).click();
    await page.getByText("agree on all").waitFor();
    await page.getByRole("button", { name: "Generate both" }).click();
    await page
      .locator("#try")
      .getByText(/tokens, [\d.]+\/s/)
      .nth(1)
      .waitFor();
  }
  await page.waitForTimeout(200);
}

/**
 * @param {import("playwright").Page} page
 * @param {string} state
 */
async function reachData(page, state) {
  const data = page.locator("#data");
  /** @type {Readonly<Record<string, () => Promise<void>>>} */
  const ways = {
    "data-settings": async () => {
      await page.getByText("How rows become examples").click();
      await data.getByLabel("Chat template", { exact: true }).selectOption("own");
      await data.getByRole("button", { name: "Use this template" }).click();
      await data.getByText("The first row, rendered").waitFor();
    },
    "data-tokens": async () => {
      await data.getByText("notes.jsonl").waitFor();
      await data.getByRole("tab", { name: "Tokens" }).click();
      await data.locator(".token.counted").nth(8).hover();
    },
    "data-table": async () => {
      await data.getByText("notes.jsonl").waitFor();
      await data.getByRole("tab", { name: "Table" }).click();
    },
    "data-reading": () => data.getByText(/kB of/).waitFor(),
    "data-problems": () => data.getByText(/of the held-out file are in/).waitFor(),
    "data-unmapped": () => data.getByText("which is a guess").waitFor(),
    "data-mapping": async () => {
      await data.getByRole("button", { name: "Check the guess" }).click();
      await page.getByRole("dialog").getByText("Ready").waitFor();
    },
    "data-large": () => data.getByText("Estimated from").waitFor(),
    "data-failed": () => data.getByText("photo.jsonl").waitFor(),
  };
  await ways[state]?.();
}

/**
 * @param {import("playwright").Page} page
 * @param {string} state
 */
async function reachModel(page, state) {
  const model = page.locator("#model");
  const way = (/** @type {string} */ title) => model.getByText(title, { exact: true }).first().click();
  if (state === "model-wrong") {
    await model.getByText("Training is off").waitFor();
    return;
  }
  await page.getByRole("button", { name: "Train the sample" }).click({ trial: true });
  const chosen = async () => {
    await way("From the hub");
    await model.getByLabel("Model id or address").fill("HuggingFaceTB/SmolLM2-135M-Instruct");
    await page.keyboard.press("Enter");
    await model.getByText("of weights").first().waitFor();
  };
  const download = async () => {
    await chosen();
    await model.getByRole("button", { name: "Download and open" }).click();
  };
  /** @type {Readonly<Record<string, () => Promise<void>>>} */
  const ways = {
    "model-catalogue": async () => {
      await way("Models that train well here");
      await model.getByText("Qwen3 0.6B").waitFor();
    },
    "model-hub": () => way("From the hub"),
    "model-not-found": async () => {
      await way("From the hub");
      await model.getByLabel("Model id or address").fill("org/none");
      await page.keyboard.press("Enter");
      await model.getByRole("alert").waitFor();
    },
    "model-own": () => way("Your own file"),
    "model-chosen": async () => {
      await chosen();
      await model.getByLabel(/^safetensors, as trained/).click();
      await model.getByLabel(/^NF4/).click();
    },
    "model-downloading": async () => {
      await download();
      await model.getByText("100 MB of 200 MB").waitFor();
    },
    "model-stopped": async () => {
      await download();
      await model.getByText("100 MB of 200 MB").waitFor();
      await model.getByRole("button", { name: /^Cancel opening/ }).click();
      await model.getByText("Resume goes on from there").waitFor();
      await page.getByRole("button", { name: "Train the sample" }).click({ trial: true });
    },
    "model-open": async () => {
      await download();
      await model.getByText("Back to the built-in model").waitFor();
      await page.getByRole("button", { name: "Train the sample" }).click({ trial: true });
    },
    "model-stored": () => way("On this device"),
    "model-delete": async () => {
      await download();
      await model.getByText("Back to the built-in model").waitFor();
      await way("On this device");
      await model.getByRole("button", { name: /^Delete Hugging/ }).click();
      await page.getByRole("dialog").waitFor();
    },
  };
  await ways[state]?.();
}
