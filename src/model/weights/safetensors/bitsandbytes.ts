/**
 * Matrices in four bits as transformers saves them with bitsandbytes: X.weight holds the codes, X.weight.absmax the scales and
 * X.weight.quant_state.bitsandbytes__nf4 (or fp4) a JSON text with the matrix's shape. Scales may be quantized themselves, in
 * 8 bits by a table. Source: QuantState of bitsandbytes.functional.
 */
import * as z from "zod/mini";
import { WeightsError } from "../../errors";
import { fp4Values, nf4Values } from "../../quantize/codes";
import { elementCount, readSlice } from "../bytes";
import type { RowRange, WeightData } from "../types";
import { labelOf, type StoredTensor } from "./header";
import { parseMembers } from "./json";

const maxStateBytes = 4096;
const statePattern = /^(.*)\.quant_state\.bitsandbytes__(\w{1,40})$/s;

const whole = () => z.int().check(z.minimum(1));
const stateSchema = z.object({
  quant_type: z.enum(["nf4", "fp4"]),
  blocksize: z.literal([16, 32, 64, 128, 256, 512, 1024, 2048, 4096]),
  shape: z.tuple([whole(), whole()]),
  // What the values are rounded to when bitsandbytes computes with them; the file's values are code · scale all the same.
  dtype: z.enum(["float32", "float16", "bfloat16"]),
});
const nestedSchema = z.object({
  nested_blocksize: z.int().check(z.minimum(1), z.maximum(65_536)),
  nested_dtype: z.literal("float32"),
  nested_offset: z.number(),
});

/** Scales as they lie in the file. */
interface NestedScales {
  readonly table: StoredTensor;
  readonly scales: StoredTensor;
  readonly block: number;
  readonly offset: number;
}

export interface FourBitMatrix {
  readonly name: string;
  readonly form: "nf4" | "fp4";
  readonly shape: readonly [number, number];
  readonly group: number;
  /** In the files, scales included. */
  readonly bytes: number;
  readonly codes: StoredTensor;
  readonly absmax: StoredTensor;
  readonly nested: NestedScales | null;
}

export interface FourBitTensors {
  readonly matrices: ReadonlyMap<string, FourBitMatrix>;
  /** Names of the tensors that belong to a matrix, its codes included. */
  readonly parts: ReadonlySet<string>;
}

/** Throws `WeightsError` for LLM.int8, and where a state and its tensors do not fit together. */
export async function findFourBit(tensors: ReadonlyMap<string, StoredTensor>): Promise<FourBitTensors> {
  const matrices = new Map<string, FourBitMatrix>();
  const parts = new Set<string>();
  for (const tensor of tensors.values()) {
    if (tensor.name.endsWith(".SCB")) {
      throw new WeightsError(
        `${labelOf(tensor)} belongs to a matrix in LLM.int8, the 8 bits of bitsandbytes, which cannot be read; use the unquantized model, or one saved with load_in_4bit.`,
      );
    }
    const [, name, kind] = statePattern.exec(tensor.name) ?? [];
    if (name === undefined || kind === undefined) continue;
    const matrix = await readState(tensors, tensor, name, kind, parts);
    if (matrices.has(name)) {
      throw new WeightsError(`${labelOf(tensor)} is a second quant_state of one matrix; the file is damaged.`);
    }
    matrices.set(name, matrix);
  }
  return { matrices, parts };
}

async function readState(
  tensors: ReadonlyMap<string, StoredTensor>,
  state: StoredTensor,
  name: string,
  kind: string,
  parts: Set<string>,
): Promise<FourBitMatrix> {
  const label = labelOf(state);
  const size = state.end - state.start;
  if (state.dtype !== "U8" || size < 2 || size > maxStateBytes) {
    throw new WeightsError(
      `${label} has ${size} bytes of ${state.dtype}; a quant_state is up to ${maxStateBytes} bytes of U8, the file is damaged.`,
    );
  }
  const fields = Object.fromEntries(
    parseMembers(await readSlice(state.blob, state.start, state.end, state.file), label),
  );
  const { quant_type: form, blocksize: group, shape } = checked(stateSchema, fields, label);
  if (form !== kind) {
    throw new WeightsError(`${label} says that its quant_type is ${form}, unlike its name; the file is damaged.`);
  }
  const count = elementCount(shape);
  if (count === null) {
    throw new WeightsError(
      `${label} says that the shape is [${shape.join(", ")}], which is impossible; the file is damaged.`,
    );
  }
  parts.add(state.name);
  let bytes = size;
  const part = (suffix: string, dtypes: readonly string[] | null, length: number): StoredTensor => {
    const tensor = tensors.get(name + suffix);
    if (!tensor) {
      throw new WeightsError(
        `${label} goes with ${JSON.stringify((name + suffix).slice(0, 200))}, which is missing; download the file again.`,
      );
    }
    const held = tensor.end - tensor.start;
    if ((dtypes && !dtypes.includes(tensor.dtype)) || held !== length) {
      throw new WeightsError(
        `${labelOf(tensor)} has ${held} bytes of ${tensor.dtype}, but for the shape [${shape.join(", ")}] in blocks of ${group} it must be ${length}${dtypes ? ` of ${dtypes.join(" or ")}` : ""}; the file is damaged.`,
      );
    }
    parts.add(tensor.name);
    bytes += held;
    return tensor;
  };
  const blocks = Math.ceil(count / group);
  // The codes may be stored as any type (bnb_4bit_quant_storage); only their bytes count.
  const codes = part("", null, Math.ceil(count / 2));
  await checkTable(part(".quant_map", ["F32"], 64), form);
  const isNested = "nested_offset" in fields || tensors.has(`${name}.nested_absmax`);
  const absmax = part(".absmax", [isNested ? "U8" : "F32"], isNested ? blocks : 4 * blocks);
  let nested: NestedScales | null = null;
  if (isNested) {
    const { nested_blocksize: block, nested_offset: offset } = checked(nestedSchema, fields, label);
    const table = part(".nested_quant_map", ["F32"], 1024);
    nested = { table, scales: part(".nested_absmax", ["F32"], 4 * Math.ceil(blocks / block)), block, offset };
  }
  return { name, form, shape, group, bytes, codes, absmax, nested };
}

function checked<T extends z.ZodMiniType>(
  schema: T,
  fields: Readonly<Record<string, unknown>>,
  label: string,
): z.infer<T> {
  const parsed = z.safeParse(schema, fields);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path ?? [];
  const value = JSON.stringify(fields[String(path[0])])?.slice(0, 100) ?? "missing";
  throw new WeightsError(
    `${label} has the field ${path.join(".")} wrong (${value}); the file is damaged or of an unknown kind.`,
  );
}

/** The kernels have bitsandbytes' own tables; another one is another format. */
async function checkTable(tensor: StoredTensor, form: "nf4" | "fp4"): Promise<void> {
  const table = await readFloat32(tensor, 0, 16);
  const standard = form === "nf4" ? nf4Values : fp4Values;
  const bad = standard.findIndex((value, i) => !(Math.abs(value - (table[i] ?? Number.NaN)) <= 1e-6));
  if (bad < 0) return;
  throw new WeightsError(
    `${labelOf(tensor)} has the value ${table[bad]} for code ${bad}, where ${form} has ${standard[bad]}; other code tables cannot be read, save the model with the standard one.`,
  );
}

/** Some rows of the matrix, which begin at a block's boundary. Throws `WeightsError` where a scale is not finite. */
export async function readFourBit(matrix: FourBitMatrix, rows: RowRange): Promise<WeightData> {
  const { form, shape, group, codes } = matrix;
  const [from, to] = [rows.first * shape[1], (rows.first + rows.count) * shape[1]];
  const data = await readSlice(
    codes.blob,
    codes.start + Math.floor(from / 2),
    codes.start + Math.ceil(to / 2),
    codes.file,
  );
  const scales = await readScales(matrix, Math.floor(from / group), Math.ceil(to / group));
  const bad = scales.findIndex((scale) => !Number.isFinite(scale));
  if (bad >= 0) {
    throw new WeightsError(
      `${labelOf(matrix.absmax)} holds NaN or infinity at block ${Math.floor(from / group) + bad}; the file is damaged, use another copy.`,
    );
  }
  return { form, shape: [rows.count, shape[1]], group, data, scales };
}

/** Of blocks `from` up to `to`. */
async function readScales(
  { absmax, nested }: FourBitMatrix,
  from: number,
  to: number,
): Promise<Float32Array<ArrayBuffer>> {
  if (!nested) return readFloat32(absmax, from, to);
  const { block, offset } = nested;
  const codes = await readSlice(absmax.blob, absmax.start + from, absmax.start + to, absmax.file);
  const table = await readFloat32(nested.table, 0, 256);
  const firstBlock = Math.floor(from / block);
  const scales = await readFloat32(nested.scales, firstBlock, Math.ceil(to / block));
  const shift = Math.fround(offset);
  return Float32Array.from(codes, (code, i) => {
    const scale = scales[Math.floor((from + i) / block) - firstBlock] ?? Number.NaN;
    // Product and sum are rounded one after the other, as bitsandbytes does.
    return Math.fround((table[code] ?? Number.NaN) * scale) + shift;
  });
}

/** Elements `from` up to `to` of an F32 tensor. */
async function readFloat32(
  { blob, file, start }: StoredTensor,
  from: number,
  to: number,
): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array((await readSlice(blob, start + 4 * from, start + 4 * to, file)).buffer);
}
