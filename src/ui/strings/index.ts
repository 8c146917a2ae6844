/** Every text of the page. Sentences about bad input come from the worker; here is what the page itself says. */
import type { ErrorCode, RunSummary } from "../../worker/protocol";
import { bytes, count, decimal } from "../format";
import { dataStrings } from "./data";
import { deviceStrings } from "./device";
import { frameStrings } from "./frame";
import { keyStrings } from "./keys";
import { libraryStrings } from "./library";
import { modelStrings } from "./model";
import { runStrings } from "./run";
import { settingsStrings } from "./settings";
import { trialStrings } from "./trial";

export const strings = {
  app: {
    name: "Tabtune",
    tagline: "Teach a small language model your own style, on your own GPU, in this tab.",
    skip: "Skip to the content",
    close: "Close",
    loading: "Loading…",
    theme: { label: "Colour scheme", light: "Light", dark: "Dark", auto: "System" },
  },
  device: deviceStrings,
  frame: frameStrings,
  model: modelStrings,
  run: runStrings,
  data: dataStrings,
  train: {
    title: "Train",
    main: {
      sample: "Train the sample",
      own: "Start training",
      noGpu: "Training needs WebGPU",
      probing: "Looking for a GPU…",
      opening: "Opening the model…",
      model: "Choose a model",
      data: "Choose a dataset",
      fixData: "Fix the data first",
      unread: "Read the dataset first",
      reading: "Reading the dataset…",
      answering: "Answering…",
      measuring: "Measuring rows…",
      checking: "Checking the numbers…",
      untrusted: "Training is off: wrong numbers",
      fix: (label: string) => `Fix ${label.toLowerCase()}`,
      stop: "Stop and keep",
      stopping: "Stopping after this step…",
    },
    consequence: (steps: number, tokens: number) =>
      `${count(steps)} ${steps === 1 ? "step" : "steps"} · ${count(tokens)} tokens in the data`,
    few: {
      packed: "Few steps change little: raise the epochs or turn packing off.",
      unpacked: "Few steps change little: raise the epochs.",
      steps: "Few steps change little: raise the steps.",
    },
    memory: (total: number) => `${bytes(total)} of GPU memory`,
    advanced: "Advanced",
    length: "Train for",
    lengthUnit: "Unit of the length",
    unitEpochs: "epochs",
    unitSteps: "steps",
    suggested: (rate: string) => `${rate} suits this model`,
    loss: "Loss",
    rate: "Learning rate",
    norm: "Gradient norm",
    speed: "Tokens/s",
    elapsed: "Elapsed",
    left: "Left",
    step: (step: number, steps: number) => `Step ${count(step)} of ${count(steps)}`,
    phase: {
      preparing: "Preparing",
      training: "Training",
      stopping: "Stopping",
      finished: "Finished",
      stopped: "Stopped and kept",
      failed: "Did not finish",
    },
    stoppedEmpty: "Stopped",
    stoppedEarly: "Stopped before the first step, so there is nothing to keep.",
    result: (name: string) => `Kept in this browser as ${name}.`,
    heldOut: (before: number, after: number) => `Held-out loss ${decimal(before, 3)} → ${decimal(after, 3)}`,
    heldOutBefore: (before: number) => `Held-out loss before: ${decimal(before, 3)}`,
    leftOut: (rows: number) =>
      `${count(rows)} ${rows === 1 ? "row" : "rows"} with a problem ${rows === 1 ? "was" : "were"} left out of the training.`,
    measured: ({ rows, truncatedRows, droppedRows, leftOutRows, sampled }: NonNullable<RunSummary["heldOut"]>) => {
      const parts = [
        ...(sampled ? [`a sample of ${count(rows)} measured`] : []),
        ...(truncatedRows > 0 ? [`${count(truncatedRows)} of ${count(rows)} cut to the max length`] : []),
        ...(droppedRows > 0 ? [`${count(droppedRows)} too long and not measured`] : []),
        ...(leftOutRows > 0 ? [`${count(leftOutRows)} with a problem and not measured`] : []),
      ];
      return parts.length === 0 ? null : `Held-out rows: ${parts.join(", ")}.`;
    },
    tryIt: "Try it",
    announce: (percent: number, loss: number) => `${percent} percent, loss ${decimal(loss, 2)}`,
    nextRun: "Next run",
    settingsOfRun: "Settings of this run",
    flag: { on: "yes", off: "no" },
    memoryName: "GPU memory",
    halve: "Halve the learning rate",
    shorter: "Halve the max length",
    again: "Try again",
  },
  fields: settingsStrings.fields,
  schedules: settingsStrings.schedules,
  settings: settingsStrings,
  trial: trialStrings,
  library: libraryStrings,
  keys: keyStrings,
  errors: {
    title: {
      "bad-input": "This cannot be used as it is",
      gpu: "The GPU refused",
      "out-of-memory": "Not enough GPU memory",
      diverged: "The loss ran away",
      storage: "The browser's storage refused",
      aborted: "Stopped",
      busy: "Something is still running",
      internal: "A fault of our own",
    } satisfies Record<ErrorCode, string>,
    copy: "Copy details",
    copied: "Copied",
    dismiss: "Dismiss",
    retry: "Try again",
    sampleMissing: "The sample dataset did not load; reload the page, or drop a file of your own.",
    tooLong: (label: string, length: number, most: number) =>
      `${label} is ${length}; this model takes at most ${most} tokens.`,
  },
} as const;
