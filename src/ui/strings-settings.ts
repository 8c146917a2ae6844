/** The texts of the settings of a run. */
import { bytes, count, duration, percent, rate, short } from "./format";

const n = (value: number, one: string, many: string): string => `${count(value)} ${value === 1 ? one : many}`;

/** `hint` is one line; `range` what is taken; `unit` stands in the field. */
const fields = {
  rank: { label: "Rank", hint: "Size of the adapter", range: "1 to 1024", unit: "" },
  alpha: { label: "Alpha", hint: "Strength; often 2 × rank", range: "above 0", unit: "" },
  learningRate: { label: "Learning rate", hint: "Such as 2e-4", range: "above 0, up to 10", unit: "" },
  maxLength: { label: "Max length", hint: "Longest row; follows your data", range: "2 or more", unit: "tokens" },
  epochs: { label: "Epochs", hint: "Passes over the data", range: "above 0", unit: "" },
  steps: { label: "Steps", hint: "Updates of the adapter", range: "1 or more", unit: "" },
  targetModules: { label: "Layers to adapt", hint: "All of them learns most", range: "", unit: "" },
  rslora: { label: "Rank-stabilised scale", hint: "Scale by α/√r; for high ranks", range: "", unit: "" },
  gradientCheckpointing: {
    label: "Gradient checkpointing",
    hint: "Less memory, about a quarter slower",
    range: "",
    unit: "",
  },
  dropout: { label: "Dropout", hint: "Helps small datasets", range: "0 to below 1", unit: "share" },
  schedule: { label: "Schedule", hint: "How the rate falls", range: "", unit: "" },
  warmupSteps: { label: "Warm-up steps", hint: "The rate climbs over these", range: "0 or more", unit: "steps" },
  batchSize: { label: "Batch size", hint: "Rows at once", range: "1 to 4096", unit: "rows" },
  gradientAccumulation: {
    label: "Gradient accumulation",
    hint: "Batches per step",
    range: "1 to 65536",
    unit: "batches",
  },
  weightDecay: { label: "Weight decay", hint: "Pulls weights to 0; 0 is off", range: "0 to 10", unit: "" },
  clip: { label: "Gradient clip", hint: "Largest norm; 0 is off", range: "0 or more", unit: "" },
  seed: { label: "Seed", hint: "Same seed, same run", range: "0 to 4294967295", unit: "" },
  shuffle: { label: "Shuffle the rows", hint: "Each epoch in a new order", range: "", unit: "" },
  pack: { label: "Pack short rows together", hint: "Faster; rows do not see each other", range: "", unit: "" },
} as const;

export const settingsStrings = {
  fields,
  schedules: { constant: "Constant", linear: "Linear", cosine: "Cosine" },
  /** Range first where there is one, then what the field is for. */
  help: (hint: string, range: string) =>
    range === "" ? hint : `${hint}. ${range.charAt(0).toUpperCase()}${range.slice(1)}`,
  unread: {
    thousands: (label: string, typed: string) =>
      `${label} is "${typed}", which may mean ${typed.replaceAll(",", "")} or ${typed.replace(",", ".")}; write it without the comma.`,
    zero: (label: string, typed: string) =>
      `${label} is "${typed}", a division by zero; change what stands after the /.`,
  },
  rateSlider: "Rate on a log scale",
  rateSpoken: (value: number) => rate(value),
  presets: {
    label: "Preset",
    quick: { label: "Quick", hint: "One pass, to see whether it works" },
    balanced: { label: "Balanced", hint: "Three passes; a good start" },
    thorough: { label: "Thorough", hint: "A larger adapter and five passes" },
    figures: (rank: string, alpha: string, epochs: string, schedule: string, warmup: string, dropout: string) =>
      `Rank ${rank} · alpha ${alpha} · ${epochs} ${epochs === "1" ? "epoch" : "epochs"} · ${schedule.toLowerCase()} · warm-up ${warmup} · dropout ${dropout}`,
    asIs: (name: string) => `${name}, as it is`,
    changed: (name: string, changes: number) => `${name}, ${count(changes)} changed`,
    undo: (name: string) => `Back to ${name}`,
  },
  back: (value: string) => `Back to ${value}`,
  backTo: {
    data: "Follow the data again",
    all: "All layers again",
    preset: "Back to the preset",
    on: "Switch on again",
    off: "Switch off again",
  },
  backOf: (label: string) => ` for ${label}`,
  advancedChanged: (changes: number) => `${count(changes)} changed`,
  targets: {
    parameters: (value: number) => `${count(value)} parameters`,
    sum: (trained: number, all: number) =>
      `${count(trained)} parameters are trained, ${percent(trained / all)} of the model's ${short(all)}.`,
    unknown: "How many parameters are trained shows once a model is open.",
    compare: "LoRA beside full fine-tuning",
    lora: "LoRA, as set here",
    full: "Full fine-tuning",
    trains: (value: number) => `trains ${short(value)}`,
    caption: "Memory for weights and training, without activations",
    columns: { way: "Way", trained: "Trained", weights: "Weights", training: "Training", sum: "Together" },
    fullNote:
      "Training holds the gradient and two moments of every trained parameter in float32; LoRA adds the adapter itself, full fine-tuning holds the weights in float32.",
    gain: (times: number) =>
      `Full fine-tuning takes ${times >= 10 ? count(times) : times.toFixed(1)} times the memory of LoRA.`,
  },
  takes: {
    title: "What this run takes",
    steps: "Steps",
    tokens: "Tokens in all",
    time: "Time",
    speed: "Tokens/s",
    memory: "GPU memory",
    unknown: "–",
    about: (milliseconds: number) => `about ${duration(milliseconds)}`,
    measure: "Measure the speed",
    again: "Measure again",
    cancel: "Cancel measuring",
    measuring: "Measuring with two real steps…",
    measured: "Measured on this GPU with these settings.",
    stale: "Measured with other settings; measure again for these.",
    never: "Not measured yet: two real steps tell, and nothing is kept of them.",
    parts: {
      weights: "Model weights",
      adapter: "Adapter and optimizer",
      activations: "Activations and loss",
      other: "Batch, tables, read-back",
    },
    budget: (total: number, budget: number) => `${bytes(total)} of the ${bytes(budget)} you allow under Model.`,
    over: (total: number, budget: number) =>
      `This run needs ${bytes(total)}, ${bytes(total - budget)} more than the ${bytes(budget)} you allow under Model.`,
    planless: "The memory is planned once model and data are read.",
  },
  relief: {
    title: "What would free memory",
    turn: "Do it",
    outOfMemory: "The GPU ran out of memory in the last run.",
    none: "No single setting frees any; choose a smaller model or a smaller form of its weights.",
    frees: (freed: number) => `frees ${bytes(freed)}`,
    fits: "then it fits",
    leaves: (total: number) => `then ${bytes(total)}`,
    knobs: {
      gradientCheckpointing: () => "Switch gradient checkpointing on",
      maxLength: (to: string) => `Max length ${to}`,
      batchSize: (to: string) => `Batch size ${to}, with more accumulation`,
      rank: (to: string) => `Rank ${to}, alpha halved with it`,
      pack: () => "Switch packing off",
    },
    costs: {
      gradientCheckpointing: "The same result, about a quarter slower.",
      maxLength: "Longer rows are cut.",
      batchSize: "The same steps, in smaller pieces.",
      rank: "The adapter has less room.",
      pack: "More and smaller steps.",
    },
  },
  shared: {
    copy: "Copy link",
    copied: "Link copied",
    notCopied: "The browser did not allow copying; here is the link to copy by hand.",
    link: "Link to these settings",
    save: "Save as file",
    open: "Open file",
    pick: "Settings file",
    fileName: (model: string) => `tabtune-settings-${model.replace(/[^A-Za-z0-9.-]+/g, "-").slice(0, 60)}.json`,
    privacy: "Settings only; never your data.",
    title: "Settings from elsewhere",
    changes: (changes: number) => `${n(changes, "setting", "settings")} would change:`,
    same: "These are the settings that you have; nothing would change.",
    columns: { setting: "Setting", before: "Now", after: "Then" },
    apply: "Take them over",
    leave: "Leave as it is",
    close: "Close",
    applied: (changes: number) => `${n(changes, "setting was", "settings were")} taken over.`,
    damaged: "The link is cut short or damaged; copy it again, or ask for the settings as a file.",
    tooLarge: (name: string) => `${name} is larger than a settings file can be; choose one that “Save as file” wrote.`,
    unreadable: "This is no file of settings: it holds no JSON object; choose one that “Save as file” wrote.",
    otherFile: "This JSON holds no settings of Tabtune; choose one that “Save as file” wrote.",
    newer: "These settings are of a later version of Tabtune; reload the page, which brings it up to date.",
    tooLong: (length: number, most: number) =>
      `Max length is ${count(length)} and left out; the open model takes at most ${count(most)} tokens.`,
    noModule: (names: string) => `The open model has no ${names}; these layers are left out.`,
    noTemplate: (id: string) => `The chat template ${JSON.stringify(id)} is unknown here, so yours stays.`,
    badTemplate: (most: string) => `The chat template is no text of at most ${most} characters, so yours stays.`,
    otherModel: (made: string, open: string) =>
      `They were made for ${made}; open is ${open}. To use that model, choose it under Model.`,
    template: "Chat template",
    templateKinds: { model: "The model's own", own: "Own Jinja text" },
    allModules: "all",
  },
} as const;
