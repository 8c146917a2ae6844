// @ts-check
/**
 * What the default training makes of each sample dataset, as a Markdown table on stdout (`--json FILE`: everything, every
 * answer too): the held-out loss before and after, and greedy answers to held-out prompts by the base and the tuned model.
 * Uses the built studio in a headless browser, as `npm run finetune` does. `node scripts/model/measure-samples.mjs`.
 */
import fs from "node:fs";
import path from "node:path";
import { CommandError, runCommand } from "../lib/errors.mjs";
import { modelInput, openModel } from "../lib/inputs.mjs";
import { onInterrupt } from "../lib/interrupt.mjs";
import { finetuneOptions, parseOptions, recipeFields } from "../lib/options.mjs";
import { root } from "../lib/paths.mjs";
import { progressLine, trainingProgress } from "../lib/progress.mjs";
import { setup } from "../setup.mjs";
import { readPairs, samples, scoreAnswers } from "./sample-rows.mjs";

/** @typedef {{ prompt: string, expected: string, base: string, tuned: string }} Answer */
/** @typedef {Awaited<ReturnType<typeof measure>>} Measured */

const personaExamples = 3;

const help = `Measures the default training on each sample dataset.

Usage: node scripts/model/measure-samples.mjs [options]

  --json FILE      where the whole result goes
  --model DIR      model folder; the embedded tabtune-tiny where absent
  --datasets DIR   folder of the sample files; public/datasets where absent
  --only LIST      some of ${samples.map(({ name }) => name).join(",")}
  --epochs N, --lr N, --max-length N, … every training setting of npm run finetune; the defaults where absent
`;

/** @type {import("../lib/options.mjs").OptionTable} */
const options = {
  ...Object.fromEntries(Object.entries(finetuneOptions).filter(([, { field }]) => field !== undefined)),
  json: { type: "text", value: "FILE", help: "" },
  model: { type: "text", value: "DIR", help: "" },
  datasets: { type: "text", value: "DIR", help: "" },
  only: { type: "text", value: "LIST", help: "" },
};

await runCommand(async () => {
  const values = parseOptions(process.argv.slice(2), options);
  if (values === null) {
    process.stdout.write(help);
    return;
  }
  const chosen = chosenSamples(values["only"]);
  const folder = path.resolve(String(values["datasets"] ?? path.join(root, "public", "datasets")));
  const model = modelInput(values);
  const settings = recipeFields(values);
  await setup({ browser: true });
  const { completeRecipe } = await import("../lib/recipe.mjs");
  const recipe = await completeRecipe(settings);
  const { openStudio } = await import("../lib/studio.mjs");
  const line = progressLine();
  /** @type {ReturnType<typeof trainingProgress> | null} */
  let progress = null;
  const studio = await openStudio({
    onEvent(event) {
      if (!("kind" in event) || progress === null) return;
      if (event.kind === "start") progress.start();
      else if (event.kind === "step") progress.step(event);
    },
  });
  let stopped = false;
  const stopListening = onInterrupt(() => {
    stopped = true;
    studio.call("stop").catch(() => {});
  });
  try {
    const device = await studio.call("device");
    await openModel(studio, model);
    /** @type {Measured[]} */
    const measured = [];
    for (const sample of chosen) {
      line.say(`${sample.name} …`);
      progress = trainingProgress(line);
      measured.push(await measure(studio, sample, folder, recipe, () => stopped));
    }
    line.end();
    if (typeof values["json"] === "string") {
      const content = { model: model.name, device: device.name, settings, samples: measured };
      fs.mkdirSync(path.dirname(path.resolve(values["json"])), { recursive: true });
      fs.writeFileSync(values["json"], `${JSON.stringify(content, null, 2)}\n`);
    }
    process.stdout.write(`${table(measured)}\n${examples(measured)}`);
  } finally {
    line.end();
    stopListening();
    await studio.close();
  }
});

/** @param {import("../lib/options.mjs").Values[string] | undefined} only */
function chosenSamples(only) {
  if (only === undefined) return samples;
  return String(only)
    .split(",")
    .map((name) => {
      const found = samples.find((sample) => sample.name === name);
      if (found) return found;
      throw new CommandError(`--only ${name}: known are ${samples.map((sample) => sample.name).join(", ")}.`, 2);
    });
}

/**
 * @param {import("../lib/studio.mjs").Studio} studio
 * @param {import("./sample-rows.mjs").Sample} sample
 * @param {string} folder
 * @param {import("../../src/ui/headless").FinetuneRequest["recipe"]} recipe
 * @param {() => boolean} wasStopped
 */
async function measure(studio, { name, kind, train, heldOut, maxNewTokens }, folder, recipe, wasStopped) {
  const rows = (/** @type {string} */ file) => readPairs(fs.readFileSync(path.join(folder, file), "utf8"), file);
  const trainRows = rows(train).length;
  const pairs = rows(heldOut);
  const stopIfAsked = () => {
    if (wasStopped()) throw new CommandError("Stopped before all samples were measured.");
  };
  await studio.giveFiles("data", [path.join(folder, train)]);
  await studio.giveFiles("eval", [path.join(folder, heldOut)]);
  // As `npm run finetune` does: the look fits the max length to the rows.
  await studio.call("inspect", { recipe, data: "data", evalData: "eval" });
  const run = await studio.call("finetune", { recipe, data: "data", evalData: "eval", initAdapter: null });
  stopIfAsked();
  const asked = kind === "persona" ? pairs.slice(0, personaExamples) : pairs;
  /** @type {Answer[]} */
  const answers = [];
  for (const { prompt, answer } of asked) {
    /** @param {string | null} id */
    const ask = async (id) => {
      const request = { strength: 1, maxNewTokens, temperature: 0, topK: 0, topP: 1, seed: 42 };
      const { text } = await studio.call("generate", {
        ...request,
        run: id,
        prompt: [{ role: "user", content: prompt }],
      });
      stopIfAsked();
      return text;
    };
    answers.push({ prompt, expected: answer, base: await ask(null), tuned: await ask(run.id) });
  }
  const score = (/** @type {"base" | "tuned"} */ by) =>
    scoreAnswers(
      kind,
      answers.map((answer) => ({ expected: answer.expected, given: answer[by] })),
    );
  return {
    name,
    kind,
    trainRows,
    heldOutRows: pairs.length,
    steps: run.steps,
    tokens: run.tokens,
    minutes: run.milliseconds / 60_000,
    recipe: run.recipe,
    loss: { before: run.evalBefore, after: run.evalAfter },
    score: { before: score("base"), after: score("tuned") },
    answers,
  };
}

/** @param {readonly Measured[]} measured */
function table(measured) {
  const loss = (/** @type {number | null} */ value) => value?.toFixed(3) ?? "–";
  const share = (/** @type {number} */ value) => `${(100 * value).toFixed(1)} %`;
  const rows = measured.map(
    ({ name, kind, trainRows, heldOutRows, steps, minutes, loss: { before, after }, score }) => {
      const scores = [];
      if (score.before && score.after) {
        if (score.before.valid !== null && score.after.valid !== null)
          scores.push(`valid JSON with the right keys ${share(score.before.valid)} → ${share(score.after.valid)}`);
        scores.push(
          `${kind === "labels" ? "accuracy" : "right object"} ${share(score.before.right)} → ${share(score.after.right)}`,
        );
      }
      const sizes = [trainRows, heldOutRows, steps, minutes.toFixed(1)];
      return [name, ...sizes, loss(before), loss(after), scores.join("; ") || "–"].join(" | ");
    },
  );
  return [
    "| sample | training rows | held-out rows | steps | minutes | loss before | loss after | held-out answers, base → tuned |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ...rows.map((row) => `| ${row} |`),
    "",
  ].join("\n");
}

/**
 * The first held-out answers of every sample, unedited.
 * @param {readonly Measured[]} measured
 */
function examples(measured) {
  const cell = (/** @type {string} */ text) => text.replaceAll("\n", " ").replaceAll("|", "\\|").trim();
  const rows = measured.flatMap(({ name, answers }) =>
    answers
      .slice(0, personaExamples)
      .map(({ prompt, base, tuned }) => `| ${name} | ${[prompt, base, tuned].map(cell).join(" | ")} |`),
  );
  return ["| sample | held-out prompt | base | tuned |", "| --- | --- | --- | --- |", ...rows, ""].join("\n");
}
