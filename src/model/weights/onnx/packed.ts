/** Matrices that one exporter packs into one and another keeps apart: q, k and v, gate and up, one below the other. */
import { WeightsError } from "../../errors";
import type { RowRange, WeightData } from "../types";
import { checkRange, notes, type OnnxTensor } from "./tensor";

interface Packing {
  readonly whole: string;
  readonly parts: readonly string[];
}

const packings: readonly Packing[] = [
  { whole: "qkv_proj", parts: ["q_proj", "k_proj", "v_proj"] },
  { whole: "gate_up_proj", parts: ["gate_proj", "up_proj"] },
];

export interface PackedName {
  readonly whole: string;
  readonly parts: readonly string[];
}

/** The names that belong together with this one, where it can be packed: of the whole and of all parts. */
export function packedName(name: string): PackedName | null {
  const found = /^(.*\.)([a-z_]+)(\.(?:weight|bias))$/.exec(name);
  const [, before = "", module = "", after = ""] = found ?? [];
  const packing = packings.find(({ whole, parts }) => whole === module || parts.includes(module));
  if (!found || !packing) return null;
  const full = (part: string): string => before + part + after;
  return { whole: full(packing.whole), parts: packing.parts.map(full) };
}

/** Rows `first` to `first + count` as a tensor of their own. Throws `WeightsError` where that cuts a block. */
export function splitTensor(tensor: OnnxTensor, first: number, count: number): OnnxTensor {
  checkRange(tensor, { first, count });
  const [rows = 1, ...rest] = tensor.shape;
  return {
    ...tensor,
    shape: [count, ...rest],
    bytes: Math.round((tensor.bytes * count) / rows),
    read: (range) => tensor.read({ first: first + range.first, count: range.count }),
  };
}

/** One below the other. Throws `WeightsError` where their forms differ or a block would hold values of two. */
export function joinTensors(tensors: readonly OnnxTensor[]): OnnxTensor {
  const [top, ...others] = tensors;
  if (!top) throw new WeightsError("No tensors to put together; export the model again.");
  const step = top.rowStep ?? 1;
  for (const other of others) {
    const alike =
      other.form === top.form &&
      other.group === top.group &&
      other.correction === top.correction &&
      other.shape.length === top.shape.length &&
      other.shape[1] === top.shape[1];
    if (!alike) {
      throw new WeightsError(
        `${top.label} and ${other.label.replace(/^.*?: /, "")} are one matrix in this model but are stored differently; export the model with one kind of weights.`,
      );
    }
  }
  const starts: number[] = [];
  let rows = 0;
  for (const tensor of tensors) {
    if (rows % step !== 0)
      throw new WeightsError(`${tensor.label} begins inside a block of rows; export the model with packed matrices.`);
    starts.push(rows);
    rows += tensor.shape[0] ?? 0;
  }
  return {
    ...top,
    shape: [rows, ...top.shape.slice(1)],
    bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
    held: notes(...new Set(tensors.map(({ held }) => held ?? null))),
    async read({ first, count }) {
      const pieces: WeightData[] = [];
      for (const [i, tensor] of tensors.entries()) {
        const range = overlap({ first, count }, { first: starts[i] ?? 0, count: tensor.shape[0] ?? 0 });
        if (range) pieces.push(await tensor.read(range));
      }
      const [piece] = pieces;
      return piece && pieces.length === 1 ? piece : stack(pieces, top.label);
    },
  };
}

/** What of `asked` lies in `part`, counted from the part's start. */
function overlap(asked: RowRange, part: RowRange): RowRange | null {
  const first = Math.max(asked.first, part.first);
  const end = Math.min(asked.first + asked.count, part.first + part.count);
  return end > first ? { first: first - part.first, count: end - first } : null;
}

function stack(pieces: readonly WeightData[], label: string): WeightData {
  const [top] = pieces;
  if (!top) throw new WeightsError(`${label}: no rows were asked for; ask for at least one.`);
  const data = concatBytes(pieces.map((piece) => piece.data));
  const rows = pieces.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const floats = (of: (piece: WeightData) => Float32Array<ArrayBuffer> | undefined) =>
    concatFloats(pieces.map((piece) => of(piece) ?? new Float32Array()));
  const scalesOf = (piece: WeightData) => ("scales" in piece ? piece.scales : undefined);
  if (top.form === "int4") {
    const zeros = pieces.map((piece) => (piece.form === "int4" && piece.zeros) || new Uint8Array());
    return {
      ...top,
      data,
      shape: [rows, top.shape[1]],
      scales: floats(scalesOf),
      zeros: top.zeros && concatBytes(zeros),
    };
  }
  if (top.form === "int8") {
    const zeros = floats((piece) => (piece.form === "int8" ? piece.zeros : undefined));
    return { ...top, data, shape: [rows, top.shape[1]], scales: floats(scalesOf), ...(top.zeros ? { zeros } : {}) };
  }
  if (top.form === "nf4" || top.form === "fp4") {
    const { form, group, shape } = top;
    return { form, group, data, shape: [rows, shape[1]], scales: floats(scalesOf) };
  }
  const { form, shape } = top;
  return { form, data, shape: [rows, ...shape.slice(1)] };
}

function concatBytes(pieces: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

function concatFloats(pieces: readonly Float32Array<ArrayBuffer>[]): Float32Array<ArrayBuffer> {
  const out = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
