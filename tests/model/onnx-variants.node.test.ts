/** ONNX: every way that onnxruntime's quantizers store weights, decoded to the bit as onnxruntime decodes it. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { format } from "../../src/model/weights/onnx";
import type { RowRange, WeightInfo, WeightSource } from "../../src/model/weights/types";
import golden from "../golden/onnx-variants/values.json";
import { decodeWeights } from "../support/decode-weights";
import { type Bytes, folderOf } from "./build-files";

const q = "model.layers.0.self_attn.q_proj.weight";
const o = "model.layers.0.self_attn.o_proj.weight";
const head = "lm_head.weight";
const embedding = "model.embed_tokens.weight";

const goldenBytes = async (name: string): Promise<Bytes> =>
  new Uint8Array(await readFile(new URL(`../golden/onnx-variants/${name}`, import.meta.url)));

const expectedOf = (tensors: Readonly<Record<string, { readonly shape: readonly number[] }>>) =>
  Object.entries(tensors).map(([name, { shape }]) => ({ name, shape }));

async function openVariant(name: keyof typeof golden.files): Promise<WeightSource> {
  const folder = folderOf({ "onnx/model.onnx": await goldenBytes(`${name}.onnx`) });
  return format.open(folder, format.match(folder.paths), expectedOf(golden.files[name]));
}

/** A zero counts as positive: products with the identity lose its sign. */
const digest = (values: Float32Array<ArrayBuffer>): string => {
  const positive = values.map((value) => value + 0);
  return createHash("sha256").update(new Uint8Array(positive.buffer)).digest("hex");
};

async function piecewise(source: WeightSource, info: WeightInfo): Promise<Float32Array<ArrayBuffer>> {
  const [rows = 0, columns = 1] = info.shape;
  const step = info.rowStep ?? 1;
  const out = new Float32Array(rows * columns);
  // Unequal pieces, first the later ones.
  const ranges: RowRange[] = [];
  for (let first = 0, size = step; first < rows; first += size, size += step)
    ranges.unshift({ first, count: Math.min(size, rows - first) });
  for (const range of ranges) out.set(decodeWeights(await source.read(info.name, range)), range.first * columns);
  return out;
}

const names = Object.keys(golden.files).filter((name): name is keyof typeof golden.files => name !== "external");

describe("weights as onnxruntime stores them", () => {
  it.each(names)("%s: every value to the bit, whole and by rows", async (name) => {
    const tensors = golden.files[name];
    const source = await openVariant(name);
    expect([...source.tensors.keys()].toSorted()).toEqual(Object.keys(tensors).toSorted());
    for (const [tensor, { shape, sha256 }] of Object.entries(tensors)) {
      const info = source.tensors.get(tensor);
      if (!info) expect.fail(tensor);
      const whole = await source.read(tensor);
      expect({ tensor, shape: info.shape, read: whole.shape }).toEqual({ tensor, shape, read: shape });
      expect({ tensor, form: whole.form }).toEqual({ tensor, form: info.form });
      expect({ tensor, sha256: digest(decodeWeights(whole)) }).toEqual({ tensor, sha256 });
      expect({ tensor, sha256: digest(await piecewise(source, info)) }).toEqual({ tensor, sha256 });
      if (whole.form === "int4") expect(info.correction).toBe(whole.zeros ? "zeros" : undefined);
      if (whole.form === "int8") {
        expect(info).toMatchObject({ group: whole.group });
        expect(info.correction).toBe(whole.zeros ? "zeros" : undefined);
      }
    }
  });

  it("external data in two files", async () => {
    const folder = folderOf({
      "onnx/external.onnx": await goldenBytes("external.onnx"),
      "onnx/external.onnx_data": await goldenBytes("external.onnx_data"),
      "onnx/external.onnx_data_1": await goldenBytes("external.onnx_data_1"),
    });
    const source = await format.open(folder, ["onnx/external.onnx"], expectedOf(golden.files.external));
    for (const [tensor, { sha256 }] of Object.entries(golden.files.external))
      expect({ tensor, sha256: digest(decodeWeights(await source.read(tensor))) }).toEqual({ tensor, sha256 });
  });

  it.each<[keyof typeof golden.files, string, Partial<WeightInfo>, readonly string[]]>([
    ["fp32", q, { form: "f32" }, []],
    ["fp16", q, { form: "f16" }, []],
    ["q4-16", q, { form: "int8", group: 16 }, ["4-bit blocks of 16 as int8 by 16"]],
    ["q4-32", q, { form: "int4", correction: "zeros" }, []],
    ["q4-32-symmetric", q, { form: "int4" }, []],
    ["q4-64", o, { form: "int4", correction: "zeros" }, ["4-bit blocks of 64 as blocks of 32"]],
    ["q4-128", o, { form: "int4", correction: "zeros" }, ["4-bit blocks of 128 as blocks of 32"]],
    ["q4f16", q, { form: "int4", correction: "zeros" }, ["f16 scales as f32"]],
    ["q8-32", q, { form: "int8", group: 32, correction: "zeros" }, ["8-bit blocks of 32 as int8 by 32"]],
    ["bnb4-nf4", q, { form: "nf4", group: 64, rowStep: 2 }, []],
    ["bnb4-fp4", o, { form: "fp4", group: 64, rowStep: 16 }, []],
    ["int8", q, { form: "int8", group: 96 }, ["uint8 as int8, zero points less 128"]],
    ["uint8", head, { form: "int8", group: 96, correction: "zeros" }, ["uint8 as int8, zero points less 128"]],
    ["gather-u4", embedding, { form: "int4", correction: "zeros" }, []],
    ["gather-i4", embedding, { form: "int4" }, []],
  ])("%s says of %s what it is held as", async (name, tensor, info, held) => {
    const source = await openVariant(name);
    expect(source.tensors.get(tensor)).toMatchObject(info);
    expect(source.held).toEqual(held);
    expect("correction" in (source.tensors.get(tensor) ?? {})).toBe("correction" in info);
  });

  it("refuses rows that cut a block", async () => {
    const source = await openVariant("bnb4-nf4");
    await expect(source.read(q, { first: 1, count: 2 })).rejects.toThrow(
      'node "/model/layers.0/self_attn/q_proj/MatMul_Bnb4" has 8 rows in blocks of 2; rows 1 to 3 cannot be read on their own',
    );
    await expect(source.read(q, { first: 6, count: 4 })).rejects.toThrow("rows 6 to 10 cannot be read on their own");
  });
});

describe("the variants of a folder", () => {
  const paths = [
    "config.json",
    "onnx/model.onnx",
    "onnx/model.onnx_data",
    "onnx/model_q4.onnx",
    "onnx/model_q4.onnx_data",
  ];

  it("are all offered, the smallest first, each with its data", () => {
    expect(format.match([...paths, "onnx/model_fp16.onnx", "model_bnb4.onnx", "onnx/model_q4.onnx_data_1"])).toEqual([
      "onnx/model_q4.onnx",
      "onnx/model_q4.onnx_data",
      "onnx/model_q4.onnx_data_1",
      "model_bnb4.onnx",
      "onnx/model_fp16.onnx",
      "onnx/model.onnx",
      "onnx/model.onnx_data",
    ]);
    expect(format.match(["model.safetensors", "onnx/decoder.onnx"])).toEqual([]);
  });

  it("are opened in the caller's order", async () => {
    const folder = folderOf({
      "onnx/model_q4.onnx": await goldenBytes("q4-32.onnx"),
      "onnx/model_fp16.onnx": await goldenBytes("fp16.onnx"),
    });
    const source = await format.open(folder, ["onnx/model_fp16.onnx"], []);
    expect(source.tensors.get(q)?.form).toBe("f16");
  });
});
