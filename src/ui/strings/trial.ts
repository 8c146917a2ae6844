/** The texts of trying a run: prompt, sampling, answers, and the losses of single rows. */
import { count, date, decimal } from "../format";
import type { GpuUser } from "../stores/gpu-user";
import type { RowsSummary, SortKey, Verdict } from "../stores/row-order";
import type { Sampling, SamplingField } from "../stores/sampling-fields";

const rows = (n: number): string => `${count(n)} ${n === 1 ? "row" : "rows"}`;
/** With a true minus, as it stands in a table. */
const signed = (value: number): string => {
  const digits = decimal(Math.abs(value), 3);
  return Math.abs(value) < 5e-4 ? digits : `${value < 0 ? "−" : "+"}${digits}`;
};

const verdicts: Readonly<Record<Verdict, string>> = { better: "better", worse: "worse", same: "the same" };

const fields: Readonly<
  Record<SamplingField, { readonly label: string; readonly hint: string; readonly takes: string }>
> = {
  temperature: {
    label: "Temperature",
    hint: "0 (greedy) to 10 (wild)",
    takes: "a number from 0 to 10",
  },
  topK: {
    label: "Top-k",
    hint: "Likeliest kept: 0 (off) or more",
    takes: "a whole number from 0 to 1000000",
  },
  topP: {
    label: "Top-p",
    hint: "Share kept: above 0 to 1 (off)",
    takes: "a number above 0, up to 1",
  },
  seed: {
    label: "Sampling seed",
    hint: "0 to 4294967295",
    takes: "a whole number from 0 to 4294967295",
  },
};

const given = (chat: boolean): string => (chat ? "as a chat message" : "as plain text");

const columns: Readonly<Record<SortKey, string>> = {
  row: "Row",
  base: "Base loss",
  tuned: "Tuned loss",
  difference: "Difference",
};

export const trialStrings = {
  title: "Try",
  empty:
    "Here the model answers before and after training, side by side, and shows row by row what it learned. That takes a run: train the sample or your own data first.",
  toTrain: "Go to training",
  run: "Run",
  fitting: "For this model",
  others: "For other models, so not to be tried here",
  runLabel: (name: string, dataset: string, created: string) => [name, dataset, date(created)].join(" · "),
  otherLabel: (name: string, model: string) => `${name}, for ${model}`,
  noneFits: "The kept runs are for other models. Train one for this model, and it answers here.",
  noRun: "None fits the open model",

  prompt: "Prompt",
  promptDefault: "How do I make a good cup of tea?",
  examples: "Try a row of your data",
  chat: "As a chat message",
  text: "As plain text",
  baseAsText: "The base model has no chat template and gets the plain text; the tuned one uses its run's.",
  mode: "How the prompt is given",
  strength: "Adapter strength",
  strengthHint: "0 is untouched, 1 as trained",
  length: "Longest answer",

  sampling: {
    title: "Sampling",
    fields,
    wrong: (label: string, typed: string, takes: string) => `${label} is ${typed}; it must be ${takes}.`,
    greedyNote: "At temperature 0 the likeliest token is always taken, so top-k, top-p and the seed play no part.",
    wrongNote: "a number is wrong",
    reset: "Back to greedy",
    told: ({ temperature, topK, topP, seed }: Sampling) =>
      temperature === 0
        ? "greedy"
        : [
            `temperature ${temperature}`,
            ...(topK > 0 ? [`top-k ${topK}`] : []),
            ...(topP < 1 ? [`top-p ${topP}`] : []),
            `seed ${seed}`,
          ].join(", "),
  },

  generate: "Generate both",
  generateBase: "Generate with the base",
  shortcut: "or Ctrl + Enter in the prompt",
  stop: "Stop",
  blocked: {
    model: "Waits for a model to be open.",
    prompt: "Write a prompt first.",
  },
  waits: {
    training: "Waits for the training to end: one thing at a time has the GPU.",
    answering: "Waits for the answers: one thing at a time has the GPU.",
    measuring: "Waits for the rows that are being measured: one thing at a time has the GPU.",
    checking: "Waits for the check of the numbers: one thing at a time has the GPU.",
  } satisfies Readonly<Record<GpuUser, string>>,

  answers: "Answers",
  view: "Show the answers as",
  views: { text: "Text", tokens: "Tokens" },
  base: "Base",
  tunedAs: (name: string, strength: number) =>
    `Tuned: ${name}${strength === 1 ? "" : `, strength ${decimal(strength, 2)}`}`,
  waiting: "Nothing yet.",
  writing: "Writing…",
  nothing: "(no text)",
  speed: (tokens: number, perSecond: number) =>
    `${count(tokens)} ${tokens === 1 ? "token" : "tokens"}, ${decimal(perSecond, perSecond < 10 ? 1 : 0)}/s`,
  cut: "cut at the longest answer",
  aborted: "stopped",
  tokens: {
    later: "The tokens show when the answer is complete.",
    counts: (prompt: number, answer: number) => `${count(prompt)} of the prompt, ${count(answer)} of the answer`,
    one: (piece: string, id: number, answer: boolean) =>
      `“${piece}” · id ${count(id)} · ${answer ? "answer" : "prompt"}`,
    list: (title: string) => `Tokens, ${title}; arrow keys tell each one's id`,
    answer: "answer",
    prompt: "prompt",
    blank: "· is a space, ↵ a line break",
  },

  copy: { answers: "Copy as Markdown", rows: "Copy as Markdown table", copied: "Copied.", byHand: "Copy this by hand" },

  rows: {
    title: "Row by row",
    intro:
      "How well the answers of single rows are expected: by the base model, and by the run at strength 1. The lower the loss, the better. Rows that got worse come first.",
    which: "Rows",
    heldOut: (name: string) => `${name} (held out)`,
    dataset: (name: string) => `${name} (training rows)`,
    heldOutHint: "Held-out rows show what was learned for real.",
    datasetHint: "On rows that it was trained on, a lower loss also measures what was learned by heart.",
    noHeldOut: "Choose held-out rows under Data to see what was learned for real.",
    shareHint: (share: number) =>
      `${Math.round(100 * share)} % of these rows were held out by seed and lie among the others.`,
    most: "At most",
    mostRows: rows,
    measure: "Measure",
    cancel: "Cancel",
    noData: "Choose a dataset under Data first.",
    starting: "Getting ready…",
    phase: (phase: string) => `${phase.charAt(0).toUpperCase()}${phase.slice(1)}…`,
    far: (done: number, total: number) => `${count(done)} of ${rows(total)}`,
    percent: (done: number, total: number) => `${Math.floor((100 * done) / total)} %`,
    stoppedAfter: (n: number) =>
      n === 0 ? "Stopped before the first row was measured." : `Stopped after ${rows(n)}; these stay.`,
    earlier: (run: string, model: string, data: string) =>
      `Measured earlier: run ${run} of ${model} on ${data}. Measure again for what is chosen now.`,
    summary: ({ rows: n, base, tuned, better, worse, same }: RowsSummary) =>
      `${rows(n)}: ${decimal(base, 3)} → ${decimal(tuned, 3)}; ${[
        `better in ${count(better)}`,
        `worse in ${count(worse)}`,
        ...(same > 0 ? [`the same in ${count(same)}`] : []),
      ].join(", ")}`,
    means: "Means over all learned tokens.",
    ofAll: (n: number, total: number) => (n < total ? `The first ${count(n)} of ${rows(total)}.` : null),
    leftOut: (n: number) => (n > 0 ? `${rows(n)} with a problem left out.` : null),
    table: "Loss of each row",
    columns,
    texts: "Prompt → answer",
    prompt: "Prompt",
    answer: "Answer",
    sortedBy: (column: string, descending: boolean) =>
      `Sorted by ${column.toLowerCase()}, ${descending ? "largest" : "smallest"} first`,
    place: (file: string, line: number) => `${file}, line ${count(line)}`,
    line: (line: number) => `line ${count(line)}`,
    cut: "cut to the max length",
    loss: (value: number) => decimal(value, 3),
    difference: signed,
    verdicts,
    noPrompt: "(no prompt)",
    pages: "Pages of measured rows",
    page: (from: number, to: number, total: number) => `${count(from)}–${count(to)} of ${rows(total)}`,
    previous: "Rows before",
    next: "Rows after",
  },

  markdown: {
    title: "Base and tuned",
    prompt: "Prompt",
    model: (name: string) => `- Model: ${name}`,
    run: (name: string, strength: number) => `- Run: ${name}, strength ${decimal(strength, 2)}`,
    given: (base: boolean, tuned: boolean) =>
      `- Prompt: ${base === tuned ? given(base) : `base ${given(base)}, tuned ${given(tuned)}`}`,
    sampling: (sampling: string, most: number) => `- Sampling: ${sampling}, at most ${most} tokens`,
    data: (name: string) => `- Data: ${name}`,
  },
} as const;
