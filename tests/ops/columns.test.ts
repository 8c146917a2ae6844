/** Runs of columns, whole and interleaved, and the gradient that several of them make together. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import type { Tensor } from "../../src/engine/tensor";
import { type ColumnRuns, columns } from "../../src/ops/columns";
import { gatedActivation } from "../../src/ops/gated-activation";
import { residualAdd } from "../../src/ops/residual-add";
import { silu } from "../support/activation";
import { checkOp } from "../support/check-op";
import { free, ready, testDevice, upload } from "../support/gpu";
import { normals, random } from "../support/random";

const device = await testDevice();

function cut(x: Float64Array, width: number, { groups, period, offset, size }: ColumnRuns): Float64Array {
  const y: number[] = [];
  for (let first = 0; first < x.length; first += width) {
    for (let group = 0; group < groups; group += 1) {
      const from = first + group * period + offset;
      y.push(...x.subarray(from, from + size));
    }
  }
  return Float64Array.from(y);
}

/** Three parts that cover a row: of one group side by side, or of each head. */
const splits: readonly { readonly name: string; readonly width: number; readonly parts: readonly ColumnRuns[] }[] = [
  {
    name: "side by side",
    width: 60,
    parts: [
      { groups: 1, period: 60, offset: 0, size: 20 },
      { groups: 1, period: 60, offset: 20, size: 20 },
      { groups: 1, period: 60, offset: 40, size: 20 },
    ],
  },
  {
    name: "interleaved by head",
    width: 96,
    parts: [0, 1, 2].map((part) => ({ groups: 4, period: 24, offset: 8 * part, size: 8 })),
  },
];

/** Gradients of x where the parts, in this order, get those of `dys`. */
async function gradientOfParts(
  tokens: number,
  width: number,
  parts: readonly ColumnRuns[],
  dys: readonly Float32Array<ArrayBuffer>[],
) {
  const g = new Graph({ gradients: true });
  const owned: Tensor[] = [];
  const put = async (label: string, columnCount: number, data: Float32Array<ArrayBuffer>) => {
    const tensor = await upload(device, label, [tokens, columnCount], data);
    owned.push(tensor);
    return tensor;
  };
  const x = g.watch(await put("x", width, normals(random(3), tokens * width)));
  const made: [Tensor, Tensor][] = [];
  for (const [index, runs] of parts.entries()) {
    const dy = dys[index] ?? new Float32Array(0);
    made.push([columns(g, x, runs), await put("dy", runs.groups * runs.size, dy)]);
  }
  const root = g.tensor("root", "f32", [1]);
  g.onBackward(
    root,
    made.map(([y]) => y),
    () => {
      for (const [y, dy] of made) g.passGradient(y, dy);
    },
    { trains: true },
  );
  g.backward(root);
  const dx = g.gradientOf(x);
  if (!dx) throw new Error("no gradient of x");
  g.keep(dx);
  const { program, read, destroy } = await ready(device, g);
  // New buffers hold zeros; what the op leaves out must not pass for what it wrote.
  const { buffer, byteOffset } = program.locate(dx);
  device.write(buffer, new Float32Array(tokens * width).fill(Number.NaN), byteOffset);
  program.run({});
  const values = await read(dx);
  destroy();
  for (const tensor of owned) free(device, tensor);
  return values;
}

/** What dx must be, to the bit: dy where its column came from, added up, 0 elsewhere. */
function spread(
  tokens: number,
  width: number,
  parts: readonly ColumnRuns[],
  dys: readonly Float32Array[],
): Float32Array {
  const dx = new Float32Array(tokens * width);
  parts.forEach(({ groups, period, offset, size }, part) => {
    dys[part]?.forEach((value, index) => {
      const column = index % (groups * size);
      const at =
        Math.floor(index / (groups * size)) * width + Math.floor(column / size) * period + offset + (column % size);
      dx[at] = (dx[at] as number) + value;
    });
  });
  return dx;
}

describe("columns", () => {
  it.each([
    { tokens: 1, width: 4, groups: 1, period: 4, offset: 0, size: 4 },
    { tokens: 7, width: 60, groups: 1, period: 60, offset: 20, size: 28 },
    { tokens: 130, width: 96, groups: 4, period: 24, offset: 8, size: 8 },
    // Columns are left over behind the last whole period, and the last run ends within its own.
    { tokens: 5, width: 48, groups: 2, period: 20, offset: 4, size: 12 },
    { tokens: 5, width: 44, groups: 3, period: 16, offset: 0, size: 12 },
  ])("$tokens tokens of $width: $groups × $size from $offset every $period", async ({ tokens, width, ...runs }) => {
    await checkOp(device, {
      name: "columns",
      sizes: { tokens },
      inputs: { x: { shape: ["tokens", width] } },
      build: (g, { x }) => columns(g, x, runs),
      reference: ({ x }) => cut(x, width, runs),
      tolerance: 0,
      gradientsOf: ["x"],
    });
  });

  describe.each(splits)("$name", ({ width, parts }) => {
    const tokens = 5;
    const dys = parts.map(({ groups, size }, part) => normals(random(10 + part), tokens * groups * size));

    it.each([
      { order: "first to last", turn: <Item>(items: readonly Item[]) => [...items] },
      { order: "last to first", turn: <Item>(items: readonly Item[]) => [...items].reverse() },
    ])("three parts that cover x give the exact gradient, $order", async ({ turn }) => {
      const dx = await gradientOfParts(tokens, width, turn(parts), turn(dys));
      expect(dx).toEqual(spread(tokens, width, parts, dys));
      expect(dx.every((value) => value !== 0)).toBe(true);
    });

    it("one part alone gives zeros elsewhere", async () => {
      for (const [index, runs] of parts.entries()) {
        const dy = dys.slice(index, index + 1);
        const dx = await gradientOfParts(tokens, width, [runs], dy);
        expect(dx).toEqual(spread(tokens, width, [runs], dy));
        expect(dx.filter((value) => value !== 0).length).toBe(tokens * runs.groups * runs.size);
      }
    });

    it("parts that overlap add up", async () => {
      const twice = [...parts, ...parts.slice(1, 2)];
      const both = [...dys, ...dys.slice(0, 1)];
      expect(await gradientOfParts(tokens, width, twice, both)).toEqual(spread(tokens, width, twice, both));
    });

    it("finite differences through all three together", async () => {
      const [a, b, c] = parts;
      if (!a || !b || !c) throw new Error("three parts");
      await checkOp(device, {
        name: "columns",
        sizes: { tokens },
        inputs: { x: { shape: ["tokens", width] } },
        build: (g, { x }) => {
          const third = columns(g, x, c);
          return residualAdd(g, third, gatedActivation(g, columns(g, x, a), columns(g, x, b), "silu"));
        },
        reference: ({ x }) => {
          const [gate, up, third] = [cut(x, width, a), cut(x, width, b), cut(x, width, c)];
          return third.map((value, index) => value + silu(gate[index] as number) * (up[index] as number));
        },
        gradientsOf: ["x"],
      });
    });
  });

  it.each([
    [{ groups: 0, period: 8, offset: 0, size: 8 }, "columns: groups is 0; it must be a whole number from 1 on."],
    [{ groups: 2, period: 6, offset: 0, size: 4 }, "columns: period is 6; it must be a multiple of 4 from 4 on."],
    [{ groups: 1, period: 8, offset: -4, size: 4 }, "columns: offset is -4; it must be a multiple of 4 from 0 on."],
    [{ groups: 1, period: 8, offset: 2, size: 4 }, "columns: offset is 2; it must be a multiple of 4 from 0 on."],
    [{ groups: 1, period: 8, offset: 0, size: 0 }, "columns: size is 0; it must be a multiple of 4 from 4 on."],
    [
      { groups: 2, period: 8, offset: 4, size: 8 },
      "columns: a run from 4 of 8 columns goes past the period of 8; runs must lie within it.",
    ],
    [{ groups: 3, period: 12, offset: 4, size: 8 }, "columns: the last of 3 runs ends at 36, but x has rows of 32."],
  ])("refuses %j", (runs, message) => {
    const g = new Graph({ gradients: false });
    expect(() => columns(g, g.tensor("x", "f32", [3, 32]), runs)).toThrow(message);
  });
});
