/**
 * safetensors: 8 bytes little-endian header length, a JSON header, then the tensors' bytes one after another.
 * Source: https://huggingface.co/docs/safetensors (the format section).
 */
import * as z from "zod/mini";
import { WeightsError } from "../errors";
import { checkFinite, elementCount, type FloatForm, readSlice } from "./bytes";
import type { ModelFiles, WeightData, WeightFormat, WeightInfo, WeightSource } from "./types";

const maxHeaderBytes = 100_000_000;
const maxTensors = 100_000;

/** Bytes per element of every dtype of the format; those without a form below are known but not trained on. */
const dtypeBytes: ReadonlyMap<string, number> = new Map([
  ...["BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"].map((dtype) => [dtype, 1] as const),
  ...["U16", "I16", "F16", "BF16"].map((dtype) => [dtype, 2] as const),
  ...["U32", "I32", "F32"].map((dtype) => [dtype, 4] as const),
  ...["U64", "I64", "F64", "C64"].map((dtype) => [dtype, 8] as const),
]);
const forms: ReadonlyMap<string, FloatForm> = new Map([
  ["F32", "f32"],
  ["F16", "f16"],
  ["BF16", "bf16"],
]);

const whole = () => z.int().check(z.minimum(0));
const entrySchema = z.object({ dtype: z.string(), shape: z.array(whole()), data_offsets: z.tuple([whole(), whole()]) });

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Byte range in the file. */
  readonly start: number;
  readonly end: number;
}

const fileName = "model.safetensors";
const indexName = "model.safetensors.index.json";

export const format: WeightFormat = {
  id: "safetensors",
  match(paths) {
    if (paths.includes(fileName)) return [fileName];
    return paths.includes(indexName) ? [indexName] : [];
  },
  async open(files: ModelFiles, paths: readonly string[]): Promise<WeightSource> {
    if (!paths.includes(fileName)) {
      throw new WeightsError(
        `${files.name} splits its weights over several files (${indexName}), which cannot be read yet; save the model as one ${fileName}, for example with save_pretrained(folder, max_shard_size="100GB").`,
      );
    }
    return openSafetensors(await files.open(fileName), fileName);
  },
};

/** Any safetensors file. `file` is how messages call it. Throws `WeightsError` for a header that is broken or lies. */
export async function openSafetensors(blob: Blob, file: string): Promise<WeightSource> {
  const entries = await readEntries(blob, file);
  const tensors = new Map<string, WeightInfo>();
  for (const { name, dtype, shape, start, end } of entries.values()) {
    const form = forms.get(dtype);
    // Integer buffers such as masks may lie beside the weights; they are left out until someone asks for them.
    if (form) tensors.set(name, { name, form, shape, bytes: end - start });
    else if (name.endsWith(".weight")) throw unreadable(file, name, dtype);
  }
  return {
    format: "safetensors",
    tensors,
    async read(name): Promise<WeightData> {
      const entry = entries.get(name);
      if (!entry)
        throw new WeightsError(`${file} has no tensor "${name}"; it holds another model or only part of one.`);
      const form = forms.get(entry.dtype);
      if (!form) throw unreadable(file, name, entry.dtype);
      const data = await readSlice(blob, entry.start, entry.end, file);
      checkFinite(form, data, file, name);
      return { form, shape: entry.shape, data };
    },
  };
}

function unreadable(file: string, name: string, dtype: string): WeightsError {
  return new WeightsError(
    `${file}: tensor "${name.slice(0, 200)}" has dtype ${dtype}; only F32, F16 and BF16 can be read, save the model in one of these.`,
  );
}

async function readEntries(blob: Blob, file: string): Promise<ReadonlyMap<string, Entry>> {
  if (blob.size < 10) {
    throw new WeightsError(`${file} has ${blob.size} bytes, too few for a safetensors file; download it again.`);
  }
  const head = await readSlice(blob, 0, 8, file);
  const length = new DataView(head.buffer).getBigUint64(0, true);
  if (length < 2n || length > BigInt(Math.min(maxHeaderBytes, blob.size - 8))) {
    throw new WeightsError(
      `${file} says that its header has ${length} bytes, but the file has ${blob.size} and a header at most ${maxHeaderBytes}; it is cut off or not a safetensors file.`,
    );
  }
  const dataStart = 8 + Number(length);
  const header = parseHeader(await readSlice(blob, 8, dataStart, file), file);
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    entries.push(checkEntry(name, value, dataStart, blob.size, file));
  }
  if (entries.length > maxTensors) {
    throw new WeightsError(`${file} lists ${entries.length} tensors; more than ${maxTensors} are not read.`);
  }
  checkLayout(entries, dataStart, blob.size, file);
  return new Map(entries.map((entry) => [entry.name, entry]));
}

function parseHeader(bytes: Uint8Array<ArrayBuffer>, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new WeightsError(`The header of ${file} is not valid JSON; the file is damaged or not a safetensors file.`, {
      cause: error,
    });
  }
  const record = z.safeParse(z.record(z.string(), z.unknown()), value);
  if (!record.success)
    throw new WeightsError(`The header of ${file} is not a JSON object; this is not a safetensors file.`);
  return record.data;
}

function checkEntry(name: string, value: unknown, dataStart: number, size: number, file: string): Entry {
  const label = `${file}: tensor "${name.slice(0, 200)}"`;
  const parsed = z.safeParse(entrySchema, value);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join(".");
    throw new WeightsError(`${label} has a header entry with a wrong ${field || "form"}; the file is damaged.`);
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  const width = dtypeBytes.get(dtype);
  if (width === undefined) {
    throw new WeightsError(
      `${label} has the unknown dtype "${dtype.slice(0, 40)}"; only F32, F16 and BF16 can be read.`,
    );
  }
  const [start, end] = [dataStart + offsets[0], dataStart + offsets[1]];
  if (end < start || !(end <= size)) {
    throw new WeightsError(
      `${label} should lie in bytes ${start} to ${end}, but the file ends at ${size}; it is cut off, download it again.`,
    );
  }
  const count = elementCount(shape);
  if (count === null || count * width !== end - start) {
    throw new WeightsError(
      `${label} has shape [${shape.slice(0, 8).join(", ")}] of ${dtype} but ${end - start} bytes of data; the file is damaged.`,
    );
  }
  return { name, dtype, shape, start, end };
}

/** The format allows neither overlaps nor holes. */
function checkLayout(entries: readonly Entry[], dataStart: number, size: number, file: string): void {
  let end = dataStart;
  for (const entry of entries.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (entry.start !== end) {
      throw new WeightsError(
        `${file}: tensor "${entry.name.slice(0, 200)}" starts at byte ${entry.start} but the one before it ends at ${end}; the file is damaged.`,
      );
    }
    end = entry.end;
  }
  if (end !== size) {
    throw new WeightsError(
      `${file}: the tensors end at byte ${end} but the file at ${size}; it is damaged, download it again.`,
    );
  }
}
