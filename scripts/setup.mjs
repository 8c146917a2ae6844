// @ts-check
/**
 * Makes a checkout ready: Node's version, the packages of package-lock.json and, where asked, a Chromium-family browser.
 * Has no dependencies, says nothing when nothing is to do, and may run in several processes at once.
 * By itself (`node scripts/setup.mjs`) it does all three.
 */
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { CommandError, runCommand } from "./lib/errors.mjs";
import { findOrInstallChromium } from "./lib/find-chromium.mjs";
import { withLock } from "./lib/lock.mjs";
import { root } from "./lib/paths.mjs";
import { npmProgram, run } from "./lib/process.mjs";

const oldestNode = [20, 19];

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/**
 * Throws `CommandError` where this Node is too old.
 * @param {string} version "20.19.0"
 */
export function checkNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = oldestNode;
  if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
    throw new CommandError(
      `Tabtune needs Node ${oldestNode.join(".")} or newer and this is Node ${version}; install a newer one.`,
    );
  }
}

/**
 * Whether node_modules is absent, half installed, or older than the lockfile.
 * @param {string} folder
 */
export function packagesAreStale(folder = root) {
  const modified = (/** @type {string} */ file) =>
    fs.statSync(path.join(folder, file), { throwIfNoEntry: false })?.mtimeMs;
  const installed = modified("node_modules/.package-lock.json");
  const wanted = modified("package-lock.json");
  return installed === undefined || (wanted !== undefined && installed < wanted);
}

async function installPackages() {
  say("Installing packages …");
  const npm = npmProgram();
  const code = await run(npm.program, [...npm.args, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    shell: npm.shell,
  });
  if (code !== 0) throw new CommandError("`npm ci` failed (its messages are above); check the network and try again.");
}

/**
 * Installs what is missing. With `browser`, CHROMIUM_PATH is set for this process and its children afterwards.
 * @param {{ browser?: boolean }} [needs]
 */
export async function setup({ browser = false } = {}) {
  checkNode();
  const onWait = (/** @type {number} */ owner) => say(`Waiting for process ${owner}, which is installing …`);
  if (packagesAreStale()) {
    await withLock("setup", async () => (packagesAreStale() ? installPackages() : undefined), { onWait });
  }
  if (browser) {
    process.env["CHROMIUM_PATH"] = await withLock("browser", () => findOrInstallChromium(say), { onWait });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  await runCommand(async () => {
    await setup({ browser: true });
    say(`Ready: Node ${process.versions.node}, packages, ${process.env["CHROMIUM_PATH"]}.`);
  });
}
