/** safetensors: names, shapes and values of each dtype. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toFloat32 } from "../../src/model/weights/bytes";
import { format, openSafetensors } from "../../src/model/weights/safetensors";
import { type Bytes, folderOf, pattern, safetensorsFile } from "./build-files";
import { one, tensorFile } from "./safetensors-files";

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
      if (tensor.form !== "f32" && tensor.form !== "f16" && tensor.form !== "bf16") throw new TypeError(tensor.form);
      return Array.from(toFloat32(tensor.form, tensor.data));
    };
    expect(await values("full")).toEqual([1, -2.5, Math.fround(3e-39), 4]);
    expect(await values("half")).toEqual([1, -2.5, 2 ** -24]);
    expect(await values("brain")).toEqual([1, -10]);
    expect(await values("none")).toEqual([]);
  });

  it("is chosen by name", async () => {
    expect(format.match(["a", "model.safetensors"])).toEqual(["model.safetensors"]);
    expect(format.match(["config.json", "adapter_model.safetensors"])).toEqual([]);
    const whole = folderOf({ "model.safetensors": safetensorsFile({ x: entry("F32", [1], 0, 4) }, f32(7)) });
    const source = await format.open(whole, format.match(whole.paths), []);
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
});

describe("an integer tensor named like a weight", () => {
  it("is left alone where the model does not ask for it", async () => {
    const ids = { name: "position_ids.weight", dtype: "I64", shape: [1], data: new Uint8Array(8) };
    const file = tensorFile([{ name: "w.weight", dtype: "F32", data: one }, ids]);
    const folder = folderOf({ "model.safetensors": file });
    const source = await format.open(folder, format.match(folder.paths), [{ name: "w.weight", shape: [1] }]);
    expect([...source.tensors.keys()]).toEqual(["w.weight"]);
  });
});
