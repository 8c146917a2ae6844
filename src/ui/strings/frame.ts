/** The texts of the page's frame: the steps, where it opens, and the bar with the main button. */
import { bytes, count, decimal, duration } from "../format";
import type { Step } from "../stores/route";

const rows = (value: number): string => `${count(value)} ${value === 1 ? "row" : "rows"}`;

export const frameStrings = {
  steps: "Steps",
  titles: {
    start: "Start",
    model: "Model",
    data: "Data",
    train: "Train",
    try: "Try",
    library: "Library",
  } satisfies Readonly<Record<Step, string>>,
  windowTitle: (step: string, percent: number | null) =>
    percent === null ? `${step} · Tabtune` : `${percent} % · ${step} · Tabtune`,
  marks: { done: "ready", busy: "at work", wrong: "needs attention", open: "" },
  model: {
    opening: "Opening…",
    downloading: (percent: number) => `Downloading, ${percent} %`,
    failed: "Did not open",
    noGpu: "Needs WebGPU",
    untrusted: "Wrong numbers",
    chosen: "Chosen, not open yet",
  },
  data: {
    none: "None chosen",
    reading: "Reading…",
    failed: "Cannot be read",
    stopped: "Not read to the end",
    waiting: "Waits for the model",
    unmapped: "Which column is what?",
    refused: "Has problems",
    rows: (name: string, value: number) => `${name}, ${rows(value)}`,
  },
  train: {
    wrong: (label: string) => `${label} is wrong`,
    tooLarge: "Does not fit",
    set: (preset: string, steps: number) => (steps > 0 ? `${preset}, ${count(steps)} steps` : preset),
    step: (step: number, steps: number) => `Step ${count(step)} of ${count(steps)}`,
  },
  tryOut: {
    none: "After a run",
    answering: "Answering…",
    measuring: "Measuring rows…",
    noneFits: "No run for this model",
  },
  library: { none: "No runs yet", runs: (value: number) => `${count(value)} ${value === 1 ? "run" : "runs"}` },
  broken:
    "This step could not be shown: its file did not arrive, or it met an error. Kept runs are safe; a run under way goes on, so reload when it has ended.",
  windowBroken: "That window could not be fetched. Reload the page when no run is under way.",
  dock: "Start or stop training",
  next: (step: string) => `Next: ${step}`,
  live: "See the run",
  runLine: (step: number, steps: number, loss: number | undefined, left: number | null) =>
    [
      `Step ${count(step)} of ${count(steps)}`,
      ...(loss === undefined ? [] : [`loss ${decimal(loss, 3)}`]),
      ...(left === null ? [] : [`${duration(left)} left`]),
    ].join(" · "),
  start: {
    title: "Teach a small language model your own style",
    lead: "Give it examples, press one button, and compare what it says before and after. It learns in this tab, on your own GPU: nothing to install, no account.",
    chosen: "What is chosen",
    change: "Change",
    changeOf: (step: string) => ` ${step.toLowerCase()}`,
    settings: "Settings",
    minutes: (milliseconds: number) =>
      milliseconds < 90_000
        ? `about ${count(Math.ceil(milliseconds / 5000) * 5)} seconds`
        : milliseconds < 5_400_000
          ? `about ${count(Math.round(milliseconds / 60_000))} minutes`
          : `about ${decimal(milliseconds / 3_600_000, 1)} hours`,
    measuring: "Measuring how long it takes…",
    unmeasured: "The time shows once it is measured",
    memory: (total: number) => `${bytes(total)} of GPU memory`,
    noDownload: "nothing more to download",
    own: "Or begin with your own data",
    running: "A run is under way",
    kept: (name: string) => `Kept last: ${name}.`,
    tryIt: "Try it",
    all: "All runs",
    gpu: "GPU",
    gpuFigures: (largest: number, software: boolean, halves: boolean) =>
      [
        ...(software ? ["software, slow"] : []),
        `buffers up to ${bytes(largest)}`,
        halves ? "16-bit numbers" : "32-bit numbers only",
      ].join(", "),
    modelFigures: (parameters: string, form: string) => `${parameters} parameters, ${form}`,
    dataFigures: (value: number, tokens: number) => `${rows(value)}, ${count(tokens)} tokens`,
    settingsFigures: (steps: number, tokens: number) => `${count(steps)} steps, ${count(tokens)} tokens in all`,
  },
} as const;
