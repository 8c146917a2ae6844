// @ts-check
/** Looks for a Chromium-family browser on this machine and installs one where it can. No dependencies. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { CommandError } from "./errors.mjs";
import { cacheDir, root } from "./paths.mjs";
import { capture, run } from "./process.mjs";

/** WebGPU runs without a window, on a software adapter too, from about here on. */
const oldestVersion = 125;

const names = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "msedge", "microsoft-edge"];

/**
 * Every place to look, in order.
 * @param {NodeJS.Platform} platform
 * @param {NodeJS.ProcessEnv} env
 * @param {string} home
 * @returns {string[]}
 */
export function chromiumCandidates(platform = process.platform, env = process.env, home = os.homedir()) {
  const windows = platform === "win32";
  const { join } = windows ? path.win32 : path.posix;
  const onPath = (env["PATH"] ?? env["Path"] ?? "")
    .split(windows ? ";" : ":")
    .filter((folder) => folder !== "")
    .map((folder) => folder.replace(/^"(.*)"$/, "$1"));
  const programs = windows ? ["chrome.exe", "chromium.exe", "msedge.exe"] : names;
  const candidates = programs.flatMap((name) => onPath.map((folder) => join(folder, name)));
  if (platform === "darwin") {
    for (const folder of ["/Applications", join(home, "Applications")]) {
      for (const name of ["Google Chrome", "Chromium", "Microsoft Edge"]) {
        candidates.push(join(folder, `${name}.app`, "Contents", "MacOS", name));
      }
    }
  } else if (windows) {
    for (const variable of ["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"]) {
      const folder = env[variable];
      if (!folder) continue;
      for (const inside of ["Google\\Chrome", "Chromium", "Microsoft\\Edge"]) {
        const program = inside === "Microsoft\\Edge" ? "msedge.exe" : "chrome.exe";
        candidates.push(join(folder, inside, "Application", program));
      }
    }
  } else {
    candidates.push(
      "/opt/google/chrome/chrome",
      "/usr/lib/chromium/chromium",
      "/opt/microsoft/msedge/msedge",
      "/snap/bin/chromium",
    );
  }
  return candidates;
}

/**
 * Whether the file is a browser that starts here and is new enough. A distribution's place-holder script is not.
 * On Windows asking for the version would open a window, so the file is taken at its word.
 * @param {string} file
 */
export function isUsableChromium(file) {
  if (!isExecutable(file)) return false;
  if (process.platform === "win32") return true;
  const version = /\b(\d+)\.\d+\.\d+/.exec(capture(file, ["--version"]) ?? "");
  return version !== null && Number(version[1]) >= oldestVersion;
}

/** @param {string} file */
function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Where Playwright keeps (or would put) its own Chromium; null where Playwright is not installed. */
async function playwrightChromium() {
  try {
    const entry = path.join(root, "node_modules", "playwright", "index.mjs");
    /** @type {typeof import("playwright")} */
    const { chromium } = await import(pathToFileURL(entry).href);
    return chromium.executablePath();
  } catch {
    return null;
  }
}

const cacheFile = path.join(cacheDir, "chromium-path");

/** The path found last time, or null where it has gone. */
function rememberedChromium() {
  try {
    const file = fs.readFileSync(cacheFile, "utf8");
    return isExecutable(file) ? file : null;
  } catch {
    return null;
  }
}

/**
 * The path of a usable browser, found or installed. Throws `CommandError` where there is no way.
 * @param {(line: string) => void} say
 * @returns {Promise<string>}
 */
export async function findOrInstallChromium(say) {
  const wanted = process.env["CHROMIUM_PATH"];
  if (wanted) {
    if (isUsableChromium(wanted)) return wanted;
    throw new CommandError(
      `CHROMIUM_PATH is ${wanted}, which is not a Chromium-family browser of version ${oldestVersion} or newer that starts here; correct it or unset it.`,
    );
  }
  const remembered = rememberedChromium();
  if (remembered) return remembered;
  const found = await firstUsable(say);
  if (found) {
    fs.mkdirSync(cacheDir, { recursive: true });
    fs.writeFileSync(cacheFile, found);
    return found;
  }
  throw new CommandError(
    "No Chromium-family browser was found and none could be installed: install Google Chrome, Chromium or Edge, or set CHROMIUM_PATH to one, or run `npx playwright install --with-deps chromium` where the network allows it.",
  );
}

/** @param {(line: string) => void} say */
async function firstUsable(say) {
  const installed = () => [...new Set(chromiumCandidates())].find(isUsableChromium);
  const found = installed();
  if (found) return found;
  const own = await playwrightChromium();
  if (own && isUsableChromium(own)) return own;
  if (own) {
    say("No browser found; downloading Playwright's Chromium …");
    const cli = path.join(root, "node_modules", "playwright", "cli.js");
    await run(process.execPath, [cli, "install", "--no-shell", "chromium"], {
      cwd: root,
      env: { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: "15000" },
      timeoutMs: 10 * 60_000,
      // Without a network it tells of every retry, stack traces included.
      stdio: "no-errors",
    });
    if (isUsableChromium(own)) return own;
    say("That did not work.");
  }
  if (process.platform === "linux" && capture("apt-get", ["--version"]) !== null) {
    const prefix = process.getuid?.() === 0 ? [] : capture("sudo", ["-n", "true"]) === null ? null : ["sudo", "-n"];
    if (prefix) {
      say("Installing Debian's chromium with apt-get …");
      await apt(prefix, ["update", "-qq"]);
      await apt(prefix, ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-liberation"]);
      return installed();
    }
  }
  return undefined;
}

/**
 * @param {readonly string[]} prefix
 * @param {readonly string[]} args
 */
function apt(prefix, args) {
  const [program, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
  return run(/** @type {string} */ (program), rest, { timeoutMs: 15 * 60_000 });
}
