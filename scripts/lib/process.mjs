// @ts-check
/** Starting other programs. No dependencies. */
import { spawn, spawnSync } from "node:child_process";

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, shell?: boolean, stdio?: "stderr" | "inherit" | "no-errors" }} [options]
 *   stdio: where the program's output goes: all to our stderr, each to its own, or its stdout to our stderr and its
 *   stderr nowhere.
 * @returns {Promise<number>} The exit code; 127 where the program cannot be started, 124 where it ran past the limit.
 */
export function run(program, args, { cwd, env, timeoutMs, shell = false, stdio = "stderr" } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      shell,
      stdio: ["ignore", stdio === "inherit" ? "inherit" : 2, stdio === "no-errors" ? "ignore" : "inherit"],
    });
    let timedOut = false;
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill("SIGKILL");
          }, timeoutMs);
    child.on("error", () => resolve(127));
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve(timedOut ? 124 : (code ?? 1));
    });
  });
}

/**
 * Runs a program to its end with its stderr on ours, and gives what it printed.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, stdout: string }>}
 */
export function runForOutput(program, args, { env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.on("error", () => resolve({ code: 127, stdout }));
    child.on("close", (code) => resolve({ code: code ?? 1, stdout }));
  });
}

/**
 * What a short-lived program prints, or null where it fails.
 * @param {string} program
 * @param {readonly string[]} args
 */
export function capture(program, args, timeoutMs = 15_000) {
  const result = spawnSync(program, args, {
    encoding: "utf8",
    timeout: timeoutMs,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return result.status === 0 ? result.stdout.trim() : null;
}

/**
 * How to call npm: the one that runs us, or the one on the PATH (a .cmd file on Windows, which needs a shell).
 * @returns {{ program: string, args: readonly string[], shell: boolean }}
 */
export function npmProgram() {
  const cli = process.env["npm_execpath"];
  if (cli && /npm-cli\.c?js$/.test(cli)) return { program: process.execPath, args: [cli], shell: false };
  return { program: "npm", args: [], shell: process.platform === "win32" };
}
