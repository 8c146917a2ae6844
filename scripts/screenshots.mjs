// Takes pictures of the page into the ignored folder screenshots/, at 1280 and 390 px, light and dark:
//   npm run screenshots [-- STATE…]               over the fake client, in all states of scripts/lib/screenshot-states.mjs
//   npm run screenshots -- --url URL [STATE…]     of a served studio, with real runs: start, busy, finished, tried
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright";
import { createServer } from "vite";
import { softwareArgs } from "./lib/chromium-args.mjs";
import { realStates, states } from "./lib/screenshot-states.mjs";
import { setup } from "./setup.mjs";

const { values, positionals } = parseArgs({ options: { url: { type: "string" } }, allowPositionals: true });
const known = values.url ? realStates : states;
const wanted = positionals.length > 0 ? positionals : Object.keys(known);
const unknown = wanted.find((name) => !(name in known));
if (unknown !== undefined) {
  console.error(`There is no state "${unknown}"; choose among ${Object.keys(known).join(", ")}.`);
  process.exit(2);
}
const root = fileURLToPath(new URL("..", import.meta.url));
const out = fileURLToPath(new URL("../screenshots/", import.meta.url));
const patience = values.url ? 600_000 : 30_000;

await setup({ browser: true });
const server = values.url
  ? null
  : await createServer({ root, server: { port: 0, hmr: false, watch: null }, logLevel: "error" });
const browser = await chromium.launch({ executablePath: process.env["CHROMIUM_PATH"] ?? "", args: softwareArgs });
const failures = [];
try {
  await mkdir(out, { recursive: true });
  await server?.listen();
  for (const name of wanted) {
    try {
      await pictures(name);
    } catch (error) {
      failures.push(name);
      console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
} finally {
  await browser.close();
  await server?.close();
}
if (failures.length > 0) {
  console.error(`NOT REACHED: ${failures.join(", ")}`);
  process.exitCode = 1;
}

/** @param {string} name */
async function pictures(name) {
  const { step, fake = name, reach } = known[name] ?? { step: "" };
  for (const width of [1280, 390]) {
    const height = width === 390 ? 844 : 800;
    // A click may do different things on a narrow page, so each width goes the whole way; real runs go it once.
    const context = await browser.newContext({ viewport: { width, height }, reducedMotion: "reduce" });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    page.on("pageerror", (error) => console.error(`${name}, page: ${error.message}`));
    const base = values.url ?? `${server?.resolvedUrls?.local[0]}tests/support/studio.html?state=${fake}`;
    await page.goto(`${base}#/${step}`);
    await reach?.(page);
    for (const shown of values.url ? [1280, 390] : [width]) {
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width: shown, height: shown === 390 ? 844 : 800 });
        await page.waitForTimeout(300);
        // The whole step at once: a window as high as it is, so that the bar at its foot lies at the foot.
        const whole = await page.evaluate(() => document.documentElement.scrollHeight);
        await page.setViewportSize({ width: shown, height: Math.min(whole, 6000) });
        await page.waitForTimeout(300);
        const path = `${out}${values.url ? "real-" : ""}${name}-${shown}-${colorScheme}.png`;
        await page.screenshot({ path });
        console.log(path);
      }
    }
    await context.close();
    if (values.url) break;
  }
}
