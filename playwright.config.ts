/** End-to-end tests: the built studio, served as a static host would, in headless Chromium. */
import { defineConfig } from "@playwright/test";
import { softwareArgs } from "./scripts/lib/chromium-args.mjs";

const executablePath = process.env["CHROMIUM_PATH"];

export default defineConfig({
  testDir: "tests/app",
  testMatch: "**/*.e2e.ts",
  // Starts the server and sets TABTUNE_URL, before the workers read this file again.
  globalSetup: "./scripts/lib/serve-for-playwright.mjs",
  forbidOnly: Boolean(process.env["CI"]),
  timeout: 180_000,
  expect: { timeout: 30_000 },
  // One software GPU on few cores: pages side by side would only slow each other down.
  workers: 1,
  use: {
    baseURL: process.env["TABTUNE_URL"],
    browserName: "chromium",
    // What it answers is no request any more; every spec but its own counts them all.
    serviceWorkers: "block",
    launchOptions: { args: softwareArgs, ...(executablePath === undefined ? {} : { executablePath }) },
  },
});
