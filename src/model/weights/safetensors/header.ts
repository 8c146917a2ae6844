/**
 * The header of one safetensors file: 8 bytes little-endian length, then JSON that says where each tensor's bytes lie.
 * Source: https://huggingface.co/docs/safetensors (the format section).
 */
import * as z from "zod/mini";
import { WeightsError } from "../../errors";
import { elementCount, readSlice } from "../bytes";
import { parseMembers } from "./json";

/** The format allows 100 MB; 20,000 tensors take 3 MB. */
const maxHeaderBytes = 4 * 1024 * 1024;
export const maxTensors = 20_000;

/** Bytes per element of every dtype of the format. */
const dtypeBytes: ReadonlyMap<string, number> = new Map([
  ...["BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"].map((dtype) => [dtype, 1] as const),
  ...["U16", "I16", "F16", "BF16"].map((dtype) => [dtype, 2] as const),
  ...["U32", "I32", "F32"].map((dtype) => [dtype, 4] as const),
  ...["U64", "I64", "F64", "C64"].map((dtype) => [dtype, 8] as const),
]);

const whole = () => z.int().check(z.minimum(0));
const entrySchema = z.object({ dtype: z.string(), shape: z.array(whole()), data_offsets: z.tuple([whole(), whole()]) });

/** A tensor as it lies in its file. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly file: string;
  readonly blob: Blob;
  /** Byte range in the file; as many bytes as dtype and shape make. */
  readonly start: number;
  readonly end: number;
}

/** How messages call a tensor: quoted, control characters escaped. */
export const labelOf = ({ file, name }: { readonly file: string; readonly name: string }): string =>
  `${file}: tensor ${JSON.stringify(name.slice(0, 200))}`;

/** `file` is how messages call it. Throws `WeightsError` for a header that is broken or lies. */
export async function readHeader(blob: Blob, file: string): Promise<readonly StoredTensor[]> {
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
  const members = parseMembers(await readSlice(blob, 8, dataStart, file), `The header of ${file}`);
  if (members.length > maxTensors) {
    throw new WeightsError(`${file} lists ${members.length} tensors; more than ${maxTensors} are not read.`);
  }
  const tensors = members
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => checkEntry(name, value, dataStart, blob, file));
  checkLayout(tensors, dataStart, blob.size, file);
  return tensors;
}

function checkEntry(name: string, value: unknown, dataStart: number, blob: Blob, file: string): StoredTensor {
  const label = labelOf({ file, name });
  const parsed = z.safeParse(entrySchema, value);
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join(".");
    throw new WeightsError(`${label} has a header entry with a wrong ${field || "form"}; the file is damaged.`);
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  const width = dtypeBytes.get(dtype);
  if (width === undefined) {
    throw new WeightsError(
      `${label} has the unknown dtype ${JSON.stringify(dtype.slice(0, 40))}; only F32, F16 and BF16 can be read.`,
    );
  }
  const [start, end] = [dataStart + offsets[0], dataStart + offsets[1]];
  if (end < start || !(end <= blob.size)) {
    throw new WeightsError(
      `${label} should lie in bytes ${start} to ${end}, but the file ends at ${blob.size}; it is cut off, download it again.`,
    );
  }
  const count = elementCount(shape);
  if (count === null || count * width !== end - start) {
    throw new WeightsError(
      `${label} has shape [${shape.slice(0, 8).join(", ")}] of ${dtype} but ${end - start} bytes of data; the file is damaged.`,
    );
  }
  return { name, dtype, shape, file, blob, start, end };
}

/** The format allows neither overlaps nor holes. */
function checkLayout(tensors: readonly StoredTensor[], dataStart: number, size: number, file: string): void {
  let end = dataStart;
  for (const tensor of tensors.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (tensor.start !== end) {
      throw new WeightsError(
        `${labelOf(tensor)} starts at byte ${tensor.start} but the one before it ends at ${end}; the file is damaged.`,
      );
    }
    end = tensor.end;
  }
  if (end !== size) {
    throw new WeightsError(
      `${file}: the tensors end at byte ${end} but the file at ${size}; it is damaged, download it again.`,
    );
  }
}
