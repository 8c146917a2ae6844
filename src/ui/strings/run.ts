/** The texts of a run under way: charts, warnings, sample answers. */
import type { Warning } from "../charts/warnings";
import { count, decimal } from "../format";

const steps = (n: number): string => `${count(n)} ${n === 1 ? "step" : "steps"}`;

interface Told {
  readonly title: string;
  readonly cause: string;
  readonly remedy: string;
}

function told(warning: Warning): Told {
  switch (warning.kind) {
    case "not-finite":
      return {
        title: `The loss or its gradient stopped being a number at step ${count(warning.step)}`,
        cause:
          "Most often the learning rate is too high; else the data or the adapter that it started from is at fault.",
        remedy: "The steps before it are kept. Start again with half the learning rate.",
      };
    case "rising":
      return {
        title: `The loss rises: ${decimal(warning.from, 2)} at its best, ${decimal(warning.to, 2)} now`,
        cause: "Most often the learning rate is too high, or harder rows come last because shuffling is off.",
        remedy: "Stop and start again with half the learning rate or more warm-up steps.",
      };
    case "spikes":
      return {
        title: `${warning.count === 1 ? "A gradient spike" : `${count(warning.count)} gradient spikes`}: norm ${decimal(warning.norm, 2)} at step ${count(warning.step)}, usually ${decimal(warning.usual, 2)}`,
        cause: "A row unlike the others, a very short one for example, or a learning rate at its limit.",
        remedy:
          "One spike does little harm under a gradient clip; if they return, lower the rate or raise the batch size.",
      };
    case "overfitting":
      return {
        title: `Over-fitting: the held-out loss rose from ${decimal(warning.best, 3)} to ${decimal(warning.last, 3)} while the training loss fell`,
        cause: "The model learns the rows by heart instead of what they have in common.",
        remedy: `Train shorter (it was best at step ${count(warning.step)}), add rows, or lower the rank or the learning rate.`,
      };
    case "flat":
      return {
        title: `Nothing is learned so far: the loss stays at ${decimal(warning.loss, 2)} after ${steps(warning.step)}`,
        cause: "The learning rate is too low, or the model knows these rows already.",
        remedy:
          "Start again with a learning rate five times as high, and look at the tokens that count in the data step.",
      };
    default:
      return warning satisfies never;
  }
}

export const runStrings = {
  charts: {
    loss: "Loss by step",
    rate: "Learning rate",
    norm: "Gradient norm",
    speed: "Tokens/s",
    raw: "each step",
    smooth: "smoothed",
    heldOut: "held-out",
    empty: "The loss is drawn here from the first step on.",
    reader: "Reading line",
    above: (n: number) => (n === 1 ? "1 point lies above" : `${count(n)} points lie above`),
    marked: (n: number) => (n === 1 ? "× no number" : `× ${count(n)} times no number`),
    at: (step: number) => `Step ${count(step)}`,
    value: (name: string, value: string) => `${name} ${value}`,
    noNumber: "no number",
  },
  controls: {
    title: "How the charts are drawn",
    smoothing: "Smoothing",
    log: "Log scale",
    clip: "Clip outliers",
    window: "Show",
    all: "All of the run",
    last: (n: number) => `Last ${steps(n)}`,
    reset: "Reset",
  },
  table: {
    summary: "Numbers as a table",
    caption: (stride: number) =>
      stride === 1 ? "Every step of the run" : `Every ${count(stride)} steps of the run, and the last`,
    columns: ["Step", "Loss", "Smoothed", "Held-out loss", "Learning rate", "Gradient norm", "Tokens/s"],
    copy: "Copy all steps",
    copied: "Copied",
    empty: "No step is finished yet.",
  },
  warnings: {
    title: "Worth a look",
    told,
    announce: (warning: Warning) => `Warning: ${told(warning).title}.`,
  },
  samples: {
    title: "Sample answers",
    before: "Before training",
    step: (step: number) => `After ${steps(step)}`,
    waiting: "The first answers come before the first step.",
    region: (question: string) => `Answers to “${question.slice(0, 60)}”, by step`,
    nothing: "(no text)",
    same: "the same words as before",
    skipped: "No more sample answers in this run; the training goes on as before.",
  },
  questions: {
    title: "Questions to ask while it trains",
    hint: "The model answers them before the first step and now and then on the way, so that you see what it learns. Leave them empty for none.",
    label: (index: number) => `Question ${index + 1}`,
    every: "Ask",
    quarters: "At the start, each quarter and the end",
    each: (n: number) => `At the start and every ${count(n)} steps`,
    fromData: "Taken from the first rows of the dataset.",
    reset: "Take them from the dataset",
  },
  stopKeeps: "Stopping keeps what it has learned so far.",
  nothingKept: "No step was finished, so there is nothing to keep.",
} as const;
