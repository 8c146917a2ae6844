/** safetensors: pieces of a matrix, Conv1D matrices turned round, shards with and without an index. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { WeightsError } from "../../src/model/errors";
import { format, openSafetensors } from "../../src/model/weights/safetensors";
import type { WeightData } from "../../src/model/weights/types";
import { normals, random } from "../support/random";
import { type Bytes, folderOf, safetensorsFile } from "./build-files";

const dtypes = { F32: 4, F16: 2, BF16: 2 } as const;
type Dtype = keyof typeof dtypes;
const entry = (dtype: Dtype, shape: readonly number[], start: number) => ({
  dtype,
  shape,
  data_offsets: [start, start + dtypes[dtype] * shape.reduce((product, size) => product * size, 1)],
});
/** Random bytes of finite numbers of every dtype. */
const finite = (length: number, seed: number): Bytes => {
  const source = random(seed);
  return Uint8Array.from({ length }, (_, i) => (i % 2 === 1 ? source.integer(0, 255) & 0xbf : source.integer(0, 255)));
};
const matrixFile = (dtype: Dtype, rows: number, columns: number, data: Bytes) =>
  safetensorsFile({ "transformer.h.0.c.weight": entry(dtype, [rows, columns], 0) }, data);
const name = "transformer.h.0.c.weight";

describe("pieces of a matrix", () => {
  it.each<Dtype>(["F32", "F16", "BF16"])("%s rows are slices of the whole", async (dtype) => {
    const data = finite(11 * 12 * dtypes[dtype], 3);
    const source = await openSafetensors(new Blob([matrixFile(dtype, 11, 12, data)]), "m.safetensors");
    const rowBytes = 12 * dtypes[dtype];
    for (const [first, count] of [
      [0, 4],
      [4, 4],
      [8, 3],
      [0, 11],
      [5, 0],
    ] as const) {
      const piece = await source.read(name, { first, count });
      expect(piece.shape).toEqual([count, 12]);
      expect(piece.data).toEqual(data.slice(first * rowBytes, (first + count) * rowBytes));
    }
    expect((await source.read(name)).data).toEqual(data);
  });

  it.each([
    [-1, 2],
    [8, 4],
    [0.5, 1],
    [0, 2 ** 60],
    [Number.NaN, 1],
  ])("rows %s + %s are refused", async (first, count) => {
    const source = await openSafetensors(new Blob([matrixFile("F32", 11, 12, finite(528, 3))]), "m.safetensors");
    await expect(source.read(name, { first, count })).rejects.toThrow(
      /^m\.safetensors cannot give rows .* of "transformer\.h\.0\.c\.weight"; it has the shape \[11, 12\] and pieces/,
    );
  });

  it("name the element of the whole matrix that is not finite", async () => {
    const data = new Float32Array(40);
    data[33] = Number.NaN;
    const file = matrixFile("F32", 10, 4, new Uint8Array(data.buffer));
    const source = await openSafetensors(new Blob([file]), "m.safetensors");
    await expect(source.read(name, { first: 8, count: 2 })).rejects.toThrow("NaN or infinity at element 33;");
    await expect(source.read(name, { first: 4, count: 4 })).resolves.toBeDefined();
  });
});

describe("a Conv1D matrix", () => {
  const expected = [{ name, shape: [0, 0], conv1d: true }];

  it.each<[Dtype, number, number]>([
    ["F32", 12, 20],
    ["F16", 7, 24],
    ["BF16", 16, 4],
    // 12 MB and 20 MB rows apart: two slabs, and rows longer than a slab.
    ["F32", 3000, 1000],
    ["F16", 2, 5_000_000],
  ])("%s [%i, %i] is given transposed, whole and in pieces", async (dtype, inputs, outputs) => {
    const width = dtypes[dtype];
    const data = finite(inputs * outputs * width, 4);
    const blob = new Blob([matrixFile(dtype, inputs, outputs, data)]);
    const reads: number[] = [];
    const slice = blob.slice.bind(blob);
    blob.slice = (start = 0, end = 0) => {
      reads.push(end - start);
      return slice(start, end);
    };
    const source = await openSafetensors(blob, "m.safetensors", expected);
    expect(source.tensors.get(name)).toMatchObject({ shape: [outputs, inputs], bytes: data.length });
    const check = (piece: WeightData, first: number, count: number) => {
      expect(piece.shape).toEqual([count, inputs]);
      for (let row = 0; row < count; row += Math.max(1, Math.floor(count / 50))) {
        for (let i = 0; i < inputs; i += 1 + Math.floor(inputs / 50)) {
          const from = (i * outputs + first + row) * width;
          const at = (row * inputs + i) * width;
          expect(piece.data.subarray(at, at + width)).toEqual(data.subarray(from, from + width));
        }
      }
    };
    reads.length = 0;
    const count = Math.min(outputs - 4, 400);
    check(await source.read(name, { first: 4, count }), 4, count);
    expect(Math.max(...reads)).toBeLessThanOrEqual(8 * 1024 * 1024);
    check(await source.read(name), 0, outputs);
  });

  it("is known by its name without the base model's prefix too, and others stay as they are", async () => {
    const header = { "h.0.c.weight": entry("F32", [2, 4], 0), "h.0.d.weight": entry("F32", [2, 4], 32) };
    const file = safetensorsFile(header, new Uint8Array(normals(random(1), 16).buffer));
    const source = await openSafetensors(new Blob([file]), "m.safetensors", expected);
    expect(source.tensors.get("h.0.c.weight")?.shape).toEqual([4, 2]);
    expect(source.tensors.get("h.0.d.weight")?.shape).toEqual([2, 4]);
  });

  it("of the golden GPT-2 fits the model's modules", async () => {
    const blob = new Blob([readFileSync(new URL("../golden/gpt2/model/model.safetensors", import.meta.url))]);
    const plain = await openSafetensors(blob, "model.safetensors");
    const attention = [...plain.tensors.keys()].find((key) => key.endsWith("h.0.attn.c_attn.weight")) ?? "";
    const [inputs = 0, outputs = 0] = plain.tensors.get(attention)?.shape ?? [];
    expect(outputs).toBe(3 * inputs);
    const turned = await openSafetensors(blob, "model.safetensors", [
      { name: attention, shape: [outputs, inputs], conv1d: true },
    ]);
    const [stored, given] = [await plain.read(attention), await turned.read(attention)];
    const width = stored.form === "f32" ? 4 : 2;
    for (let i = 0; i < inputs * outputs; i++) {
      const from = ((i % inputs) * outputs + Math.floor(i / inputs)) * width;
      expect(given.data.subarray(i * width, (i + 1) * width)).toEqual(stored.data.subarray(from, from + width));
    }
  });
});

describe("a model in several files", () => {
  const shard = (tensors: Readonly<Record<string, number>>): Bytes => {
    const names = Object.keys(tensors);
    const header = Object.fromEntries(names.map((key, i) => [key, entry("F32", [1], 4 * i)]));
    return safetensorsFile(header, new Uint8Array(Float32Array.from(Object.values(tensors)).buffer));
  };
  const first = "model-00001-of-00002.safetensors";
  const second = "model-00002-of-00002.safetensors";
  const indexName = "model.safetensors.index.json";
  const both = { [first]: shard({ a: 1, b: 2 }), [second]: shard({ c: 3 }) };
  const index = (map: unknown) => JSON.stringify({ metadata: { total_size: 12 }, weight_map: map });
  const map = { a: first, b: first, c: second };
  const open = async (files: Readonly<Record<string, Bytes | string>>) => {
    const folder = folderOf(files);
    return format.open(folder, format.match(folder.paths), []);
  };

  it.each([
    ["with an index", { ...both, [indexName]: index(map) }],
    ["by the numbers in the names", both],
    [
      "with an index and other names",
      {
        "x.safetensors": both[first],
        "y.safetensors": both[second],
        [indexName]: index({ a: "x.safetensors", c: "y.safetensors" }),
      },
    ],
  ])("%s is one source", async (_, files) => {
    const source = await open(files);
    expect([...source.tensors.keys()]).toEqual(["a", "b", "c"]);
    const values = await Promise.all(
      ["a", "b", "c"].map(async (key) => new Float32Array((await source.read(key)).data.buffer)[0]),
    );
    expect(values).toEqual([1, 2, 3]);
  });

  it("is passed over where the whole model lies beside it", () => {
    expect(format.match([first, second, indexName, "model.safetensors"])).toEqual(["model.safetensors"]);
    expect(format.match([second, indexName, first, "a.safetensors"])).toEqual([indexName, first, second]);
    expect(format.match(["x/model-00001-of-00002.safetensors", "adapter_model.safetensors"])).toEqual([]);
  });

  it.each<[string, Record<string, Bytes | string>, string]>([
    [
      "a shard that the index names",
      { [first]: both[first], [indexName]: index(map) },
      `${indexName} goes with ${second}, which is missing; add that file to the folder.`,
    ],
    [
      "a shard by number",
      { [first]: both[first] },
      `${first} goes with ${second}, which is missing; add that file to the folder.`,
    ],
    [
      "a tensor that the index names",
      { ...both, [indexName]: index({ ...map, d: second }) },
      `${indexName} says that ${second} holds the tensor "d", but it does not;`,
    ],
  ])("%s missing is one sentence", async (_, files, message) => {
    await expect(open(files)).rejects.toThrow(message);
    await expect(open(files)).rejects.toBeInstanceOf(WeightsError);
  });
});
