// Takes pictures of the page into the ignored folder screenshots/, at 1280 and 390 px, light and dark:
//   node scripts/screenshots.mjs [STATE…]             over the fake client: first, busy, finished, failed, no-gpu
//   node scripts/screenshots.mjs --url URL [STATE…]   of a served studio, with real runs: first, busy, finished
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright";
import { createServer } from "vite";
import { softwareArgs } from "./lib/chromium-args.mjs";
import { setup } from "./setup.mjs";

const { values, positionals } = parseArgs({ options: { url: { type: "string" } }, allowPositionals: true });
const states =
  positionals.length > 0 ? positionals : ["first", "busy", "finished", ...(values.url ? [] : ["failed", "no-gpu"])];
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
