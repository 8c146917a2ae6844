// @ts-check
/** The parts of `npm test`, in order: cheap ones first, so that a slip shows early. */
import fs from "node:fs";
import path from "node:path";
import { ensureBuilt } from "./build-dist.mjs";
import { checkDefaultRun } from "./default-run.mjs";
import { cacheDir, root } from "./paths.mjs";
import { run } from "./process.mjs";

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {() => Promise<{ ok: boolean, counts?: Counts }>} run
 */

/**
 * Runs a program of node_modules with this Node, whatever the platform's shells.
 * @param {string} script Relative to node_modules.
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
async function tool(script, args, env = {}) {
  const file = path.join(root, "node_modules", script);
  return (await run(process.execPath, [file, ...args], { cwd: root, env, stdio: "inherit" })) === 0;
}

/**
 * A part that runs one tool.
 * @param {string} name
 * @param {string} script
 * @param {readonly string[]} args
 * @returns {Part}
 */
const check = (name, script, args) => ({ name, run: async () => ({ ok: await tool(script, args) }) });

/**
 * A test runner that writes its counts to a JSON file.
 * @param {string} report
 * @param {(report: string) => Promise<boolean>} start
 * @param {(json: any) => Counts} count
 */
async function counted(report, start, count) {
  const file = path.join(cacheDir, report);
  fs.mkdirSync(cacheDir, { recursive: true });
  fs.rmSync(file, { force: true });
  const ok = await start(file);
  const counts = fs.existsSync(file)
    ? count(JSON.parse(fs.readFileSync(file, "utf8")))
    : { passed: 0, failed: 0, skipped: 0 };
  return { ok, counts };
}

/** @param {any} json vitest's JSON report, which is Jest's. */
export function vitestCounts(json) {
  return {
    passed: Number(json.numPassedTests),
    failed: Number(json.numFailedTests),
    skipped: Number(json.numPendingTests) + Number(json.numTodoTests ?? 0),
  };
}

/** @param {any} json Playwright's JSON report. A test that passed on a second try is a failure here. */
export function playwrightCounts(json) {
  const { expected, unexpected, flaky, skipped } = json.stats;
  return { passed: expected, failed: unexpected + flaky, skipped };
}

/** @param {readonly string[]} filters Vitest's own arguments; empty: everything. */
const vitest = (filters) => ({
  name: filters.length === 0 ? "vitest" : `vitest ${filters.join(" ")}`,
  run: () =>
    counted(
      "vitest.json",
      (file) =>
        tool("vitest/vitest.mjs", [
          "run",
          "--reporter=default",
          "--reporter=json",
          `--outputFile.json=${file}`,
          ...filters,
        ]),
      vitestCounts,
    ),
});

/**
 * @param {readonly string[]} filters Given: only vitest runs, with them as its arguments.
 * @returns {Part[]}
 */
export function testParts(filters) {
  if (filters.length > 0) return [vitest(filters)];
  return [
    check("biome", "@biomejs/biome/bin/biome", ["check", "--error-on-warnings"]),
    check("tsc: core", "typescript/bin/tsc", ["-p", "tsconfig.core.json"]),
    check("tsc: ui", "typescript/bin/tsc", ["-p", "tsconfig.ui.json"]),
    check("tsc: tests and scripts", "typescript/bin/tsc", ["-p", "tsconfig.tests.json"]),
    check("knip", "knip/bin/knip.js", []),
    {
      name: "vite build",
      run: async () => {
        const built = await ensureBuilt({ quiet: false });
        if (!built) process.stdout.write("dist/ is up to date.\n");
        return { ok: true };
      },
    },
    vitest([]),
    {
      name: "playwright",
      run: () =>
        counted(
          "playwright.json",
          (file) =>
            tool("@playwright/test/cli.js", ["test", "--reporter=list,json"], { PLAYWRIGHT_JSON_OUTPUT_NAME: file }),
          playwrightCounts,
        ),
    },
    {
      // By itself, because its time is reported.
      name: "the default run",
      run: async () => {
        const ok = await checkDefaultRun();
        return { ok, counts: { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 } };
      },
    },
  ];
}
