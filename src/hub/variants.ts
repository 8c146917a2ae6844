/** What one weight file of a repository is, by its name alone: its format in words, and why it cannot be used. */
import type { VariantFormat } from "./types";

export interface Kind {
  readonly format: VariantFormat;
  readonly label: string;
  readonly refusal: string | null;
}

/** The suffixes that transformers.js gives its variants. */
const onnxVariants: ReadonlyMap<string, string> = new Map([
  ["", "32-bit floats"],
  ["_fp16", "16-bit floats"],
  ["_q4", "4-bit"],
  ["_q4f16", "4-bit, the rest in 16-bit floats"],
  ["_bnb4", "4-bit NF4"],
  ["_int8", "8-bit"],
  ["_uint8", "8-bit, unsigned"],
  ["_quantized", "8-bit"],
]);

export function onnxKind(path: string): Kind {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const name = path.slice(folder.length, -".onnx".length);
  const kind = (label: string, refusal: string | null): Kind => ({ format: "onnx", label: `ONNX, ${label}`, refusal });
  const words = onnxVariants.get(name.slice("model".length));
  if (name.startsWith("model") && words !== undefined) {
    if (folder === "" || folder === "onnx/") return kind(words, null);
    return kind(`${words} (${folder})`, `It lies in a folder of its own; download ${folder} and drop it here.`);
  }
  if (/^decoder_(with_past_)?model/.test(name)) {
    return kind(
      name,
      "It has the older layout with decoder_model files, which is not read; choose model.onnx or another format.",
    );
  }
  if (/encoder|vision|audio|embed|prompt|speech|image/.test(name)) {
    return kind(name, "It is one part of a model of several parts and holds no decoder.");
  }
  return kind(
    name,
    "Only model.onnx and its variants such as model_q4.onnx are read; choose one of these or another format.",
  );
}

const ggufType = /(?:^|[-._ ])(I?Q\d(?:_[0-9A-Z]+)*|TQ\d_\d|MXFP4|BF16|F16|FP16|F32|FP32)(?=[-._ ]|$)/i;
/** About so many bits a weight, in words. */
const ggufBits: ReadonlyMap<string, string> = new Map([
  ["Q4", "about 4 bits a weight"],
  ["Q5", "about 5 bits a weight"],
  ["Q6", "about 6 bits a weight"],
  ["Q8", "8 bits a weight"],
  ["F16", "16-bit floats"],
  ["FP16", "16-bit floats"],
  ["BF16", "16-bit floats (bfloat16)"],
  ["F32", "32-bit floats"],
  ["FP32", "32-bit floats"],
]);

/** "Q4_K_M" in "smollm2-135m-instruct-q4_k_m.gguf"; "" where the name does not say. */
export function ggufTypeOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1, -".gguf".length);
  return (ggufType.exec(name)?.[1] ?? "").toUpperCase();
}

export function ggufKind(path: string): Kind {
  const type = ggufTypeOf(path);
  const bits = ggufBits.get(type) ?? ggufBits.get(type.slice(0, 2));
  const name = path.slice(path.lastIndexOf("/") + 1);
  const label = type === "" ? `GGUF, ${name}` : `GGUF, ${type}${bits ? ` (${bits})` : ""}`;
  return { format: "gguf", label, refusal: ggufRefusal(name, type) };
}

function ggufRefusal(name: string, type: string): string | null {
  if (/imatrix/i.test(name) && !/Q\d|F16|F32/i.test(type))
    return "It is an importance matrix for quantizing, not a model.";
  if (/mmproj/i.test(name)) return "It is the image part of a model, not a model.";
  if (/-\d{5}-of-\d{5}\.gguf$/i.test(name)) {
    return "It is split over several files, which is not read; choose a GGUF of one file or another format.";
  }
  if (/^Q4_0_(4_4|4_8|8_8)$/.test(type)) {
    return `The block type ${type} is ordered for one kind of processor, which is not read; choose Q4_0 or Q4_K_M.`;
  }
  if (/^(IQ|TQ|MXFP)/.test(type) || /^Q[123](_|$)/.test(type)) {
    return `The block type ${type} is not read; choose Q4_0, Q4_K_M, Q5_K_M, Q6_K or Q8_0.`;
  }
  return null;
}

interface Unreadable {
  readonly pattern: RegExp;
  readonly label: string;
  readonly refusal: string;
}

/** Weights that are named in the list so that nobody wonders where they are. */
const unreadable: readonly Unreadable[] = [
  {
    pattern: /(^|\/)(adapter_model.*)\.(safetensors|bin)$/,
    label: "LoRA adapter",
    refusal: "It is an adapter, not a model; open its base model and add the adapter there.",
  },
  {
    pattern: /\.gguf(\.part[^/]*|-split-[^/]*)$/i,
    label: "GGUF in pieces",
    refusal: "It was cut into pieces that must be joined first, which is not done here; choose a GGUF of one file.",
  },
  {
    pattern: /\.(bin|pth|pt|ckpt)$/,
    label: "PyTorch checkpoint",
    refusal: "PyTorch checkpoints may run code when they are opened, so they are not read; choose safetensors.",
  },
  {
    pattern: /\.(msgpack|flax)$/,
    label: "Flax checkpoint",
    refusal: "Flax checkpoints are not read; choose safetensors.",
  },
  {
    pattern: /\.(h5|tflite|keras|pb)$/,
    label: "TensorFlow file",
    refusal: "TensorFlow files are not read; choose safetensors.",
  },
  { pattern: /\.ot$/, label: "Rust checkpoint", refusal: "rust-bert checkpoints are not read; choose safetensors." },
  { pattern: /\.npz$/, label: "MLX weights", refusal: "MLX weights are not read; choose safetensors." },
  {
    pattern: /\.(mlmodel|mlpackage\/.*|mlmodelc\/.*|engine|nemo|llamafile|task|litertlm|pte)$/,
    label: "Runtime package",
    refusal: "This is made for one runtime and is not read; choose safetensors.",
  },
  {
    pattern: /(^|\/)consolidated.*\.safetensors$/,
    label: "safetensors with the names of the original release",
    refusal: "Its tensors have other names; choose model.safetensors.",
  },
  {
    pattern: /\.safetensors$/,
    label: "Other safetensors file",
    refusal:
      "Only model.safetensors of the top folder, whole or in numbered parts, is read; drop the file's own folder here.",
  },
];

/** Training state beside the weights is no choice at all. */
const noWeights =
  /(^|\/)(training_args|optimizer|scheduler|rng_state|scaler|trainer_state)[^/]*\.(bin|pt|pth)$|(^|\/)imatrix[^/]*\.dat$/;

/** Null for files that hold no weights. */
export function unreadableKind(path: string): Kind | null {
  if (noWeights.test(path)) return null;
  const found = unreadable.find(({ pattern }) => pattern.test(path));
  return found ? { format: "other", label: found.label, refusal: found.refusal } : null;
}
