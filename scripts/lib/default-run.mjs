// @ts-check
/** The promise that one command makes: an adapter from the embedded model and the sample, in minutes, without a GPU. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { root } from "./paths.mjs";
import { runForOutput } from "./process.mjs";

/** What two idle cores without a GPU stay under. A busy machine may not, so going over is said and is no failure. */
const expectedSeconds = 180;

/**
 * What is wrong with the outcome of `npm run finetune` without options; nothing where all is well.
 * @param {{ code: number, json: string }} outcome
 */
export function defaultRunFaults({ code, json }) {
  if (code !== 0) return [`finetune ended with exit code ${code}.`];
  const { eval_before, eval_after, state } = JSON.parse(json);
  const faults = [];
  if (state !== "finished") faults.push(`The run ended as "${state}".`);
  if (typeof eval_after !== "number" || !(eval_after < eval_before))
    faults.push(`The held-out loss went from ${eval_before} to ${eval_after}; it has to fall.`);
  return faults;
}

/** @returns {Promise<boolean>} */
export async function checkDefaultRun() {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "tabtune-default-"));
  try {
    const start = Date.now();
    const script = path.join(root, "scripts", "finetune.mjs");
    const { code, stdout } = await runForOutput(
      process.execPath,
      [script, "--json", "--out", path.join(temporary, "out")],
      {
        env: { TABTUNE_GPU: "off" },
      },
    );
    const json = stdout.trim().split("\n").at(-1) ?? "";
    const seconds = (Date.now() - start) / 1000;
    const faults = defaultRunFaults({ code, json });
    const slow =
      seconds > expectedSeconds ? `; TOO SLOW for two idle cores, which need less than ${expectedSeconds} s` : "";
    process.stdout.write(`${[json, `The whole command took ${seconds.toFixed(0)} s${slow}.`, ...faults].join("\n")}\n`);
    return faults.length === 0;
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}
