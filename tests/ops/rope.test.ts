/** Rotary embedding of whole and of partial heads against float64, at restarting positions, and the tables against their formula. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import { rope, ropeTables } from "../../src/ops/rope";
import { checkOp } from "../support/check-op";
import { testDevice } from "../support/gpu";

const device = await testDevice();

describe("rope", () => {
  it.each([
    { tokens: 1, heads: 1, headDim: 4, rotaryDim: 4 },
    { tokens: 7, heads: 3, headDim: 20, rotaryDim: 20 },
    { tokens: 130, heads: 2, headDim: 36, rotaryDim: 36 },
    { tokens: 1, heads: 1, headDim: 4, rotaryDim: 2 },
    { tokens: 5, heads: 3, headDim: 12, rotaryDim: 6 },
    { tokens: 7, heads: 3, headDim: 20, rotaryDim: 18, factor: 1.25 },
    { tokens: 130, heads: 2, headDim: 64, rotaryDim: 16 },
    { tokens: 9, heads: 4, headDim: 32, rotaryDim: 24, factor: 0.75 },
  ])("$tokens tokens, $heads heads of $headDim, $rotaryDim of them turned", async (at) => {
    const { tokens, heads, headDim, rotaryDim, factor } = at;
    const half = rotaryDim / 2;
    const count = 29;
    const frequencies = Float32Array.from({ length: half }, (_, pair) => 10_000 ** (-pair / half));
    const tables = ropeTables(frequencies, count, factor);
    const positions = Uint32Array.from({ length: tokens }, (_, token) => (token * 3 + 5) % count);
    const width = heads * headDim;
    await checkOp(device, {
      name: "rope",
      sizes: { tokens },
      inputs: {
        x: { shape: ["tokens", width] },
        positions: { shape: ["tokens"], values: positions },
        cosines: { shape: [count, half], values: tables.cosines },
        sines: { shape: [count, half], values: tables.sines },
      },
      build: (g, { x, positions, cosines, sines }) => rope(g, x, positions, { cosines, sines }, headDim),
      // As in Hugging Face's Llama: x · cos + rotate_half(x) · sin, with the angles repeated over both halves. Where the tables
      // are narrower than a head, as in its GPT-NeoX, the columns past them are put behind the result.
      reference: ({ x, cosines, sines }) =>
        x.map((value, index) => {
          const within = index % headDim;
          if (within >= rotaryDim) return value;
          const angle = (positions[Math.floor(index / width)] as number) * half + (within % half);
          const turned = within < half ? -(x[index + half] as number) : (x[index - half] as number);
          return value * (cosines[angle] as number) + turned * (sines[angle] as number);
        }),
      gradientsOf: ["x"],
    });
  });

  it("makes tables as torch does: f32 angle, then cosine and sine", () => {
    const frequency = Math.fround(0.1);
    const { cosines, sines } = ropeTables(Float32Array.of(1, frequency), 1001);
    expect(cosines.length).toBe(2002);
    expect([cosines[0], sines[0]]).toEqual([1, 0]);
    const angle = Math.fround(1000 * frequency);
    expect(cosines[2001]).toBe(Math.fround(Math.cos(angle)));
    expect(sines[2001]).toBe(Math.fround(Math.sin(angle)));
    expect(cosines[2000]).toBe(Math.fround(Math.cos(1000)));
  });

  it("multiplies tables by the attention factor in f32, as torch does", () => {
    const frequencies = Float32Array.of(1, 0.1, 0.01);
    const plain = ropeTables(frequencies, 50);
    const scaled = ropeTables(frequencies, 50, 1.1902380714238083);
    const factor = Math.fround(1.1902380714238083);
    expect(scaled.cosines).toEqual(plain.cosines.map((value) => value * factor));
    expect(scaled.sines).toEqual(plain.sines.map((value) => value * factor));
    expect(scaled.cosines[0]).toBe(factor);
  });

  it("refuses heads that do not fit", () => {
    const g = new Graph({ gradients: false });
    const at = (width: number, half: number, headDim: number) => {
      const table = g.tensor("table", "f32", [8, half]);
      const x = g.tensor("x", "f32", [3, width]);
      return rope(g, x, g.tensor("positions", "u32", [3]), { cosines: table, sines: table }, headDim);
    };
    expect(() => at(20, 6, 12)).toThrow("rope: x has rows of 20, not a multiple of the head size 12.");
    expect(() => at(24, 7, 12)).toThrow("rope: the tables turn 14 columns; it must be 2 to the head size 12.");
    expect(() => at(24, 0, 12)).toThrow("rope: the tables turn 0 columns; it must be 2 to the head size 12.");
    expect(() => at(27, 4, 9)).toThrow("rope: the head size is 9; it must be an even number of at least 2.");
  });
});
