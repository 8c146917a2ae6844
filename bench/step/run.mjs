// @ts-check
/**
 * Measures one LoRA training step in headless Chromium and in Node (Dawn), whichever is asked for, and prints milliseconds,
 * tokens/s, achieved FLOP/s, dispatches and bytes.
 *
 *   npm run bench:step -- [--on chromium|node|both] [--model DIR] [--tokens 256] [--rank 8] [--steps 5] [--gpu] [--json]
 *                         [--gradient-checkpointing]
 */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gpuArgs, softwareArgs } from "../../scripts/lib/chromium-args.mjs";
import { CommandError, runCommand } from "../../scripts/lib/errors.mjs";
import { setup } from "../../scripts/setup.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** @typedef {import("./measure").Measurement} Measurement */
/** @typedef {import("./measure").MeasureOptions} MeasureOptions */

const defaultModel = path.join(root, "public/models/tabtune-tiny");
const usage = /** @type {const} */ ({
  on: { type: "string", default: "both" },
  model: { type: "string", default: defaultModel },
  tokens: { type: "string", default: "256" },
  rank: { type: "string", default: "8" },
  steps: { type: "string", default: "5" },
  gpu: { type: "boolean", default: false },
  "gradient-checkpointing": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
});

await runCommand(async () => {
  const { values } = parseArgs({ options: usage });
  const options = {
    tokens: whole("--tokens", values.tokens),
    rank: whole("--rank", values.rank),
    steps: whole("--steps", values.steps),
    profile: true,
    gradientCheckpointing: values["gradient-checkpointing"],
  };
  if (!["chromium", "node", "both"].includes(values.on)) {
    throw new CommandError(`--on is "${values.on}"; it must be chromium, node or both.`, 2);
  }
  await setup({ browser: values.on !== "node" });
  const { createServer } = await import("vite");
  const server = await createServer({
    root,
    logLevel: "error",
    server: { port: 0, host: "127.0.0.1" },
    plugins: [modelFolder(values.model)],
  });
  try {
    /** @param {string} where @param {Measurement} result */
    const print = (where, result) =>
      process.stdout.write(values.json ? `${JSON.stringify({ where, ...result })}\n` : report(where, result));
    if (values.on !== "node") print("chromium", await inChromium(server, values.model, options, values.gpu));
    if (values.on !== "chromium") print("node", await inNode(server, values.model, options));
  } finally {
    await server.close();
  }
  // Dawn keeps threads alive.
  process.exit(0);
});

/**
 * @param {string} name
 * @param {string} text
 */
function whole(name, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 2)
    throw new CommandError(`${name} is "${text}"; it must be a whole number, 2 or more.`, 2);
  return value;
}

/** @param {string} folder */
function listFiles(folder) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"));
}

/**
 * Streams the measured folder, which may lie anywhere, from the page's own origin.
 * @param {string} folder
 * @returns {import("vite").Plugin}
 */
function modelFolder(folder) {
  const files = new Set(listFiles(folder));
  return {
    name: "measured-model",
    configureServer: ({ middlewares }) => {
      middlewares.use("/measured-model", (request, response, next) => {
        const file = decodeURIComponent(new URL(request.url ?? "", "http://localhost").pathname.slice(1));
        if (!files.has(file)) return next();
        fs.createReadStream(path.join(folder, file)).pipe(response);
      });
    },
  };
}

/**
 * @param {import("vite").ViteDevServer} server
 * @param {string} folder
 * @param {MeasureOptions} options
 * @param {boolean} gpu
 * @returns {Promise<Measurement>}
 */
async function inChromium(server, folder, options, gpu) {
  await server.listen();
  const { chromium } = await import("playwright");
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM_PATH"] ?? "",
    args: gpu ? gpuArgs : softwareArgs,
  });
  try {
    const page = await browser.newPage();
    const origin = server.resolvedUrls?.local[0] ?? "";
    await page.goto(`${origin}bench/step/`);
    await page.waitForFunction(() => typeof globalThis.measure === "function", null, { timeout: 120_000 });
    return await page.evaluate(
      ([name, base, paths, given]) => globalThis.measure(name, base, paths, given),
      /** @type {const} */ ([path.basename(folder), `${origin}measured-model/`, listFiles(folder), options]),
    );
  } finally {
    await browser.close();
  }
}

/**
 * @param {import("vite").ViteDevServer} server
 * @param {string} folder
 * @param {MeasureOptions} options
 * @returns {Promise<Measurement>}
 */
async function inNode(server, folder, options) {
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const gpu = create([]);
  if (!(await gpu.requestAdapter())) {
    throw new CommandError(
      "Dawn finds no GPU in Node; on a machine without one name a software Vulkan driver in VK_ICD_FILENAMES.",
    );
  }
  const { measureStep } = await server.ssrLoadModule("/bench/step/measure.ts");
  const files = {
    name: path.basename(folder),
    paths: listFiles(folder),
    open: (/** @type {string} */ file) => fs.openAsBlob(path.join(folder, file)),
  };
  return measureStep(gpu, files, options);
}

/**
 * @param {string} where
 * @param {Measurement} result
 */
function report(where, result) {
  const sorted = [...result.milliseconds].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const mega = (/** @type {number} */ value) => (value / 1e6).toFixed(1);
  const busy = result.kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const lines = [
    `${where}: ${result.device}, ${result.model} (${mega(result.parameters)} M parameters), rank ${result.rank}, ${result.tokens} tokens`,
    `  step          ${median.toFixed(1)} ms median, ${sorted[0]?.toFixed(1)} to ${sorted.at(-1)?.toFixed(1)} over ${sorted.length}; first ${result.firstStepMilliseconds.toFixed(0)} ms with compiling`,
    `  speed         ${((1000 * result.tokens) / median).toFixed(0)} tokens/s, ${(result.flops / median / 1e6).toFixed(2)} GFLOP/s of ${(result.flops / 1e9).toFixed(2)} GFLOP`,
    `  work          ${result.dispatches} dispatches, ${mega(result.bytes)} MB bound, ${mega(result.memory)} MB on the GPU`,
    ...result.kernels.map(
      ({ name, dispatches, milliseconds }) =>
        `  ${((100 * milliseconds) / busy).toFixed(1).padStart(5)} %  ${milliseconds.toFixed(1).padStart(8)} ms  ${String(dispatches).padStart(4)} ×  ${name}`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}
