/** The texts of the library. What is wrong with a name, a file or the storage comes from the worker. */
import { bytes, count, decimal, duration } from "../format";

const runs = (n: number): string => `${count(n)} ${n === 1 ? "run" : "runs"}`;

/** "a", "a and b", "a, b and c"; of many the first two and how many more. */
function listed(names: readonly string[]): string {
  if (names.length > 3) return `${names.slice(0, 2).join(", ")} and ${count(names.length - 2)} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

const undoSeconds = 10;

export const libraryStrings = {
  title: "Library",
  empty: "No runs yet. What you train is kept here, in this browser, until you delete it.",
  privacy: "Kept in this browser only. Download what you want to keep for good.",
  loading: "Reading the kept runs…",
  count: runs,
  onData: (dataset: string, model: string) => `${dataset} · ${model}`,
  imported: (model: string) => `imported adapter · ${model}`,
  steps: (n: number) => `${count(n)} ${n === 1 ? "step" : "steps"}`,
  took: duration,
  stopped: "stopped early",
  forModel: (model: string) => `for ${model}`,
  inTry: "in Try",
  finalLoss: (loss: number) => `Final loss ${decimal(loss, 3)}`,
  noCurve: "No curve: it was trained elsewhere.",
  sparkline: (first: number, last: number) => `Loss fell from ${decimal(first, 2)} to ${decimal(last, 2)}`,
  sparklineUp: (first: number, last: number) => `Loss went from ${decimal(first, 2)} to ${decimal(last, 2)}`,

  since: (name: string, changes: readonly string[]) =>
    changes.length === 0 ? `Same settings as ${name}` : `Against ${name}: ${changes.join(", ")}`,
  change: (label: string, from: string, to: string) => `${label.toLowerCase()} ${from} → ${to}`,
  settings: { model: "Model", dataset: "Dataset", template: "Chat template", lossOn: "Learned from" },
  templates: { model: "the model's", own: "one of your own" },
  lossOn: {
    assistant: "the answers",
    last: "the last answer",
    completion: "the completions",
    all: "everything",
  },
  unknown: "not known",
  byEpochs: "by epochs",
  bySteps: "by steps",
  allLayers: "all",

  tryIt: "Try",
  tryLabel: (name: string) => `Try ${name}`,
  otherModel: (model: string) => `Open ${model} first: this adapter is for it.`,
  duplicate: "New run from this",
  duplicateLabel: (name: string) => `New run from this, with the settings of ${name}`,
  duplicated: (name: string) => `The settings of ${name} are in the form. The data is the one chosen now.`,
  download: "Download",
  downloadLabel: (name: string) => `Download ${name} as a PEFT adapter (zip)`,
  remove: "Delete",
  removeLabel: (name: string) => `Delete ${name}`,

  rename: (name: string) => `Rename ${name}`,
  nameLabel: (name: string) => `New name of ${name}`,
  saveName: "Save the name",
  cancelName: "Keep the old name",
  renamed: (name: string) => `Renamed to ${name}.`,
  note: "Add a note",
  noteLabel: (name: string) => `Note on ${name}`,
  noteKept: "Note kept.",

  choose: (name: string) => `Choose ${name}`,
  chooseAll: "Choose all",
  chosen: (n: number) => (n === 0 ? "None chosen" : `${count(n)} chosen`),
  compare: "Compare",
  compareHint: (n: number, most: number) =>
    n < 2
      ? "Choose two runs or more to compare them."
      : n > most
        ? `Choose at most ${most} to compare them.`
        : "Curves, results and settings side by side.",
  compareLabel: (n: number) => `Compare ${runs(n)}`,
  removeChosen: "Delete",
  removeChosenLabel: (n: number) => `Delete the ${runs(n)} chosen`,

  confirmTitle: (names: readonly string[]) => `Delete ${listed(names)}?`,
  confirm: (n: number, size: number) =>
    `${n === 1 ? "Its adapter" : "Their adapters"} (${bytes(size)}), loss log, sample answers, settings and notes are removed from this browser. Files you downloaded stay.`,
  confirmUndo: `You can undo this for ${undoSeconds} seconds, until you close or reload the page.`,
  confirmYes: (n: number) => (n === 1 ? "Delete the run" : `Delete ${runs(n)}`),
  confirmNo: (n: number) => (n === 1 ? "Keep it" : "Keep them"),
  undoSeconds,
  deleted: (names: readonly string[]) => `${listed(names)} deleted.`,
  undo: "Undo",
  undoHint: `Gone for good after ${undoSeconds} seconds.`,
  restored: (names: readonly string[]) => `${listed(names)} brought back.`,

  answers: {
    show: "Answers",
    label: (name: string) => `Answers of ${name} before and after training`,
    region: (name: string) => `What ${name} answered`,
    reading: "Reading the answers…",
    none: "No answers are kept of it. Questions are set under Train, before a run starts.",
    title: "Sample answers",
    asked: "Asked",
    ends: { first: "Before training", last: "The last time" },
  },

  comparison: {
    title: (n: number) => `${runs(n)} compared`,
    figures: {
      label: "What is drawn",
      loss: "Loss",
      heldOut: "Held-out loss",
      learningRate: "Learning rate",
      gradientNorm: "Gradient norm",
    },
    smooth: "Smooth the curves",
    log: "Logarithmic",
    nothing: "None of these runs has such a curve.",
    reading: "Reading the curves…",
    unread: (name: string, reason: string) => `${name}: ${reason}`,
    step: "Step",
    chart: (figure: string) => `${figure} by step`,
    table: (figure: string) => `${figure} by step, for each run`,
    setting: "Setting",
    result: "Result",
    results: "Results",
    differing: "Settings that differ",
    allSame: "All settings are the same.",
    same: (n: number) => `${count(n)} settings that are the same`,
    finalLoss: "Final loss",
    heldOut: "Held-out loss",
    change: (before: number, after: number) => `${decimal(before, 3)} → ${decimal(after, 3)}`,
    only: (before: number) => `${decimal(before, 3)} before`,
    none: "–",
    steps: "Steps",
    tokens: "Tokens",
    time: "Time",
    size: "Adapter",
    csv: "Save as CSV",
    csvHint: "A row for each step, a column for each run.",
    csvName: "tabtune-comparison.csv",
    csvHeldOut: (name: string) => `${name} (held-out)`,
  },

  storage: {
    title: "Storage",
    taken: (n: number, size: number) => `${runs(n)}, ${bytes(size)}.`,
    room: (usage: number, quota: number) =>
      `This site takes ${bytes(usage)} of the ${bytes(quota)} that the browser allows it.`,
    persisted: "The browser keeps it all until you delete it.",
    mayClear: "The browser may clear it when space runs short.",
    unknown: "The browser does not say whether it clears this when space runs short.",
    keep: "Ask it to keep everything",
    notKept: "The browser did not agree; it often does once a page is bookmarked or used more.",
    models: (n: number, size: number) =>
      n === 0 ? "Downloaded models: none" : `Downloaded models: ${count(n)}, ${bytes(size)}`,
    pack: "Download all runs (zip)",
    packHint:
      "A backup for you: beside the adapters it holds settings, curves, notes and sample answers. To pass an adapter on, use the Download of its run, which leaves notes and answers out.",
    packing: (done: number, total: number) => `Packing ${count(done + 1)} of ${count(total)}…`,
    packed: (n: number) => `${runs(n)} packed.`,
    leftOut: (names: readonly string[]) => `${listed(names)} could not be packed; the zip says why.`,
  },

  importing: {
    drop: "Import an adapter: drop a PEFT folder or zip, or choose its files",
    hint: "adapter_config.json and adapter_model.safetensors, or the zip of all runs: that brings them back whole. Nothing leaves this device.",
    folder: "Choose its folder",
    needsModel: "Open the model that the adapter was trained on first.",
    busy: "Reading the adapter…",
    failed: "This adapter was not imported",
    partly: "Some adapters were not imported",
    done: (names: readonly string[]) => `Imported as ${listed(names)}.`,
  },
} as const;
