/** Four-bit matrices as transformers saves them, against bitsandbytes' own values, bit for bit (tests/golden/bnb_files.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fp4Values, nf4Values } from "../../src/model/quantize/codes";
import { openSafetensors } from "../../src/model/weights/safetensors";
import type { WeightData } from "../../src/model/weights/types";

const golden = new URL("../golden/bnb/", import.meta.url);
const open = (path: string) => openSafetensors(new Blob([readFileSync(new URL(path, golden))]), "model.safetensors");
const codeTables: Partial<Record<string, Float32Array>> = { nf4: nf4Values, fp4: fp4Values };

function valuesOf(weight: WeightData): Float32Array<ArrayBuffer> {
  const table = codeTables[weight.form];
  if (!table || (weight.form !== "nf4" && weight.form !== "fp4"))
    throw new TypeError(`${weight.form} is not in four bits`);
  const { data, scales, group } = weight;
  return Float32Array.from({ length: weight.shape[0] * weight.shape[1] }, (_, k) => {
    const byte = data[k >> 1] ?? 0;
    return (table[k % 2 === 0 ? byte >> 4 : byte & 15] ?? 0) * (scales[Math.floor(k / group)] ?? 0);
  });
}

describe.each(["nf4", "nf4-double", "fp4"])("%s", (variant) => {
  it("has bitsandbytes' values, whole and in pieces", async () => {
    const source = await open(`${variant}/model/model.safetensors`);
    const expected = await open(`${variant}/dequantized.safetensors`);
    expect(expected.tensors.size).toBeGreaterThan(1);
    for (const [module, { shape }] of expected.tensors) {
      const info = source.tensors.get(`${module}.weight`);
      expect(info).toMatchObject({ form: variant.slice(0, 3), shape, group: 64 });
      const values = new Float32Array((await expected.read(module)).data.buffer);
      expect(valuesOf(await source.read(`${module}.weight`))).toEqual(values);
      const [rows = 0, columns = 0] = shape;
      const step = info?.rowStep ?? 1;
      expect((step * columns) % 64).toBe(0);
      for (let first = 0; first < rows; first += step) {
        const count = Math.min(step, rows - first);
        const piece = await source.read(`${module}.weight`, { first, count });
        expect(piece.shape).toEqual([count, columns]);
        expect(valuesOf(piece)).toEqual(values.slice(first * columns, (first + count) * columns));
      }
    }
  });

  it("lists the model's tensors and not their parts", async () => {
    const source = await open(`${variant}/model/model.safetensors`);
    const names = [...source.tensors.keys()];
    expect(names.filter((name) => !/\.(weight|bias)$/.test(name))).toEqual([]);
    expect(names.filter((name) => name.endsWith("_proj.weight"))).toHaveLength(14);
    expect(source.tensors.get("model.norm.weight")?.shape).toEqual([40]);
    expect(source.held).toEqual(
      variant === "nf4-double" ? ["nf4 with 8-bit scales as nf4 with float32 scales"] : undefined,
    );
  });

  it("takes whole blocks only where they cross rows", async () => {
    const source = await open(`${variant}/model/model.safetensors`);
    const name = "model.layers.0.self_attn.k_proj.weight";
    expect(source.tensors.get(name)?.rowStep).toBe(8);
    await expect(source.read(name, { first: 4, count: 4 })).rejects.toThrow(
      `model.safetensors cannot give rows 4 to 8 of "${name}"; it has the shape [20, 40] and pieces of whole multiples of 8 rows.`,
    );
  });
});
