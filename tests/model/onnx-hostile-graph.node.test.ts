/** ONNX: graphs that lead nowhere, external data that lies, and a fuzzer over files of every kind. */
import { readdir, readFile } from "node:fs/promises";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { WeightsError } from "../../src/model/errors";
import { format } from "../../src/model/weights/onnx";
import { type Bytes, folderOf, type NodeInit, onnxFile, openOnnx, pattern, rawTensor } from "./build-files";
import { bnb4, dynamic, expected, floats, qPath } from "./onnx-parts";

describe("a graph that leads nowhere", () => {
  it.each<[string, readonly NodeInit[]]>([
    [
      "a circle of transpositions",
      [
        { name: "a", opType: "Transpose", input: ["d"], output: ["c"] },
        { name: "b", opType: "Transpose", input: ["c"], output: ["d"] },
      ],
    ],
    ["a node that feeds itself", [{ name: "a", opType: "Identity", input: ["d"], output: ["d"] }]],
    [
      "a transposition of three axes",
      [
        {
          name: "a",
          opType: "Transpose",
          input: ["w"],
          output: ["d"],
          attribute: [{ name: "perm", ints: [0n, 2n, 1n], type: 7 }],
        },
      ],
    ],
    ["a weight that is a sum", [{ name: "a", opType: "Add", input: ["w", "w"], output: ["d"] }]],
  ])("%s: the weight is not found", async (_, nodes) => {
    const file = onnxFile(
      [...nodes, { name: `${qPath}/MatMul`, opType: "MatMul", input: ["x", "d"] }],
      [rawTensor("w", 1, [64, 4], floats(256))],
    );
    expect((await openOnnx(file, {}, expected)).tensors.size).toBe(0);
  });

  it("a product whose output comes back to it", async () => {
    const file = dynamic({ nodes: [{ name: "back", opType: "Mul", input: ["o", "o"], output: ["y"] }] });
    expect((await openOnnx(file, {}, expected)).tensors.size).toBe(1);
  });
});

describe("external data that lies", () => {
  const location = (entries: Readonly<Record<string, string>>): Bytes =>
    bnb4({
      tensors: {
        w: {
          ...{ rawData: new Uint8Array(), dataLocation: 1 },
          externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
        },
      },
    });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ["up", { location: "../config.json" }, "outside the model folder"],
    ["up inside", { location: "a/../../config.json" }, "outside the model folder"],
    ["backslashes", { location: "..\\config.json" }, "outside the model folder"],
    ["a drive", { location: "C:\\weights" }, "outside the model folder"],
    ["a URL", { location: "https://example.org/w" }, "outside the model folder"],
    ["here", { location: "." }, "outside the model folder"],
    ["nowhere", {}, 'lies in the file "", which is outside the model folder'],
    [
      "second file missing",
      { location: "model_q4.onnx_data_1" },
      "lies in onnx/model_q4.onnx_data_1, which is missing",
    ],
    [
      "offset beyond the end",
      { location: "data", offset: "100" },
      "should lie at offset 100, length 128 of onnx/data, which has 200 bytes",
    ],
    ["offset of 2^53", { location: "data", offset: "9007199254740992" }, "should lie at offset 9007199254740992,"],
    ["offset of 30 digits", { location: "data", offset: "1".repeat(30) }, "should lie at offset 1111"],
    ["length of 2^52", { location: "data", length: "4503599627370496" }, "length 4503599627370496 of onnx/data"],
    ["negative length", { location: "data", length: "-128" }, "length -128 of onnx/data"],
    ["length in hex", { location: "data", length: "0x80" }, "length 0x80 of onnx/data"],
    ["length too short", { location: "data", length: "127" }, "has shape [128] but 127 of 128 bytes"],
  ])("%s", async (_, entries, message) => {
    const opening = openOnnx(location(entries), { "onnx/data": pattern(200, 1) }, expected);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(WeightsError);
  });
});

describe("files of every kind with changed bytes", () => {
  const root = new URL("../golden/onnx-variants/", import.meta.url);
  const files: Bytes[] = [];
  beforeAll(async () => {
    for (const name of await readdir(root))
      if (name.endsWith(".onnx")) files.push(new Uint8Array(await readFile(new URL(name, root))));
    expect(files.length).toBeGreaterThan(20);
  });

  it("are read or refused with a WeightsError, within 64 MB", async () => {
    const names = [
      "model.embed_tokens",
      "model.layers.0.self_attn.q_proj",
      "model.layers.0.self_attn.o_proj",
      "lm_head",
    ];
    const shapes = [
      [6, 96],
      [8, 96],
      [5, 100],
      [6, 96],
    ] as const;
    const tensors = names.map((name, i) => ({ name: `${name}.weight`, shape: shapes[i] ?? [] }));
    const used = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), value: fc.nat(255) });
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1000),
        fc.array(change, { maxLength: 4 }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 4 }),
        fc.boolean(),
        async (pick, changes, cut, named) => {
          const whole = files[pick % files.length] ?? new Uint8Array();
          const bytes = whole.slice(0, Math.ceil(whole.length * (cut ?? 1)));
          // The graph's nodes and headers lie in front; the rest is values, which may be anything.
          for (const { at, value } of changes) bytes[Math.floor(at * Math.min(bytes.length - 1, 1500))] = value;
          const before = used();
          try {
            const folder = folderOf({ "onnx/model.onnx": bytes });
            const source = await format.open(folder, format.match(folder.paths), named ? tensors : []);
            for (const name of source.tensors.keys()) await source.read(name);
          } catch (error) {
            refused++;
            expect(error).toBeInstanceOf(WeightsError);
            expect(String(error).split("\n")).toHaveLength(1);
          }
          expect(used() - before).toBeLessThan(64e6);
        },
      ),
      { numRuns: 400 },
    );
    expect(refused).toBeGreaterThan(50);
  });
});
