/** The texts of the data step. Sentences about single rows and files come from the worker. */
import type { Calls, DataOptions, ProblemKind } from "../../worker/protocol";
import { bytes, count, percent } from "../format";

const rows = (n: number): string => `${count(n)} ${n === 1 ? "row" : "rows"}`;

const heldOutRows = (n: number): string => `${count(n)} held-out ${n === 1 ? "row" : "rows"}`;
const aboutRows = (n: number, exact: boolean): string => (exact ? rows(n) : `about ${rows(n)}`);

function skipRows(n: number, exact: boolean): string {
  if (!exact) return `Skip all such rows (about ${count(n)})`;
  return `Skip ${n === 1 ? "this row" : `these ${count(n)} rows`}`;
}

type Compared = Pick<Calls["overlap"]["out"], "rows" | "exact" | "comparedRows">;

const looksBetter = ": the held-out loss will look better than it is.";

const problemTitles: Readonly<Record<ProblemKind, string>> = {
  file: "Files that cannot be read",
  syntax: "Lines that cannot be parsed",
  encoding: "Broken characters",
  shape: "Columns that fit no known shape",
  field: "Wrong values",
  empty: "Empty texts",
  "no-answer": "No answer to learn from",
  template: "Refused by the chat template",
  "no-end": "Answers that never learn to stop",
  "too-long": "Longer than the max length",
  "nothing-counted": "Nothing left to learn",
  "unknown-token": "Tokens that the model does not have",
};

const lossOn: Readonly<Record<DataOptions["lossOn"], { readonly label: string; readonly hint: string }>> = {
  assistant: { label: "Every answer", hint: "All turns of the assistant; questions are context." },
  last: { label: "The last answer", hint: "Earlier answers of a chat are context too." },
  completion: { label: "Completions", hint: "What follows the prompt; of a chat, the last answer." },
  all: { label: "Everything", hint: "Questions and system texts are learned as well." },
};

const tooLong: Readonly<
  Record<
    DataOptions["tooLong"],
    { readonly label: string; readonly hint: string; readonly outcome: (n: number) => string }
  >
> = {
  "truncate-right": {
    label: "Cut the end",
    hint: "Keeps the beginning; the end of the answer may go.",
    outcome: (n) => `${rows(n)} cut`,
  },
  "truncate-left": {
    label: "Cut the beginning",
    hint: "Keeps the end; the question may go.",
    outcome: (n) => `${rows(n)} cut`,
  },
  drop: { label: "Leave out", hint: "Only rows that fit are learned.", outcome: (n) => `${rows(n)} left out` },
  split: {
    label: "Split",
    hint: "Each part becomes a row of its own; nothing is lost.",
    outcome: (n) => `${rows(n)} split`,
  },
  error: {
    label: "Refuse",
    hint: "Training waits until every row fits.",
    outcome: (n) => `${rows(n)} refused`,
  },
};

export const dataStrings = {
  title: "Data",
  privacy: "Your data stays on this device",
  privacyHint: "The files are read by this tab. Nothing is uploaded; there is no server.",
  drop: "Drop files anywhere, or choose them",
  dropHint:
    "JSON Lines, JSON, CSV, TSV, Parquet, text, Markdown or YAML, also gzipped. Several files make one dataset.",
  dropHere: "Let go: data becomes the dataset, weights the model",
  folder: "Choose a folder",
  paste: "Paste",
  pasteHint: "Rows, a table or JSON from the clipboard",
  pasteTitle: "Paste rows",
  pasteLabel: "Rows, a table or JSON",
  pasteUse: "Use these rows",
  clipboardName: "clipboard",
  clipboardEmpty: "The clipboard holds no text; copy some rows and paste again.",
  samples: "Samples",
  samplesHint: "To see how it goes, with data made for it.",
  sample: "Back to the sample",
  sampleNamed: (title: string) => `Sample: ${title}`,
  files: (n: number) => `${count(n)} files`,
  noReadableFile: (n: number) =>
    `None of the ${count(n)} files is a dataset; choose .jsonl, .json, .csv, .tsv, .parquet, .txt, .md or .yaml files, gzipped or not.`,
  tooManyFiles: (n: number, most: number) =>
    `${count(n)} files are more than the ${count(most)} that one dataset may have; choose the folder that holds only its files.`,
  leftOut: (n: number, names: readonly string[]) =>
    `${count(n)} ${n === 1 ? "file was" : "files were"} not taken: ${names.join(", ")}${n > names.length ? ` and ${count(n - names.length)} more` : ""}.`,
  takeLeftOut: (n: number) => `Take ${n === 1 ? "it" : "them"} too`,
  named: (name: string, size: number) => `${name}, ${bytes(size)}`,

  reading: "Reading the rows…",
  phase: (phase: string) => `${phase.charAt(0).toUpperCase()}${phase.slice(1)}…`,
  done: {
    bytes: (done: number, total: number) => `${bytes(done)} of ${bytes(total)}`,
    rows: (done: number, total: number) => `${count(done)} of ${rows(total)}`,
  },
  rowsFound: (found: number) => `${rows(found)} so far`,
  left: (time: string) => `about ${time} left`,
  cancel: "Cancel",
  cancelled: "Reading was cancelled.",
  readAgain: "Read it",
  waiting: "The rows appear here once a model is open.",
  undo: "Undo the last change",
  seen: (n: number, kinds: number) =>
    kinds === 0
      ? `${rows(n)} read.`
      : `${rows(n)} read, with ${kinds === 1 ? "one kind" : `${kinds} kinds`} of problem.`,

  taken: (format: string, n: number, shape: string | null) =>
    [format, rows(n), ...(shape === null ? [] : [shape])].join(", "),
  mixedFormats: "Several formats",
  format: "Read as",
  formatBest: (label: string) => `Best guess: ${label}`,
  columns: "Columns",
  columnsChange: "Change",
  columnsOf: "What the columns hold",
  unmapped: "The columns fit no known shape. Say what they hold, and the rows can be used.",
  guessed: (shape: string) => `The columns look like “${shape}”, which is a guess. Check it, and the rows can be used.`,
  checkGuess: "Check the guess",
  map: "Say what the columns hold",
  filesOf: "Files",
  fileRow: (format: string, n: number, size: number) => `${format}, ${rows(n)}, ${bytes(size)}`,

  mapping: {
    title: "What the columns hold",
    shape: "The rows are",
    guess: "This is a guess from the column names: check it against the first row.",
    optional: "optional",
    none: "none",
    choose: "choose a column",
    example: "The first row, read this way",
    nothing: "empty",
    ready: "Ready",
    missing: (labels: readonly string[]) => `Still missing: ${labels.join(", ")}`,
    use: "Use these columns",
    detect: "Detect again",
    cancel: "Cancel",
  },

  settings: "How rows become examples",
  settingsSummary: (template: string, learned: string, long: string) =>
    `Template: ${template} · learns: ${learned.toLowerCase()} · too long: ${long.toLowerCase()}`,
  template: "Chat template",
  templateModel: "The model's own",
  templateNone: "The model has none",
  templateOwn: "My own (Jinja)",
  templateChoose: "Choose a chat template",
  templateMissing: "This model has no chat template of its own, and these rows need one.",
  templateHint: "How turns are written as one text. A tuned model must be used with the template it was trained with.",
  templateText: "Template in Jinja",
  templateTextHint: "As in tokenizer_config.json: messages, add_generation_prompt, bos_token and eos_token are there.",
  templateUse: "Use this template",
  templateExample: "The first row, rendered",
  templateStart:
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  lossOnLabel: "Learn",
  lossOn,
  tooLongLabel: "Rows that are too long",
  tooLong,
  overLong: (n: number, most: number) => `${rows(n)} longer than ${count(most)} tokens`,

  heldOut: "Held out",
  heldOutHint: "Rows that are not trained on show what was learned for real.",
  heldOutNone: "Nothing",
  heldOutShare: (share: number) => `${Math.round(100 * share)} % of the rows, by seed`,
  heldOutFile: "A file of its own",
  heldOutNamed: (name: string) => `File: ${name}`,
  heldOutRows: (n: number) => `${rows(n)} held out`,
  heldOutPick: "Choose",
  heldOutChange: "Change",
  heldOutLabel: (verb: string) => `${verb} the held-out file`,
  comparing: "Comparing the held-out rows…",
  overlapNone: ({ exact, comparedRows }: Compared) =>
    exact
      ? "No held-out row is in the training rows."
      : `None found among the ${heldOutRows(comparedRows)} compared; the data is too large to compare all of it.`,
  overlap: ({ rows: n, exact, comparedRows }: Compared) =>
    exact
      ? `${heldOutRows(n)} ${n === 1 ? "is" : "are"} in the training rows too${looksBetter}`
      : `At least ${heldOutRows(n)} ${n === 1 ? "is" : "are"} in the training rows too, going by the ${count(comparedRows)} compared${looksBetter}`,
  sharedHeldOut: (n: number, exact: boolean) =>
    `${exact ? "" : "At least "}${heldOutRows(n)} ${n === 1 ? "is" : "are"} in the training rows too${looksBetter}`,
  overlapShow: "Show them",
  overlapRow: (line: number) => `Held-out line ${count(line)}`,

  rows: "Rows",
  examples: "Examples",
  tokens: "Tokens",
  counted: "Learned",
  countedShare: (share: number) => percent(share),
  longest: "Longest row",
  perEpoch: "Steps/epoch",
  truncated: "Cut",
  dropped: "Left out",
  split: "Split",
  duplicates: "Duplicates",
  held: "Held out",
  estimated: (n: number) => `Estimated from ${rows(n)}; the dataset is too large to look at all of it here.`,
  see: "See the data",
  refused: "This data cannot be trained on yet",

  histogram: {
    title: "Tokens per row",
    bin: (from: number, to: number, n: number) =>
      `${count(from)}${to > from ? `–${count(to)}` : ""} tokens: ${rows(n)}`,
    cut: (length: number) => `max length ${count(length)}`,
    fits: (length: number) => `all fit in ${count(length)}`,
    caption: (length: number) => `Rows by their length in tokens; the max length is ${count(length)}`,
    length: "Tokens",
    rows: "Rows",
    range: (from: number, to: number) => (to > from ? `${count(from)} to ${count(to)}` : count(from)),
  },

  problems: "Problems",
  problemTitles,
  problemRows: aboutRows,
  problemSkipped: (n: number, exact: boolean) => `${aboutRows(n, exact)}, skipped`,
  problemPlace: (column: number) => `column ${count(column)}`,
  show: "Show",
  showLabel: (title: string) => `Show the rows: ${title}`,
  skip: skipRows,
  skipLabel: (n: number, exact: boolean, title: string) => `${skipRows(n, exact)}: ${title}`,
  unskip: "Undo",
  unskipLabel: (title: string) => `Undo skipping: ${title}`,
  moreExamples: (n: number) => `${count(n)} more`,

  views: "Views of the rows",
  view: { table: "Table", chat: "Chat", tokens: "Tokens" },
  headOnly: "The first rows; the rest is being read.",
  only: (title: string) => `Only rows with: ${title}`,
  all: "Show all rows",
  enlarge: "Show the rows large",
  pages: "Pages of rows",
  page: (from: number, to: number, total: number) =>
    total === 0 ? "No rows" : `${count(from)}–${count(to)} of ${count(total)}`,
  first: "First rows",
  previous: "Rows before",
  next: "Rows after",
  last: "Last rows",
  row: "Row",
  rowName: (row: number) => `Row ${count(row + 1)}`,
  rowPlace: (file: string, line: number) => `${file}, line ${count(line)}`,
  empty: "empty",
  wholeRow: "Row",
  role: {
    system: "System",
    developer: "Developer",
    user: "User",
    assistant: "Assistant",
    tool: "Tool",
    text: "Text",
    prompt: "Prompt",
    completion: "Completion",
  },
  learned: "learned",
  unreadable: "This row could not be read.",
  noTokens: "No tokens: the row has a problem.",
  legendCounted: "learned",
  legendMasked: "context only",
  tokenCounts: (tokens: number, counted: number, length: number) =>
    `${count(tokens)} tokens, ${count(counted)} learned${length > tokens ? `, cut from ${count(length)}` : ""}`,
  token: (text: string, id: number, counted: boolean) =>
    `“${text}” · id ${count(id)} · ${counted ? "learned" : "context only"}`,
  tokensOf: (row: number) => `Tokens of row ${count(row + 1)}; arrow keys tell each one's id`,
  more: "Show the whole row",
  less: "Show less",
} as const;
