/** safetensors: values of each dtype, and what is said about broken and hostile files. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WeightsError } from "../../src/model/errors";
import { toFloat32 } from "../../src/model/weights/bytes";
import { format, openSafetensors } from "../../src/model/weights/safetensors";
import { type Bytes, folderOf, pattern, safetensorsFile } from "./build-files";

const f32 = (...values: number[]): Bytes => new Uint8Array(Float32Array.from(values).buffer);
const u16 = (...values: number[]): Bytes => new Uint8Array(Uint16Array.from(values).buffer);
const joined = (...parts: Bytes[]): Bytes => new Uint8Array(parts.flatMap((part) => Array.from(part)));
const entry = (dtype: string, shape: number[], start: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

async function read(file: Bytes, name: string) {
  const source = await openSafetensors(new Blob([file]), "m.safetensors");
  return source.read(name);
}

describe("safetensors", () => {
  it("gives the bytes and values of F32, F16 and BF16", async () => {
    const file = safetensorsFile(
      {
        __metadata__: { format: "pt" },
        half: entry("F16", [3], 16, 22),
        brain: entry("BF16", [1, 2], 22, 26),
        full: entry("F32", [2, 2], 0, 16),
        none: entry("F32", [0, 4], 26, 26),
      },
      joined(f32(1, -2.5, 3e-39, 4), u16(0x3c00, 0xc100, 0x0001), u16(0x3f80, 0xc120)),
    );
    const source = await openSafetensors(new Blob([file]), "m.safetensors");
    expect(Array.from(source.tensors.values(), ({ name, form, shape, bytes }) => [name, form, shape, bytes])).toEqual([
      ["half", "f16", [3], 6],
      ["brain", "bf16", [1, 2], 4],
      ["full", "f32", [2, 2], 16],
      ["none", "f32", [0, 4], 0],
    ]);
    const values = async (name: string) => {
      const tensor = await source.read(name);
      if (tensor.form === "int4" || tensor.form === "int8") throw new TypeError(tensor.form);
      return Array.from(toFloat32(tensor.form, tensor.data));
    };
    expect(await values("full")).toEqual([1, -2.5, Math.fround(3e-39), 4]);
    expect(await values("half")).toEqual([1, -2.5, 2 ** -24]);
    expect(await values("brain")).toEqual([1, -10]);
    expect(await values("none")).toEqual([]);
  });

  it("is chosen by name and says what it does not read yet", async () => {
    expect(format.match(["a", "model.safetensors", "model.safetensors.index.json"])).toEqual(["model.safetensors"]);
    expect(format.match(["config.json", "adapter_model.safetensors"])).toEqual([]);
    const sharded = folderOf({ "model.safetensors.index.json": "{}" });
    await expect(format.open(sharded, format.match(sharded.paths))).rejects.toThrow(
      "model splits its weights over several files (model.safetensors.index.json), which cannot be read yet; save the model as one model.safetensors",
    );
    const whole = folderOf({ "model.safetensors": safetensorsFile({ x: entry("F32", [1], 0, 4) }, f32(7)) });
    const source = await format.open(whole, format.match(whole.paths));
    expect(source.tensors.has("x")).toBe(true);
  });

  it("reads back any bytes of any layout", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(5), fc.nat(7)), { maxLength: 8 }), async (shapes) => {
        const header: Record<string, unknown> = {};
        let end = 0;
        for (const [i, [rows, columns]] of shapes.entries()) {
          header[`t${i}`] = entry("BF16", [rows, columns], end, end + 2 * rows * columns);
          end += 2 * rows * columns;
        }
        const data = pattern(end, shapes.length).map((byte, i) => (i % 2 === 1 ? byte & 0x3f : byte));
        const file = safetensorsFile(header, data);
        for (const [i, [rows, columns]] of shapes.entries()) {
          const start = shapes.slice(0, i).reduce((sum, [r, c]) => sum + 2 * r * c, 0);
          expect((await read(file, `t${i}`)).data).toEqual(data.slice(start, start + 2 * rows * columns));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("never fails with anything but a WeightsError, whatever byte is changed", async () => {
    const good = safetensorsFile(
      { a: entry("F32", [2], 0, 8), b: entry("F16", [2], 8, 12) },
      joined(f32(1, 2), u16(1, 2)),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), async (at, value, length) => {
        const file = good.slice(0, length);
        if (at < length) file[at] = value;
        await openSafetensors(new Blob([file]), "m.safetensors").catch((error: unknown) => {
          expect(error).toBeInstanceOf(WeightsError);
        });
      }),
      { numRuns: 500 },
    );
  });
});

const one = f32(1);
const header = (value: unknown) => safetensorsFile({ w: value }, one);

describe("a safetensors file that is broken or lies", () => {
  it.each<[string, Bytes, string]>([
    ["empty", new Uint8Array(), "m.safetensors has 0 bytes, too few for a safetensors file; download it again."],
    ["shorter than its length field", new Uint8Array(7), "m.safetensors has 7 bytes, too few"],
    [
      "header longer than the file",
      safetensorsFile({}, one, 1000n),
      "m.safetensors says that its header has 1000 bytes, but the file has 14",
    ],
    ["header of 2^63 bytes", safetensorsFile({}, one, 2n ** 63n), "says that its header has 9223372036854775808 bytes"],
    ["header of 0 bytes", safetensorsFile({}, one, 0n), "says that its header has 0 bytes"],
    [
      "header cut in the middle",
      safetensorsFile({ w: entry("F32", [1], 0, 4) }, one, 20n),
      "The header of m.safetensors is not valid JSON; the file is damaged or not a safetensors file.",
    ],
    [
      "header that is no text",
      safetensorsFile("", new Uint8Array([0xff, 0xff, 0xff, 0xff]), 4n),
      "The header of m.safetensors is not valid JSON",
    ],
    [
      "header that is a list",
      safetensorsFile([], one),
      "The header of m.safetensors is not a JSON object; this is not a safetensors file.",
    ],
    [
      "entry that is a number",
      header(5),
      'm.safetensors: tensor "w" has a header entry with a wrong form; the file is damaged.',
    ],
    [
      "entry without offsets",
      header({ dtype: "F32", shape: [1] }),
      'tensor "w" has a header entry with a wrong data_offsets;',
    ],
    [
      "three offsets",
      header({ dtype: "F32", shape: [1], data_offsets: [0, 4, 4] }),
      'tensor "w" has a header entry with a wrong data_offsets',
    ],
    ["negative dim", header(entry("F32", [-1], 0, 4)), 'tensor "w" has a header entry with a wrong shape.0;'],
    ["fractional dim", header(entry("F32", [0.5], 0, 4)), 'tensor "w" has a header entry with a wrong shape.0;'],
    ["unsafe offset", header({ dtype: "F32", shape: [1], data_offsets: [0, 2 ** 60] }), "wrong data_offsets.1"],
    [
      "a weight in 8 bits",
      safetensorsFile({ "lm_head.weight": entry("F8_E4M3", [4], 0, 4) }, one),
      'm.safetensors: tensor "lm_head.weight" has dtype F8_E4M3; only F32, F16 and BF16 can be read, save the model in one of these.',
    ],
    [
      "unknown dtype",
      header(entry("F33", [1], 0, 4)),
      'm.safetensors: tensor "w" has the unknown dtype "F33"; only F32, F16 and BF16 can be read.',
    ],
    ["dtype constructor", header(entry("constructor", [1], 0, 4)), 'has the unknown dtype "constructor"'],
    [
      "data beyond the end",
      header(entry("F32", [2], 0, 8)),
      'tensor "w" should lie in bytes 62 to 70, but the file ends at 66; it is cut off, download it again.',
    ],
    ["offsets the wrong way round", header(entry("F32", [1], 4, 0)), 'tensor "w" should lie in bytes 66 to 62'],
    [
      "shape larger than the data",
      header(entry("F32", [3], 0, 4)),
      'tensor "w" has shape [3] of F32 but 4 bytes of data; the file is damaged.',
    ],
    [
      "product past 2^53",
      header(entry("F32", [2 ** 30, 2 ** 30, 2 ** 30], 0, 4)),
      "has shape [1073741824, 1073741824, 1073741824] of F32 but 4 bytes",
    ],
    [
      "product that overflows to 0",
      header(entry("F32", [2 ** 32, 2 ** 32, 0], 0, 0)),
      "has shape [4294967296, 4294967296, 0] of F32 but 0 bytes",
    ],
    [
      "overlap",
      safetensorsFile({ a: entry("F32", [2], 0, 8), b: entry("F32", [1], 4, 8) }, f32(1, 2)),
      'm.safetensors: tensor "b" starts at byte 119 but the one before it ends at 123; the file is damaged.',
    ],
    [
      "hole",
      safetensorsFile({ a: entry("F32", [1], 4, 8) }, f32(1, 2)),
      'tensor "a" starts at byte 66 but the one before it ends at 62',
    ],
    [
      "bytes after the last tensor",
      safetensorsFile({ a: entry("F32", [1], 0, 4) }, f32(1, 2)),
      "m.safetensors: the tensors end at byte 66 but the file at 70; it is damaged, download it again.",
    ],
  ])("%s", async (_, file, message) => {
    const opening = openSafetensors(new Blob([file]), "m.safetensors");
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(WeightsError);
  });

  it.each<[string, string, Bytes, string]>([
    [
      "NaN in F32",
      "F32",
      f32(0, Number.NaN),
      'm.safetensors: tensor "w" holds NaN or infinity at element 1; the file is damaged or the model diverged, use another copy.',
    ],
    ["−infinity in F32", "F32", f32(Number.NEGATIVE_INFINITY, 0), 'tensor "w" holds NaN or infinity at element 0'],
    ["infinity in F16", "F16", u16(0, 0x7bff, 0x7c00), 'tensor "w" holds NaN or infinity at element 2'],
    ["NaN in BF16", "BF16", u16(0x7f7f, 0xffc0), 'tensor "w" holds NaN or infinity at element 1'],
    [
      "integers",
      "I64",
      new Uint8Array(8),
      'm.safetensors: tensor "w" has dtype I64; only F32, F16 and BF16 can be read, save the model in one of these.',
    ],
    ["8-bit floats", "F8_E4M3", new Uint8Array(8), 'tensor "w" has dtype F8_E4M3;'],
  ])("%s", async (_, dtype, data, message) => {
    const width = { F32: 4, F16: 2, BF16: 2, I64: 8, F8_E4M3: 1 }[dtype] ?? 1;
    const file = safetensorsFile({ w: entry(dtype, [data.length / width], 0, data.length) }, data);
    await expect(read(file, "w")).rejects.toThrow(message);
  });

  it("a tensor that is not there", async () => {
    await expect(read(safetensorsFile({}, new Uint8Array()), "lm_head.weight")).rejects.toThrow(
      'm.safetensors has no tensor "lm_head.weight"; it holds another model or only part of one.',
    );
  });

  it("a file that changes after it was opened", async () => {
    const blob = new Blob([safetensorsFile({ w: entry("F32", [1], 0, 4) }, one)]);
    const source = await openSafetensors(blob, "m.safetensors");
    blob.slice = () => {
      throw new DOMException("The file changed.", "NotReadableError");
    };
    await expect(source.read("w")).rejects.toThrow(
      "m.safetensors could not be read at byte 62 (The file changed.); open the model again.",
    );
  });
});
