// @ts-check
/** `npm run evaluate`: the loss of a model, with or without an adapter, on a dataset. */
import { dataOptions, filesInput } from "./lib/data.mjs";
import { runCommand } from "./lib/errors.mjs";
import { adapterInput, modelInput, openAdapter, openModel, sampleEvalData } from "./lib/inputs.mjs";
import { onInterrupt } from "./lib/interrupt.mjs";
import { evaluateOptions, numberIn, parseOptions, usage } from "./lib/options.mjs";
import { progressLine, trainingProgress } from "./lib/progress.mjs";
import { setup } from "./setup.mjs";

await runCommand(async () => {
  const values = parseOptions(process.argv.slice(2), evaluateOptions);
  if (values === null) {
    const summary = "Prints the token-weighted loss, the perplexity and the counted tokens of a dataset.";
    process.stdout.write(usage("evaluate", summary, evaluateOptions));
    return;
  }
  const maxLengthUpTo = (/** @type {number} */ max) =>
    numberIn(values, "max-length", { initial: Math.min(512, max), min: 2, max });
  maxLengthUpTo(1048576);
  const model = modelInput(values);
  const data = filesInput(values, "data", [sampleEvalData]);
  const adapter = adapterInput(values, "adapter");
  await setup({ browser: true });
  const options = await dataOptions(values);
  const { openStudio } = await import("./lib/studio.mjs");
  const line = progressLine();
  const progress = trainingProgress(line);
  const studio = await openStudio({
    onEvent(event) {
      if ("phase" in event) progress.phase(event);
    },
  });
  const stopListening = onInterrupt(() => studio.call("stop").catch(() => {}));
  try {
    const maxLength = maxLengthUpTo((await openModel(studio, model)).maxPositions);
    const run = await openAdapter(studio, adapter);
    await studio.giveFiles("data", data);
    const summary = await studio.call("evaluate", { data: "data", options, maxLength, run });
    const { loss, perplexity, countedTokens, rows, truncatedRows, leftOutRows } = summary;
    line.end();
    if (truncatedRows > 0) {
      process.stderr.write(`${truncatedRows} rows were longer than ${maxLength} tokens and lost their end.\n`);
    }
    if (leftOutRows > 0) process.stderr.write(`${leftOutRows} rows had problems and were left out.\n`);
    process.stdout.write(
      values["json"]
        ? `${JSON.stringify({ model: model.folder ?? model.name, data: data.length === 1 ? data[0] : data, adapter: values["adapter"] ?? null, loss, perplexity, counted_tokens: countedTokens, rows, truncated_rows: truncatedRows })}\n`
        : `loss ${loss.toFixed(6)}\nperplexity ${perplexity.toFixed(4)}\ncounted tokens ${countedTokens}\n`,
    );
  } finally {
    line.end();
    stopListening();
    await studio.close();
  }
});
