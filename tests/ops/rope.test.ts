/** Rotary embedding against float64, at restarting positions, and the tables against their formula. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import { rope, ropeTables } from "../../src/ops/rope";
import { checkOp } from "../support/check-op";
import { testDevice } from "../support/gpu";

const device = await testDevice();

describe("rope", () => {
  it.each([
    { tokens: 1, heads: 1, headDim: 4 },
    { tokens: 7, heads: 3, headDim: 20 },
    { tokens: 130, heads: 2, headDim: 36 },
  ])("$tokens tokens, $heads heads of $headDim", async ({ tokens, heads, headDim }) => {
    const half = headDim / 2;
    const count = 29;
    const frequencies = Float32Array.from({ length: half }, (_, pair) => 10_000 ** (-pair / half));
    const tables = ropeTables(frequencies, count);
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
      build: (g, { x, positions, cosines, sines }) => rope(g, x, positions, { cosines, sines }),
      // As in Hugging Face's Llama: x · cos + rotate_half(x) · sin, with the angles repeated over both halves.
      reference: ({ x, cosines, sines }) =>
        x.map((value, index) => {
          const within = index % headDim;
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

  it("refuses rows that hold no whole number of heads", () => {
    const g = new Graph({ gradients: false });
    const table = g.tensor("table", "f32", [8, 6]);
    expect(() =>
      rope(g, g.tensor("x", "f32", [3, 20]), g.tensor("positions", "u32", [3]), { cosines: table, sines: table }),
    ).toThrow("rope: x has rows of 20, not a multiple of the head size 12.");
  });
});
