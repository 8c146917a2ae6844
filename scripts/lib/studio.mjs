// @ts-check
/** The studio in a headless browser, for scripts: the built page, served from dist/ on this machine, with files of this machine. */
import fs from "node:fs";
import { ensureBuilt } from "./build-dist.mjs";
import { gpuArgs, softwareArgs } from "./chromium-args.mjs";
import { CommandError } from "./errors.mjs";
import { inOptionTerms } from "./options.mjs";
import { distDir } from "./paths.mjs";
import { serveStatic } from "./static-server.mjs";

/** @typedef {import("../../src/ui/headless").HeadlessApi} HeadlessApi */
/** @typedef {import("../../src/worker/protocol").Calls} Calls */
/** @typedef {import("../../src/worker/protocol").ErrorData} ErrorData */
/** @typedef {Calls[import("../../src/worker/protocol").CallName]["event"]} StudioEvent */
/**
 * @template {keyof HeadlessApi} M
 * @typedef {Extract<Awaited<ReturnType<HeadlessApi[M]>>, { ok: unknown }>["ok"]} Result
 */

/**
 * @typedef {object} Studio
 * @property {<M extends keyof HeadlessApi>(method: M, ...args: Parameters<HeadlessApi[M]>) => Promise<Result<M>>} call
 *   Rejects with `CommandError`: exit code 2 where the user's input is at fault.
 * @property {(key: string, paths: readonly string[], names?: readonly string[]) => Promise<void>} giveFiles
 *   Hands files of this machine to the page under a name, without copying them. `names`: their paths in their folder.
 * @property {(act: () => Promise<unknown>, file: string) => Promise<void>} saveDownload
 *   Runs `act` and stores what the page downloads meanwhile.
 * @property {() => Promise<void>} close
 */

/**
 * @param {{ onEvent?: (event: StudioEvent) => void }} [options]
 * @returns {Promise<Studio>}
 */
export async function openStudio({ onEvent } = {}) {
  await ensureBuilt();
  const server = await serveStatic(distDir);
  const browser = await launchWithGpu(server.url);
  const page = await browser.newPage();
  /** @type {Promise<never>} */
  const gone = new Promise((_, reject) => {
    const fail = (/** @type {string} */ what) => reject(new CommandError(what));
    page.on("crash", () =>
      fail("The browser's page crashed, most likely for lack of memory; try a smaller --batch-size or --max-length."),
    );
    browser.on("disconnected", () => fail("The browser ended in the middle of the work; run the command again."));
    page.on("pageerror", (error) => fail(`The studio's page failed: ${error.message}`));
  });
  // Awaited only in races; without a listener of its own a late failure would end the process.
  gone.catch(() => {});
  if (process.env["TABTUNE_DEBUG"]) {
    page.on("console", (message) => process.stderr.write(`[page] ${message.text()}\n`));
  }
  await page.exposeFunction("tabtuneEvent", (/** @type {StudioEvent} */ event) => onEvent?.(event));
  await page.goto(`${server.url}headless.html`);
  await Promise.race([page.waitForFunction("globalThis.tabtune !== undefined"), gone]);

  /** @type {Studio} */
  const studio = {
    async call(method, ...args) {
      const work = page.evaluate(
        ([name, values]) => /** @type {any} */ (globalThis).tabtune[name](...values),
        /** @type {const} */ ([method, args]),
      );
      const outcome = await Promise.race([work, gone]);
      if ("error" in outcome) throw toCommandError(outcome.error);
      return outcome.ok;
    },
    async giveFiles(key, paths, names = paths) {
      await page.setInputFiles("#files", [...paths]);
      await studio.call("keepFiles", { key, paths: names });
    },
    async saveDownload(act, file) {
      const started = page.waitForEvent("download", { timeout: 0 });
      started.catch(() => {});
      await act();
      const download = await Promise.race([started, gone]);
      await download.saveAs(file);
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
  return studio;
}

/** @param {ErrorData} error */
function toCommandError({ code, message, data }) {
  const detail = code === "internal" && data["detail"] !== undefined ? ` (${data["detail"]})` : "";
  const field = data["field"];
  const sentence = typeof field === "string" ? inOptionTerms(field, message) : message + detail;
  return new CommandError(sentence, code === "bad-input" ? 2 : 1);
}

/**
 * The machine's own GPU where Chromium offers one, the software adapter otherwise.
 * TABTUNE_GPU=off goes straight to the software adapter, TABTUNE_GPU=on never does.
 * @param {string} origin Ours, because WebGPU exists in secure contexts only.
 */
async function launchWithGpu(origin) {
  const { chromium } = await import("playwright");
  const launch = (/** @type {string[]} */ args) =>
    chromium.launch({
      ...(process.env["CHROMIUM_PATH"] ? { executablePath: process.env["CHROMIUM_PATH"] } : {}),
      args,
      // Ctrl-C is ours: the run is stopped and saved first.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  const choice = process.env["TABTUNE_GPU"] ?? "auto";
  if (choice === "off" || (choice === "auto" && !mayHaveGpu())) return launch(softwareArgs);
  const browser = await launch(gpuArgs);
  if (choice === "on" || (await offersGpu(browser, origin))) return browser;
  await browser.close();
  return launch(softwareArgs);
}

/** On Linux a GPU shows as a device file; elsewhere there nearly always is one. */
function mayHaveGpu() {
  if (process.platform !== "linux") return true;
  if (fs.existsSync("/dev/nvidia0") || fs.existsSync("/dev/dxg")) return true;
  return fs.existsSync("/dev/dri") && fs.readdirSync("/dev/dri").some((name) => name.startsWith("renderD"));
}

/**
 * @param {import("playwright").Browser} browser
 * @param {string} origin
 */
async function offersGpu(browser, origin) {
  const page = await browser.newPage();
  try {
    // The server's 404 text will do: it starts no script.
    await page.goto(`${origin}nothing-here`);
    return await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
      return adapter ? !adapter.info.isFallbackAdapter : false;
    });
  } catch {
    return false;
  } finally {
    await page.close();
  }
}
