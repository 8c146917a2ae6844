/** Quantization on load against the Python package gguf and bitsandbytes, bit for bit (tests/golden/quantize.py). */
import { readFileSync } from "node:fs";
import { setFloat16 } from "@petamoriken/float16";
import { describe, expect, it } from "vitest";
import { WeightsError } from "../../src/model/errors";
import { type Quantization, quantizations, quantizedLayout, quantizeRows } from "../../src/model/quantize";
import type { WeightData } from "../../src/model/weights/types";
import { frozenBytes, pieceOffsets, pieceStep } from "../../src/ops/lib/frozen";
import { normals, random } from "../support/random";

interface Nf4 {
  readonly data: string;
  readonly absmax: string;
}
/** Arrays in base64. */
interface Golden {
  readonly shape: readonly number[];
  readonly values: string;
  readonly nf4: Nf4;
  readonly q8_0: { readonly codes: string; readonly scales: string; readonly values: string };
  readonly q4_1: { readonly codes: string; readonly scales: string; readonly mins: string };
  readonly short: { readonly shape: readonly number[]; readonly values: string; readonly nf4: Nf4 };
}

const golden: Golden = JSON.parse(readFileSync(new URL("../golden/quantize.json", import.meta.url), "utf8"));
const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(base64, "base64"));
const floatsOf = (base64: string) => new Float32Array(bytesOf(base64).buffer);
const floats = (base64: string, shape: readonly number[]): WeightData => ({
  form: "f32",
  shape,
  data: bytesOf(base64),
});
const whole = floats(golden.values, golden.shape);

function as<F extends WeightData["form"]>(form: F, data: WeightData): WeightData & { readonly form: F } {
  const is = (weight: WeightData): weight is WeightData & { readonly form: F } => weight.form === form;
  if (!is(data)) throw new TypeError(`${data.form} instead of ${form}`);
  return data;
}

describe("quantization on load", () => {
  it("to int8 is GGUF's Q8_0", () => {
    const made = as("int8", quantizeRows("int8", whole, "w"));
    expect(made).toMatchObject({ shape: [8, 96], group: 32 });
    expect(made.data).toEqual(bytesOf(golden.q8_0.codes));
    expect(made.scales).toEqual(floatsOf(golden.q8_0.scales));
    const values = Float32Array.from(
      new Int8Array(made.data.buffer),
      (code, i) => code * (made.scales[Math.floor(i / 32)] ?? 0),
    );
    expect(values.map((value) => value + 0)).toEqual(floatsOf(golden.q8_0.values).map((value) => value + 0));
  });

  it("to int4 is GGUF's Q4_1, neighbours in a byte", () => {
    const made = as("int4", quantizeRows("int4", whole, "w"));
    const codes = Uint8Array.from({ length: 8 * 96 }, (_, i) => ((made.data[i >> 1] ?? 0) >> (4 * (i & 1))) & 15);
    expect(codes).toEqual(bytesOf(golden.q4_1.codes));
    expect(made.scales).toEqual(floatsOf(golden.q4_1.scales));
    expect(made.offsets?.map((value) => value + 0)).toEqual(floatsOf(golden.q4_1.mins).map((value) => value + 0));
    expect(made.zeros).toBeNull();
  });

  it.each([
    ["whole blocks", whole, golden.nf4],
    ["a short last block", floats(golden.short.values, golden.short.shape), golden.short.nf4],
  ])("to NF4 is bitsandbytes': %s", (_, rows, expected) => {
    const made = as("nf4", quantizeRows("nf4", rows, "w"));
    expect(made.group).toBe(64);
    expect(made.data).toEqual(bytesOf(expected.data));
    expect(made.scales).toEqual(floatsOf(expected.absmax));
  });

  it("takes half floats by their values", () => {
    const values = floatsOf(golden.values).map((value) => Math.round(value * 64) / 64);
    const brain = new Uint16Array(new Uint32Array(values.buffer).length);
    new Uint32Array(values.buffer).forEach((bits, i) => {
      brain[i] = bits >>> 16;
    });
    const half = new DataView(new ArrayBuffer(2 * values.length));
    values.forEach((value, i) => {
      setFloat16(half, 2 * i, value, true);
    });
    // Multiples of 1/64 below 2 have 8 bits of mantissa.
    const small = values.every((value) => Math.abs(value) < 2 || Math.abs(value) === 37.5);
    expect(small).toBe(true);
    for (const q of ["int8", "int4", "nf4"] as const) {
      const full = quantizeRows(q, { form: "f32", shape: [8, 96], data: new Uint8Array(values.buffer) }, "w");
      expect(quantizeRows(q, { form: "bf16", shape: [8, 96], data: new Uint8Array(brain.buffer) }, "w")).toEqual(full);
      expect(quantizeRows(q, { form: "f16", shape: [8, 96], data: new Uint8Array(half.buffer) }, "w")).toEqual(full);
    }
  });

  it.each<Quantization>(["int8", "int4", "nf4"])(
    "gives the same %s in pieces, in buffers of the promised size",
    (q) => {
      const [rows, columns] = [37, 36];
      const data = new Uint8Array(normals(random(5), rows * columns).buffer);
      const layout = quantizedLayout(q, { form: "f32" });
      const all = quantizeRows(q, { form: "f32", shape: [rows, columns], data }, "w");
      const size = frozenBytes(layout, rows, columns);
      const made = {
        data: new Uint8Array(size.data),
        scales: new Uint8Array(size.scales),
        zeros: new Uint8Array(size.zeros),
      };
      const step = pieceStep(layout, columns);
      for (let first = 0; first < rows; first += step) {
        const count = Math.min(step, rows - first);
        const piece = quantizeRows(
          q,
          {
            form: "f32",
            shape: [count, columns],
            data: data.subarray(4 * first * columns, 4 * (first + count) * columns),
          },
          "w",
        );
        const at = pieceOffsets(layout, columns, first);
        const bytes = buffersOf(piece);
        for (const part of ["data", "scales", "zeros"] as const) made[part].set(bytes[part], at[part]);
      }
      const expected = buffersOf(all);
      expect(made.data.subarray(0, expected.data.length)).toEqual(expected.data);
      expect(made.scales).toEqual(expected.scales);
      expect(made.zeros).toEqual(expected.zeros);
      expect(size.data - expected.data.length).toBeLessThan(4);
    },
  );

  it.each<Quantization>(["int8", "int4", "nf4"])("says what %s costs, as the GPU's buffers come out", (q) => {
    const { data, scales, zeros } = frozenBytes(quantizedLayout(q, { form: "bf16" }), 1024, 4096);
    const { bitsPerWeight, description } = quantizations[q];
    expect((8 * (data + scales + zeros)) / (1024 * 4096)).toBe(bitsPerWeight);
    expect(description).toContain(`${bitsPerWeight} bits per weight`);
  });

  it("leaves vectors, and what is quantized already, as they are", () => {
    const vector: WeightData = { form: "f32", shape: [96], data: new Uint8Array(384) };
    const int8 = quantizeRows("int8", whole, "w");
    expect(quantizeRows("nf4", vector, "w")).toBe(vector);
    expect(quantizeRows("nf4", int8, "w")).toBe(int8);
    expect(quantizedLayout("nf4", { form: "int4", correction: "zeros" })).toEqual({
      form: "int4",
      correction: "zeros",
    });
  });

  it.each<[string, number, Quantization, string]>([
    ["NaN", Number.NaN, "nf4", "a.weight holds NaN in row 1 of the piece being quantized; the file is damaged"],
    ["infinity", Number.NEGATIVE_INFINITY, "int8", "a.weight holds -Infinity in row 1"],
    [
      "a scale past the half floats",
      1e7,
      "int8",
      "a.weight needs a scale or offset of 7.874e+4 when quantized, past the 65504",
    ],
    ["an offset past the half floats", -1e5, "int4", "a.weight needs a scale or offset of -1.000e+5 when quantized"],
  ])("refuses %s", (_, value, q, message) => {
    const values = new Float32Array(128);
    values[70] = value;
    const act = () => quantizeRows(q, { form: "f32", shape: [2, 64], data: new Uint8Array(values.buffer) }, "a.weight");
    expect(act).toThrow(WeightsError);
    expect(act).toThrow(message);
  });
});

function buffersOf(weight: WeightData): Record<"data" | "scales" | "zeros", Uint8Array<ArrayBuffer>> {
  const bytes = (array: Float32Array<ArrayBuffer> | undefined) =>
    new Uint8Array(array?.slice().buffer ?? new ArrayBuffer(0));
  return {
    data: weight.data,
    scales: bytes("scales" in weight ? weight.scales : undefined),
    zeros: bytes("offsets" in weight ? weight.offsets : undefined),
  };
}
