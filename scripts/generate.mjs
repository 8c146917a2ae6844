// @ts-check
/** `npm run generate`: prints what the model, with or without an adapter, says to a prompt. */
import { CommandError, runCommand } from "./lib/errors.mjs";
import { adapterInput, modelInput, openAdapter, openModel } from "./lib/inputs.mjs";
import { onInterrupt } from "./lib/interrupt.mjs";
import { generateOptions, numberIn, parseOptions, usage } from "./lib/options.mjs";
import { progressLine } from "./lib/progress.mjs";
import { setup } from "./setup.mjs";

await runCommand(async () => {
  const values = parseOptions(process.argv.slice(2), generateOptions);
  if (values === null) {
    process.stdout.write(usage("generate", "Prints what a model says to a prompt.", generateOptions));
    return;
  }
  const { prompt } = values;
  if (typeof prompt !== "string" || prompt === "")
    throw new CommandError("--prompt is missing; give the text to answer.", 2);
  const request = {
    strength: 1,
    maxNewTokens: numberIn(values, "max-new-tokens", { initial: 128, min: 1, max: 1e6 }),
    temperature: numberIn(values, "temperature", { initial: 0, min: 0, max: 100, whole: false }),
    topK: 0,
    topP: 1,
    seed: numberIn(values, "seed", { initial: 42, min: 0, max: 0xffffffff }),
  };
  const model = modelInput(values);
  const adapter = adapterInput(values, "adapter");
  await setup({ browser: true });
  const { openStudio } = await import("./lib/studio.mjs");
  const line = progressLine();
  const studio = await openStudio({
    onEvent(event) {
      if ("text" in event) process.stdout.write(event.text);
      else if ("phase" in event && process.stderr.isTTY) line.show(event.phase);
    },
  });
  const stopListening = onInterrupt(() => studio.call("stop").catch(() => {}));
  try {
    const { hasChatTemplate } = await openModel(studio, model);
    const run = await openAdapter(studio, adapter);
    line.end();
    await studio.call("generate", {
      ...request,
      run,
      prompt: hasChatTemplate ? [{ role: "user", content: prompt }] : prompt,
    });
    process.stdout.write("\n");
  } finally {
    stopListening();
    await studio.close();
  }
});
