/** The choices that a repository's files give: each with the files it needs, its bytes, and what stands against it. */
import type { FoundModel, RemoteFile, Variant, VariantFormat } from "./types";
import { ggufKind, ggufTypeOf, type Kind, onnxKind, unreadableKind } from "./variants";

/** Files beside the weights that the loader reads where they are there. */
const companions = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "chat_template.json",
  "special_tokens_map.json",
] as const;
const required = ["config.json", "tokenizer.json"] as const;
const maxVariants = 500;
const indexName = "model.safetensors.index.json";
const shard = /^model-(\d{5})-of-(\d{5})\.safetensors$/;
/** model_q4.onnx_data, model_q4.onnx_data_1, model.onnx.data */
const externalData = /^(.*\.onnx)(?:_data|\.data)(?:_\d+)?$/;

export interface Repository {
  readonly files: readonly RemoteFile[];
  readonly config: FoundModel["config"];
}

/** Usable ones first, in the order of the files; nothing is hidden. */
export function chooseVariants(repository: Repository): { variants: Variant[]; notes: string[] } {
  const { files } = repository;
  const rest = new Map(files.map((file) => [file.path, file]));
  const beside = companions.flatMap((path) => files.filter((file) => file.path === path));
  const lacking = required.filter((path) => !rest.has(path));
  const missing =
    lacking.length === 0
      ? null
      : `The repository has no ${lacking.join(" and no ")}, without which these weights cannot be used; choose a GGUF file or another repository.`;
  const variants: Variant[] = [];
  const add = (kind: Kind, weights: readonly RemoteFile[], others: readonly RemoteFile[], refusal: string | null) => {
    const [first] = weights;
    if (!first) return;
    for (const { path } of weights) rest.delete(path);
    variants.push(variantOf(first.path, kind.format, kind.label, [...weights, ...others], kind.refusal ?? refusal));
  };

  const data = groupBy(files, ({ path }) => externalData.exec(path)?.[1] ?? "");
  for (const file of files.filter(({ path }) => path.endsWith(".onnx"))) {
    add(onnxKind(file.path), [file, ...(data.get(file.path) ?? [])], beside, missing);
  }
  for (const [, group] of groupBy(
    files.filter(({ path }) => /\.gguf$/i.test(path)),
    ggufGroup,
  )) {
    const [first] = group;
    // A single GGUF file brings its own config and tokenizer; files beside it would take their place.
    if (first) add(ggufKind(first.path), group, [], null);
  }
  const tensors = safetensorsVariant(files, repository.config);
  if (tensors) add(tensors.kind, tensors.weights, beside, missing);
  const others = [...rest.values()].flatMap((file) => {
    const kind = unreadableKind(file.path);
    return kind ? [{ file, kind }] : [];
  });
  for (const [label, group] of groupBy(others, ({ kind }) => kind.label)) {
    const [first] = group;
    if (first)
      add(
        { ...first.kind, label: count(label, group.length) },
        group.map(({ file }) => file),
        [],
        null,
      );
  }
  variants.sort((a, b) => Number(a.refusal !== null) - Number(b.refusal !== null));
  const notes =
    variants.length > maxVariants
      ? [`The repository offers ${variants.length} choices; the first ${maxVariants} are listed.`]
      : [];
  return { variants: variants.slice(0, maxVariants), notes };
}

export function variantOf(
  id: string,
  format: VariantFormat,
  label: string,
  files: readonly RemoteFile[],
  refusal: string | null,
): Variant {
  const bytes = files.reduce<number | null>(
    (sum, file) => (sum === null || file.bytes === null ? null : sum + file.bytes),
    0,
  );
  return { id, format, label, files, bytes, refusal };
}

/**
 * 4-bit ONNX, else a common GGUF, else safetensors, else whatever can be used; the file or the GGUF type that was asked for
 * comes before all.
 */
export function preferredVariant(
  variants: readonly Variant[],
  file: string | null,
  type: string | null = null,
): string | null {
  const usable = variants.filter(({ refusal }) => refusal === null);
  if (file !== null) {
    const asked = variants.find(({ files }) => files.some(({ path }) => path === file) && !isCompanion(file));
    if (asked) return asked.refusal === null ? asked.id : null;
  }
  const ofType = type === null ? null : ggufOfType(variants, type);
  if (ofType) return ofType.refusal === null ? ofType.id : null;
  const gguf = (type: string) => usable.find(({ format, id }) => format === "gguf" && ggufTypeOf(id) === type);
  const best =
    usable.find(({ format, id }) => format === "onnx" && id.endsWith("model_q4.onnx")) ??
    gguf("Q4_K_M") ??
    gguf("Q4_0") ??
    gguf("Q8_0") ??
    usable.find(({ format }) => format === "safetensors") ??
    usable[0];
  return best?.id ?? null;
}

const isCompanion = (path: string): boolean => companions.some((name) => name === path);

/** "Q4_K_M", or a longer end of a file's name such as "UD-Q4_K_XL"; usable ones and short names first. */
export function ggufOfType(variants: readonly Variant[], type: string): Variant | null {
  const wanted = type.toLowerCase().replace(/\.gguf$/, "");
  const named = variants.filter(({ format, id }) => {
    if (format !== "gguf") return false;
    const stem = `-${id.slice(id.lastIndexOf("/") + 1, -".gguf".length).toLowerCase()}`;
    const before = stem[stem.length - wanted.length - 1] ?? "";
    return ggufTypeOf(id).toLowerCase() === wanted || (stem.endsWith(wanted) && /[-. ]/.test(before));
  });
  const rank = ({ refusal, id }: Variant): number => (refusal === null ? 0 : 1000) + id.length;
  return named.toSorted((a, b) => rank(a) - rank(b))[0] ?? null;
}

const ggufGroup = ({ path }: RemoteFile): string => path.replace(/-\d{5}-of-(\d{5})\.gguf$/i, "-of-$1.gguf");

interface SafetensorsFiles {
  readonly kind: Kind;
  readonly weights: readonly RemoteFile[];
}

function safetensorsVariant(files: readonly RemoteFile[], config: FoundModel["config"]): SafetensorsFiles | null {
  const single = files.filter(({ path }) => path === "model.safetensors");
  const { whole, shards } = shardsOf(files);
  const index = files.filter(({ path }) => path === indexName);
  const weights = single.length > 0 ? single : [...shards, ...index];
  if (weights.length === 0) return null;
  const broken =
    single.length > 0 || (whole > 0 && shards.length === whole)
      ? null
      : `Of its ${whole} parts ${shards.length} are there; choose another format.`;
  const quantized = quantization(config);
  const words = quantized?.words ?? "as trained";
  const label = single.length > 0 ? `safetensors, ${words}` : count(`safetensors, ${words}`, shards.length);
  return { kind: { format: "safetensors", label, refusal: broken ?? quantized?.refusal ?? null }, weights };
}

/** Parts that go together, numbered 1 to `whole`, which is what their names say; a complete set where there is one. */
function shardsOf(files: readonly RemoteFile[]): { readonly whole: number; readonly shards: readonly RemoteFile[] } {
  const sets = groupBy(files, ({ path }) => {
    const [, number, whole] = shard.exec(path) ?? [];
    return Number(number) >= 1 && Number(number) <= Number(whole) ? (whole ?? "") : "";
  });
  sets.delete("");
  const all = [...sets].map(([whole, shards]) => ({ whole: Number(whole), shards }));
  return all.find(({ whole, shards }) => shards.length === whole) ?? all[0] ?? { whole: 0, shards: [] };
}

/** What config.json says of quantized weights; null where they are plain floats. */
function quantization(config: FoundModel["config"]): { words: string; refusal: string | null } | null {
  const remedy = "choose an ONNX or GGUF file, or the model it was made from";
  if (isRecord(config?.["quantization"])) {
    return { words: "MLX", refusal: `It is quantized for Apple's MLX, which is not read; ${remedy}.` };
  }
  const stored = config?.["quantization_config"];
  if (!isRecord(stored)) return null;
  const method = String(stored["quant_method"] ?? "").slice(0, 40);
  if (method === "bitsandbytes" && stored["load_in_4bit"] === true)
    return { words: "4-bit bitsandbytes", refusal: null };
  return {
    words: method || "quantized",
    refusal: `It is quantized with ${method || "a method that config.json does not name"}, which is not read; ${remedy}.`,
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const count = (label: string, files: number): string => (files > 1 ? `${label} (${files} files)` : label);

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
