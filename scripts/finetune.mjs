// @ts-check
/** `npm run finetune`: trains a LoRA adapter with the built studio in a headless browser. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { dataName, dataNotes, dataOptions, filesInput, heldOutNote } from "./lib/data.mjs";
import { CommandError, runCommand } from "./lib/errors.mjs";
import { adapterInput, modelInput, openModel, sampleData, sampleEvalData } from "./lib/inputs.mjs";
import { onInterrupt } from "./lib/interrupt.mjs";
import { finetuneOptions, parseOptions, recipeFields, usage } from "./lib/options.mjs";
import { formatDuration, progressLine, trainingProgress } from "./lib/progress.mjs";
import { discardRunFolder, makeRunFolder, openLog, unpackAdapter } from "./lib/run-folder.mjs";
import { setup } from "./setup.mjs";

/** Tokens of the first row whose logits `--probe` writes. */
const probeTokens = 48;

await runCommand(async () => {
  const values = parseOptions(process.argv.slice(2), finetuneOptions);
  if (values === null) {
    process.stdout.write(usage("finetune", "Trains a LoRA adapter on this machine.", finetuneOptions));
    return;
  }
  const fields = recipeFields(values);
  const own = ["rank", "alpha", "targets", "rslora"].find(
    (option) => values[option] !== undefined && values[option] !== false,
  );
  if (values["init-adapter"] !== undefined && own !== undefined) {
    throw new CommandError(`--${own} cannot go with --init-adapter: the adapter brings its own; leave it out.`, 2);
  }
  const model = modelInput(values);
  const data = filesInput(values, "data", [sampleData]);
  const ownHeldOut = values["data"] !== undefined || values["eval-share"] !== undefined;
  const evalData = filesInput(values, "eval", ownHeldOut ? null : [sampleEvalData]);
  const initAdapter = adapterInput(values, "init-adapter");
  await setup({ browser: true });
  const { completeRecipe } = await import("./lib/recipe.mjs");
  const recipe = await completeRecipe(fields);
  const options = await dataOptions(values);
  const wish = values["out"] === undefined ? undefined : String(values["out"]);
  const folder = makeRunFolder(wish, `${model.name}-${dataName(data)}`);
  try {
    const summary = await train({
      model,
      data,
      evalData,
      options,
      initAdapter,
      recipe,
      folder,
      probe: values["probe"],
    });
    if (values["json"]) process.stdout.write(`${JSON.stringify(summary)}\n`);
    else process.stdout.write(`${path.relative(process.cwd(), folder) || "."}\n`);
  } finally {
    discardRunFolder(folder);
  }
});

/**
 * @param {{
 *   model: import("./lib/inputs.mjs").ModelInput,
 *   data: readonly string[],
 *   evalData: readonly string[] | null,
 *   options: import("./lib/data.mjs").DataOptions,
 *   initAdapter: readonly string[] | null,
 *   recipe: import("../src/ui/headless").FinetuneRequest["recipe"],
 *   folder: string,
 *   probe: import("./lib/options.mjs").Values[string] | undefined,
 * }} work
 */
async function train({ model, data, evalData, options, initAdapter, recipe, folder, probe }) {
  const { openStudio } = await import("./lib/studio.mjs");
  const line = progressLine();
  const progress = trainingProgress(line);
  const log = openLog(folder);
  const studio = await openStudio({
    onEvent(event) {
      if ("phase" in event) progress.phase(event);
      if (!("kind" in event)) return;
      if (event.kind === "progress") progress.phase(event.progress);
      else if (event.kind === "head") return;
      else if (event.kind === "start") {
        line.say(
          `Training ${event.trainableParameters.toLocaleString("en")} parameters for ${event.steps} ${event.steps === 1 ? "step" : "steps"}.`,
        );
        progress.start();
      } else if (event.kind === "step") {
        log.step(event);
        progress.step(event);
      } else if (event.kind === "eval") line.say(`held-out loss ${event.loss.toFixed(4)} at step ${event.step}`);
    },
  });
  const stopListening = onInterrupt(() => {
    line.say("Stopping (Ctrl-C again ends at once) …");
    studio.call("stop").catch(() => {});
  });
  const started = Date.now();
  try {
    const device = await studio.call("device");
    line.say(`${device.name}${device.isFallback ? ", a software adapter: slow" : ""}`);
    await openModel(studio, model);
    await studio.giveFiles("data", data);
    if (evalData !== null) await studio.giveFiles("eval", evalData);
    if (initAdapter !== null) await studio.giveFiles("init-adapter", initAdapter);
    const heldOut = evalData === null ? null : "eval";
    const info = await studio.call("inspect", { recipe, data: "data", options, evalData: heldOut });
    for (const note of dataNotes(info)) line.say(note);
    if (info.refusal !== null) throw new CommandError(info.refusal, 2);
    const run = await studio.call("finetune", {
      recipe,
      data: "data",
      options,
      evalData: heldOut,
      initAdapter: initAdapter === null ? null : "init-adapter",
    });
    line.end();
    await saveAdapter(studio, run.id, folder);
    if (typeof probe === "string") await saveProbe(studio, run.id, options, path.resolve(probe));
    if (run.leftOutRows) line.say(`${run.leftOutRows} rows had problems and were left out.`);
    const cut = run.heldOut ? heldOutNote(run.heldOut, run.recipe.maxLength) : null;
    if (cut !== null) line.say(cut);
    const seconds = (Date.now() - started) / 1000;
    line.say(
      `${run.state === "stopped" ? "Stopped" : "Finished"} after ${run.steps} ${run.steps === 1 ? "step" : "steps"}, ${formatDuration(seconds)}: ${folder}`,
    );
    return {
      model: model.folder ?? model.name,
      data: data.length === 1 ? data[0] : data,
      state: run.state,
      steps: run.steps,
      first_loss: run.losses[0] ?? null,
      final_loss: run.losses.at(-1) ?? null,
      eval_before: run.evalBefore,
      eval_after: run.evalAfter,
      tokens: run.tokens,
      seconds,
      out: folder,
      recipe: run.recipe,
    };
  } finally {
    line.end();
    stopListening();
    await studio.close();
  }
}

/**
 * @param {import("./lib/studio.mjs").Studio} studio
 * @param {string} run
 * @param {string} folder
 */
async function saveAdapter(studio, run, folder) {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "tabtune-"));
  try {
    const zip = path.join(temporary, "adapter.zip");
    await studio.saveDownload(() => studio.call("exportAdapter", { run }), zip);
    await unpackAdapter(zip, folder);
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Token ids and the tuned model's logits over them, for a comparison with PEFT: FILE is JSON, its numbers lie beside it.
 * @param {import("./lib/studio.mjs").Studio} studio
 * @param {string} run
 * @param {import("./lib/data.mjs").DataOptions} options
 * @param {string} file
 */
async function saveProbe(studio, run, options, file) {
  const numbers = `${path.parse(file).name}.bin`;
  /** @type {import("./lib/studio.mjs").Result<"probe"> | null} */
  let probe = null;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  await studio.saveDownload(
    async () => {
      probe = await studio.call("probe", { data: "data", options, run, tokens: probeTokens });
    },
    path.join(path.dirname(file), numbers),
  );
  if (probe === null) throw new CommandError("The studio gave no logits to compare.");
  const { ids, vocabSize } = /** @type {import("./lib/studio.mjs").Result<"probe">} */ (probe);
  const content = { input_ids: ids, logits_file: numbers, shape: [ids.length, vocabSize] };
  fs.writeFileSync(file, `${JSON.stringify(content)}\n`);
}
