/** The texts of the model step. Sentences about single files, and whether a model fits, come from the worker. */
import type { CachedModel, Fit, KernelCheckSummary, MemoryPlan, ModelInfo, Quantization } from "../../worker/protocol";
import { bytes, count, duration, short } from "../format";

const models = (n: number): string => `${count(n)} ${n === 1 ? "model" : "models"}`;
const files = (n: number): string => `${count(n)} ${n === 1 ? "file" : "files"}`;

const verdicts: Readonly<Record<Fit["verdict"], string>> = {
  fits: "Fits",
  tight: "Tight",
  "too-large": "Too large",
  unsupported: "Not supported",
  unknown: "Not known yet",
};

const quantized: Readonly<Record<Quantization, string>> = {
  int8: "8 bits, made on load",
  int4: "4 bits, made on load",
  nf4: "NF4, made on load",
};

/** What went wrong between here and the hub, by the `reason` that the error carries. */
const faults: Readonly<Record<string, string>> = {
  address: "This is no model's id or address",
  elsewhere: "Only the hub and this site can be asked",
  "not-found": "There is no such model",
  refused: "The hub does not hand it out",
  gated: "Its licence has to be accepted first",
  busy: "Busy; try again in a moment",
  server: "The server had a fault",
  offline: "No connection",
  network: "The connection broke",
  damaged: "What arrived is not what was promised",
  storage: "No room for it",
  unusable: "This model cannot be used",
};

/** "3e-7": one digit says how far apart two computations are. */
const small = (value: number): string => (value === 0 ? "0" : value.toExponential(0));

const opening = {
  /** "checking": what an earlier visit left is hashed. */
  stages: {
    checking: (file: string) => `Checking what is here of ${file}`,
    downloading: (file: string) => `Downloading ${file}`,
  },
  starting: "Starting…",
  far: (done: number, total: number) => (total > 0 ? `${bytes(done)} of ${bytes(total)}` : bytes(done)),
  speed: (perSecond: number) => `${bytes(perSecond)}/s`,
  left: (seconds: number) => `${duration(1000 * seconds)} left`,
  percent: (done: number, total: number) => `${Math.floor((100 * done) / total)} %`,
  spoken: (tenths: number) => `${10 * tenths} percent downloaded`,
  cancel: "Cancel",
  cancelLabel: (name: string) => `Cancel opening ${name}`,
  stopping: "Stopping…",
  stopped: "Stopped.",
  broke: "The download stopped",
  kept: (have: number, total: number | null) =>
    total === null
      ? `${bytes(have)} are kept on this device; Resume goes on from there.`
      : `${bytes(have)} of ${bytes(total)} are kept on this device; Resume goes on from there.`,
  nothingKept: "Nothing was kept; the next try begins anew.",
  stoppedLoading: "Opening was stopped, and no model is open now. What was downloaded stays on this device.",
  done: (name: string) => `${name} is open.`,
} as const;

const stored = {
  title: "On this device",
  hint: (n: number, size: number) =>
    n === 0 ? "Nothing downloaded yet" : `${models(n)}, ${bytes(size)}; open without a connection, or delete`,
  empty:
    "Nothing yet. What you download stays here, in this browser, until you delete it, and opens without a connection.",
  total: (n: number, size: number) => `${models(n)}, ${bytes(size)}.`,
  room: (usage: number, quota: number) =>
    `This site takes ${bytes(usage)} of the ${bytes(quota)} that the browser allows it.`,
  persisted: "The browser keeps them until you delete them.",
  mayClear: "The browser may clear these when space runs short.",
  mayClearUnknown: "The browser does not say whether it keeps these when space runs short.",
  keep: "Ask it to keep them",
  notKept: "The browser did not agree; it often does once a page is bookmarked or used more.",
  commit: (commit: string) => `commit ${commit.slice(0, 7)}`,
  version: (commit: string) => `version ${commit.slice(0, 7)}`,
  used: (date: string) => `last used ${date}`,
  damaged: "Its record is damaged, so it cannot be opened; delete it and download it again.",
  partly: (have: number, total: number | null) =>
    total === null ? `${bytes(have)}, not finished` : `${bytes(have)} of ${bytes(total)}, not finished`,
  choose: "Choose",
  chooseLabel: (id: string, label: string) => `Choose ${id}, ${label}`,
  resume: "Resume",
  resumeLabel: (id: string, label: string) => `Resume the download of ${id}, ${label}`,
  remove: "Delete",
  removeLabel: (id: string) => `Delete ${id} from this device`,
  removeAll: "Delete all",
  confirmTitle: (id: string) => `Delete ${id} from this device?`,
  confirm: ({ bytes: size, files: held, variants }: CachedModel) =>
    `${files(held.length)} with ${bytes(size)}${variants.length > 0 ? ` (${variants.map(({ label }) => label).join("; ")})` : ""} are removed from this browser. Your runs and adapters stay; to train them further or try them, the model is downloaded again.`,
  confirmOpen: "It stays open in this tab until you open another or close the page.",
  confirmAllTitle: (n: number) => `Delete all ${models(n)} from this device?`,
  confirmAll: (size: number) =>
    `${bytes(size)} of downloaded files are removed from this browser, half-finished downloads too. Your runs, adapters and the built-in model stay.`,
  confirmYes: "Delete the files",
  confirmNo: "Keep the files",
} as const;

export const modelStrings = {
  title: "Model",
  opening: (name: string) => `Opening ${name}…`,
  reads: (name: string) => `${name} is not loaded without a GPU; its tokenizer is here, and data is read with that.`,
  parameters: "Parameters",
  layers: "Layers × width",
  weights: "On the GPU",
  format: "Format",
  context: "Most tokens",
  held: "Weights",
  quantization: (quantization: Quantization | null) =>
    quantization === null ? "as in the file" : quantized[quantization],
  tokens: (n: number) => `${count(n)} tokens`,
  embedded: "Back to the built-in model",
  kernels: ({ tokens, relativeDifference, gradientDifference, leftOut }: KernelCheckSummary) =>
    tokens === 0 && leftOut !== null
      ? leftOut
      : `Checked against plain arithmetic on this device: logits differ by ${small(relativeDifference)}, gradient by ${small(gradientDifference)}.${leftOut === null ? "" : ` ${leftOut}`}`,
  kernelsWrong: "Training is off: this device computes wrong numbers",
  kernelsRemedy: "A newer browser or graphics driver may help, or another device.",
  check: "Check the numbers",
  checkHint: "Runs the same model in ONNX Runtime and compares every output.",
  checking: "Comparing with ONNX Runtime…",
  unavailable: "ONNX Runtime can give a second opinion where the model comes as an ONNX file; this one does not.",
  agrees: (tokens: number) =>
    `Tabtune's kernels and ONNX Runtime agree on all ${count(tokens)} tokens of the test text.`,
  disagrees:
    "Tabtune's kernels and ONNX Runtime do not agree on this machine, so training is off. A newer browser or driver may help, or another model.",
  agreement: (difference: string, top1: string) =>
    `Relative difference of the logits ${difference} · same first choice at ${top1} of positions`,
  see: "See the model",
  verdicts,
  ways: {
    label: "Other models",
    noGpu: "Opening a model needs WebGPU, which is not there.",
  },
  budget: {
    label: "GPU memory to use (GB)",
    hint: "WebGPU does not say how much there is; this guess is yours to change.",
    wrong: (typed: string) =>
      `GPU memory to use is "${typed}"; it must be a number of gigabytes from 0.1 to 1000, such as 4.`,
  },
  catalogue: {
    title: "Models that train well here",
    hint: "Small ones from the hub, each with what it needs",
    loading: "Judging what fits…",
    facts: (parameters: number, licence: string, size: number) =>
      `${short(parameters)} parameters · ${licence} licence · ${bytes(size)} download`,
    stored: "On this device",
    choose: "Choose",
    chooseLabel: (name: string) => `Choose ${name}`,
    blocked: "If your GPU has more memory than this, raise the number above.",
  },
  hub: {
    title: "From the hub",
    hint: "Any model by its id or address",
    label: "Model id or address",
    description: "org/name, org/name@revision, or an address on huggingface.co, of one .gguf or .safetensors file too",
    example: "HuggingFaceTB/SmolLM2-135M-Instruct",
    lookUp: "Look up",
    asking: (address: string) => `Asking for ${address}…`,
    cancel: "Cancel",
    privacy:
      "Looking up asks the hub for its list of files. Nothing of yours is sent, and no other server can be asked.",
    empty: "Type a model's id, such as HuggingFaceTB/SmolLM2-135M-Instruct, or an address.",
    failed: "The look-up did not work",
  },
  own: {
    title: "Your own file",
    hint: "A .gguf, .safetensors with its .json files, or a folder",
    drop: "Drop a model here, or choose its files",
    dropHint: "One .gguf file; or .safetensors or .onnx with config.json and tokenizer.json. It stays on this device.",
    folder: "Choose its folder",
    folderName: "model folder",
  },
  faults,
  choice: {
    label: (name: string) => `Chosen: ${name}`,
    close: "Choose another model",
    commit: stored.commit,
    version: stored.version,
    files: (n: number, size: number) => `${files(n)}, ${bytes(size)}`,
    architecture: (modelType: string, parameters: number | null) =>
      parameters === null ? modelType : `${modelType}, ${short(parameters)} parameters`,
    variants: "File",
    refused: "Cannot be used:",
    noBytes: "size not known",
    none: "None of its files can be used.",
    weights: "Weights on the GPU",
    reckoning: "Reckoning the memory…",
    estimated: "By its config; the file itself will tell exactly.",
    toHold: (size: number) => `${bytes(size)} of weights`,
    parts: ({ weights, adapter, activations, loss, other }: MemoryPlan) =>
      `Weights ${bytes(weights)} · adapter and optimizer ${bytes(adapter)} · activations ${bytes(activations)} · loss ${bytes(loss)} · other ${bytes(other)}`,
    download: (size: number | null) => (size === null ? "Download and open" : `Download and open (${bytes(size)})`),
    resume: (left: number | null) => (left === null ? "Resume" : `Resume (${bytes(left)} to go)`),
    open: "Open",
    again: "Try again",
    tooLarge: "This does not fit.",
    wouldFit: (labels: readonly string[]) => `${labels.join(" or ")} would.`,
    tooLargeRemedy: "Allow more GPU memory if there is more, or lower the max length or the batch size under Train.",
    busy: "Another model can be opened when what is running has ended.",
  },
  download: opening,
  stored,
} as const;

/** What screen readers hear of the open model. */
export const openedSentence = ({ name }: Pick<ModelInfo, "name">): string => opening.done(name);
