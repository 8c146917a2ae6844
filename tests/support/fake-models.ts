/** The models of the fake client: a catalogue, a hub with one repository, and what is on this device. Believable figures, none of them real. */
import { StudioError } from "../../src/worker/errors";
import type {
  CachedModel,
  CachedModels,
  CatalogueModel,
  DownloadProgress,
  Fit,
  FoundModel,
  KernelCheckSummary,
  ModelOutline,
  ModelSource,
  Quantization,
  Variant,
  WeightChoice,
} from "../../src/worker/protocol";

export const goodCheck: KernelCheckSummary = {
  tokens: 16,
  relativeDifference: 3.1e-7,
  top1Agreement: 1,
  lossDifference: 1.4e-7,
  gradientDifference: 2.2e-5,
  milliseconds: 840,
  agrees: true,
  reason: null,
  leftOut: null,
};

export const badCheck: KernelCheckSummary = {
  ...goodCheck,
  relativeDifference: 0.21,
  agrees: false,
  reason: "The logits differ from plain arithmetic by 2.1e-1, and 1e-3 is allowed.",
};

export const smolId = "HuggingFaceTB/SmolLM2-135M-Instruct";
const commit = "12fd25f77366fa6b3b4b768ec3050bf629380bac";

const variant = (
  id: string,
  format: Variant["format"],
  label: string,
  bytes: number,
  refusal: string | null = null,
) => ({
  id,
  format,
  label,
  bytes: bytes + 2_000_000,
  refusal,
  files: [
    { path: id, url: `https://huggingface.co/${smolId}/resolve/${commit}/${id}`, bytes, hash: null },
    {
      path: "tokenizer.json",
      url: `https://huggingface.co/${smolId}/resolve/${commit}/tokenizer.json`,
      bytes: 2_000_000,
      hash: null,
    },
  ],
});

export const smol: FoundModel = {
  kind: "hub",
  id: smolId,
  commit,
  base: null,
  variants: [
    variant("onnx/model_q4.onnx", "onnx", "ONNX, 4-bit", 198_000_000),
    variant("onnx/model_fp16.onnx", "onnx", "ONNX, 16-bit floats", 270_000_000),
    variant("model.safetensors", "safetensors", "safetensors, as trained", 269_000_000),
    variant(
      "onnx/decoder_model_merged.onnx",
      "onnx",
      "ONNX, decoder_model_merged",
      540_000_000,
      "It has the older layout with decoder_model files, which is not read; choose model.onnx or another format.",
    ),
    variant(
      "pytorch_model.bin",
      "other",
      "PyTorch checkpoint",
      538_000_000,
      "PyTorch checkpoints may run code when they are opened, so they are not read; choose safetensors.",
    ),
  ],
  preferred: "onnx/model_q4.onnx",
  config: { model_type: "llama", hidden_size: 576 },
  notes: [],
};

const gigabytes = (bytes: number): string =>
  bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;

function fitOf(bytes: number, budget: number): Fit {
  const sentence = `Training needs about ${gigabytes(bytes)} of the ${gigabytes(budget)} of GPU memory you allow.`;
  return { verdict: bytes > budget ? "too-large" : bytes > 0.8 * budget ? "tight" : "fits", sentence };
}

/** Each needs twice its download, and the largest one more than most machines have. */
export function catalogueOf(budget: number, stored: CachedModels): CatalogueModel[] {
  const entry = (
    name: string,
    parameters: number,
    bytes: number,
    description: string,
    more: Partial<CatalogueModel> = {},
  ) => ({
    id: `org/${name.replaceAll(" ", "-")}`,
    from: `org/${name.replaceAll(" ", "-")}`,
    name,
    family: name,
    description,
    licence: "Apache-2.0",
    gate: null,
    mirrors: [],
    config: {},
    variant: { id: "onnx/model_q4.onnx", label: "ONNX, 4-bit", bytes },
    parameters,
    stored: false,
    fit: fitOf(2 * bytes, budget),
    ...more,
  });
  return [
    entry(
      "SmolLM2 135M Instruct",
      134_515_008,
      202e6,
      "The smallest that holds a conversation; trains in minutes on most machines.",
      {
        id: smolId,
        from: smolId,
        stored: stored.models.some(({ id, variants }) => id === smolId && variants.some(({ finished }) => finished)),
      },
    ),
    entry("Qwen3 0.6B", 596_049_920, 1.7e9, "Thinks before it answers if asked to; many languages."),
    entry(
      "Gemma 3 270M Instruct",
      268_098_176,
      571e6,
      "Made to be fine-tuned for one task; two thirds of it is vocabulary.",
      {
        licence: "Gemma",
        gate: "Google asks to accept the licence at https://huggingface.co/google/gemma-3-270m-it before downloading; the same weights come from unsloth/gemma-3-270m-it, under the same licence.",
      },
    ),
    entry("Llama 3.2 3B Instruct", 3_212_749_824, 6.4e9, "For machines with a graphics card of its own.", {
      licence: "Llama 3.2",
    }),
  ];
}

const labels: Readonly<Record<Quantization, string>> = { int8: "8 bits", int4: "4 bits", nf4: "NF4" };
const shares: Readonly<Record<Quantization, number>> = { int8: 9 / 16, int4: 6 / 16, nf4: 4.5 / 16 };

/** Floats can be quantized on load; what is in 4 bits already stays so. */
export function outlineOf(source: ModelSource, budget: number): ModelOutline {
  const chosen = variantOf(source);
  const bytes = chosen?.bytes ?? 269e6;
  const floats = chosen === null || /fp16|safetensors/.test(chosen.id);
  const choice = (quantization: Quantization | null): WeightChoice => {
    const weights = Math.round(bytes * (quantization === null ? 1 : shares[quantization]));
    const memory = {
      weights,
      adapter: 12e6,
      activations: 400e6,
      loss: 10e6,
      other: 9e6,
      total: weights + 431e6,
      largestBuffer: 201e6,
    };
    return {
      quantization,
      label: quantization === null ? "As in the file" : labels[quantization],
      description:
        quantization === null
          ? "The weights stay in the form that the file has them in."
          : `${labels[quantization]} with a scale for each block.`,
      weightBytes: weights,
      memory,
      fit: fitOf(memory.total, budget),
    };
  };
  return {
    name: "model",
    modelType: "llama",
    parameters: 134_515_008,
    storedForm: floats ? "bf16" : "int4",
    exact: source.kind !== "found",
    choices: [choice(null), ...(floats ? (["int8", "int4", "nf4"] as const).map(choice) : [])],
  };
}

function variantOf(source: ModelSource): Variant | null {
  if (source.kind === "found") return source.model.variants.find(({ id }) => id === source.variant) ?? null;
  return source.kind === "stored" ? (smol.variants.find(({ id }) => id === source.variant) ?? null) : null;
}

/** What is on this device of `found`: the variants named, with so much of each. */
export function cachedModel(
  found: FoundModel,
  shares: Readonly<Record<string, number>>,
  more: Partial<CachedModel> = {},
): CachedModel {
  const chosen = found.variants.filter(({ id }) => id in shares);
  // A file that several variants share is there once, as far as the furthest of them brought it.
  const byPath = new Map<string, CachedModel["files"][number]>();
  for (const { id, files } of chosen) {
    for (const { path, bytes } of files) {
      const share = shares[id] ?? 0;
      const have = Math.round((bytes ?? 0) * share);
      if (have >= (byPath.get(path)?.bytes ?? 0))
        byPath.set(path, { path, bytes: have, fullBytes: bytes, finished: share === 1 });
    }
  }
  const files = [...byPath.values()];
  return {
    key: `${found.kind}-${found.id.replaceAll("/", "-")}`,
    kind: found.kind,
    id: found.id,
    commit: found.commit,
    files,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    created: Date.UTC(2026, 2, 3, 10),
    lastUsed: Date.UTC(2026, 2, 4, 12),
    variants: chosen.map(({ id, label, format }) => ({ id, label, format, finished: shares[id] === 1 })),
    found: { ...found, variants: chosen },
    ...more,
  };
}

export const someStored: readonly CachedModel[] = [
  cachedModel(smol, { "onnx/model_q4.onnx": 1, "model.safetensors": 0.4 }),
  cachedModel(
    { ...smol, id: "Qwen/Qwen3-0.6B", commit: "c1899de289a04d12100db370d81485cdf75e47ca" },
    { "model.safetensors": 1 },
    { lastUsed: Date.UTC(2026, 1, 14, 9) },
  ),
  {
    key: "broken",
    kind: "damaged",
    id: "broken",
    commit: "",
    files: [],
    bytes: 12_345,
    created: 0,
    lastUsed: Date.UTC(2025, 11, 24),
    variants: [],
    found: null,
  },
];

export const listOf = (models: readonly CachedModel[], persisted: boolean | null = false): CachedModels => {
  const bytes = models.reduce((sum, model) => sum + model.bytes, 0);
  return { models, bytes, room: { usage: bytes + 40e6, quota: 60e9, persisted } };
};

interface Download {
  readonly found: FoundModel;
  readonly variant: string;
  /** What is on this device already, from 0 to 1. */
  readonly from: number;
  /** Called at the half, unless that is here already; it may wait or throw. */
  readonly atHalf: () => Promise<void>;
  readonly emit: (progress: DownloadProgress) => void;
  readonly pause: () => Promise<void>;
  readonly signal: AbortSignal | undefined;
  /** What has come in. */
  readonly keep: (share: number) => void;
}

/** Twentieths of a download, as the hub's would tell them. */
export async function download(job: Download): Promise<void> {
  const chosen = job.found.variants.find(({ id }) => id === job.variant);
  const total = chosen?.bytes ?? 0;
  const file = chosen?.files[0];
  for (let part = Math.round(20 * job.from); part <= 20; part++) {
    const share = part / 20;
    const done = Math.round(share * total);
    job.keep(share);
    job.emit({
      stage: "downloading",
      file: file?.path ?? "",
      fileBytes: file?.bytes ?? null,
      fileDone: Math.round(share * (file?.bytes ?? 0)),
      done,
      total,
      bytesPerSecond: part === 0 ? null : 11.4e6,
      secondsLeft: part === 0 ? null : (total - done) / 11.4e6,
    });
    await job.pause();
    if (part === 10 && job.from < 0.5) await job.atHalf();
    if (job.signal?.aborted === true) throw new StudioError("aborted", "Stopped before there was anything to keep.");
  }
}
