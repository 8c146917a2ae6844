/** The tensors of safetensors files: floats, and matrices in the four bits of bitsandbytes. */
import { pieceStep } from "../../../ops/lib/frozen";
import { WeightsError } from "../../errors";
import type { FloatForm } from "../bytes";
import type { ExpectedTensor, ModelFiles, RowRange, WeightData, WeightInfo, WeightSource } from "../types";
import { type FourBitMatrix, findFourBit, readFourBit } from "./bitsandbytes";
import { floatForms, readFloats, readTransposed } from "./floats";
import { labelOf, readHeader, type StoredTensor } from "./header";
import { readShards } from "./shards";

/** A model's files, as `matchPaths` gives them. Throws `WeightsError` for a header that is broken or lies. */
export async function openFolder(
  files: ModelFiles,
  paths: readonly string[],
  expected: readonly ExpectedTensor[],
): Promise<WeightSource> {
  const where = paths.length > 1 ? files.name : (paths[0] ?? files.name);
  return openTensors(await readShards(files, paths), where, expected);
}

/** One file. `file` is how messages call it. Throws `WeightsError` for a header that is broken or lies. */
export async function openFile(blob: Blob, file: string, expected: readonly ExpectedTensor[]): Promise<WeightSource> {
  const tensors = await readHeader(blob, file);
  return openTensors(new Map(tensors.map((tensor) => [tensor.name, tensor])), file, expected);
}

/** What a name stands for: its description, and how its rows are read; `rows` is null for the whole tensor. */
interface Readable {
  readonly info: WeightInfo;
  readonly read: (rows: RowRange | undefined) => Promise<WeightData>;
}

async function openTensors(
  stored: ReadonlyMap<string, StoredTensor>,
  where: string,
  expected: readonly ExpectedTensor[],
): Promise<WeightSource> {
  const { matrices, parts } = await findFourBit(stored);
  const turned = conv1dNames(expected);
  const asked = new Set(expected.map(({ name }) => name));
  const readable = new Map<string, Readable>();
  for (const tensor of stored.values()) {
    const { name, dtype } = tensor;
    const matrix = matrices.get(name);
    const form = floatForms.get(dtype);
    if (matrix) readable.set(name, fourBit(matrix));
    else if (parts.has(name)) continue;
    // Integer buffers such as masks may lie beside the weights; they are left out until someone asks for them.
    else if (form) readable.set(name, turned.has(name) ? transposed(tensor, form) : floats(tensor, form));
    else if (name.endsWith(".weight") && (asked.size === 0 || asked.has(name))) throw unreadable(tensor);
  }
  const nested = [...matrices.values()].find((matrix) => matrix.nested);
  return {
    format: "safetensors",
    tensors: new Map([...readable].map(([name, { info }]) => [name, info])),
    ...(nested ? { held: [`${nested.form} with 8-bit scales as ${nested.form} with float32 scales`] } : {}),
    async read(name, rows): Promise<WeightData> {
      const found = readable.get(name);
      const tensor = stored.get(name);
      if (!found && tensor && !parts.has(name)) throw unreadable(tensor);
      if (!found) {
        throw new WeightsError(
          `${where} has no tensor ${JSON.stringify(name)}; it holds another model or only part of one.`,
        );
      }
      if (rows) checkRows(found.info, rows, where);
      return found.read(rows);
    },
  };
}

function floats(tensor: StoredTensor, form: FloatForm): Readable {
  const { name, shape, start, end } = tensor;
  return { info: { name, form, shape, bytes: end - start }, read: (rows) => readFloats(tensor, form, rows) };
}

/** A matrix that is stored [in, out]. Other shapes are given as they are; the loader compares shapes. */
function transposed(tensor: StoredTensor, form: FloatForm): Readable {
  const { info } = floats(tensor, form);
  const [inputs, outputs] = info.shape;
  if (inputs === undefined || outputs === undefined || info.shape.length !== 2) return floats(tensor, form);
  return {
    info: { ...info, shape: [outputs, inputs] },
    read: (rows) => readTransposed(tensor, form, rows ?? { first: 0, count: outputs }),
  };
}

function fourBit(matrix: FourBitMatrix): Readable {
  const { name, form, shape, group, bytes } = matrix;
  const [rows, columns] = shape;
  return {
    info: { name, form, shape, group, bytes, rowStep: pieceStep({ form, group }, columns) },
    read: (piece) => readFourBit(matrix, piece ?? { first: 0, count: rows }),
  };
}

/** bitsandbytes turns such a matrix before it quantizes it, so this concerns floats only. */
function conv1dNames(expected: readonly ExpectedTensor[]): ReadonlySet<string> {
  const names = expected.filter(({ conv1d }) => conv1d).map(({ name }) => name);
  // Checkpoints of the bare model leave the first part of the name out.
  return new Set([...names, ...names.map((name) => name.slice(name.indexOf(".") + 1))]);
}

function checkRows({ name, shape, rowStep = 1 }: WeightInfo, { first, count }: RowRange, where: string): void {
  const end = first + count;
  const total = shape[0] ?? 0;
  const whole = Number.isSafeInteger(first) && Number.isSafeInteger(count) && first >= 0 && count >= 0;
  if (shape.length === 2 && whole && end <= total && first % rowStep === 0 && (end % rowStep === 0 || end === total)) {
    return;
  }
  throw new WeightsError(
    `${where} cannot give rows ${first} to ${end} of ${JSON.stringify(name)}; it has the shape [${shape.join(", ")}] and pieces of whole multiples of ${rowStep} rows.`,
  );
}

function unreadable(tensor: StoredTensor): WeightsError {
  return new WeightsError(
    `${labelOf(tensor)} has dtype ${tensor.dtype}; only F32, F16 and BF16 can be read, save the model in one of these.`,
  );
}
