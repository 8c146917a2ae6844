/** The plain twin on the CPU: its decoding of every stored form, and its logits against PyTorch's in float64. */
import { describe, expect, it } from "vitest";
import { readRows, rowsPerPiece } from "../../src/model/reference/decode";
import { geluErf } from "../../src/model/reference/layers";
import { twinLogits, type Variant } from "../../src/model/reference/network";
import { adapterScale } from "../../src/training/adapter";
import { formCases, formMatrix } from "../ops/frozen-forms";
import { goldenAdapter, goldenReference, goldenTensors, relativeDifference } from "../support/golden";
import { testDevice } from "../support/gpu";
import { goldenModel } from "../support/model";
import { goldenModels } from "./reference-models";

const device = await testDevice();

describe("readRows", () => {
  // 76 columns: 19 quads, three blocks of 32 with a short last one, an odd number of zero points, blocks that cross rows.
  it.each(formCases)("decodes $name from any row on", async (form) => {
    const [rows, columns] = [13, 76];
    const { matrix, values } = await formMatrix(device, form, rows, columns);
    for (const [first, count] of [
      [0, rows],
      [1, 1],
      [5, 3],
      [12, 1],
    ] as const) {
      const decode = await readRows(device, matrix, first, count);
      const decoded = new Float64Array(count * columns);
      for (let row = 0; row < count; row += 1) decode(row, decoded.subarray(row * columns, (row + 1) * columns));
      expect(decoded).toEqual(values.slice(first * columns, (first + count) * columns));
    }
  });

  it("reads eight megabytes at once", async () => {
    const { matrix } = await formMatrix(device, { name: "f32", form: "f32" }, 8, 64);
    expect(rowsPerPiece(matrix)).toBe((8 * 2 ** 20) / (4 * 64));
  });
});

describe("geluErf", () => {
  // x · Φ(x) with Φ from mpmath at 30 digits.
  it.each([
    [0, 0],
    [0.5, 0.3457312306370066],
    [1, 0.841344746068543],
    [-1, -0.158655253931457],
    [-3, -0.00404969409489028],
    [4, 3.999873315032667],
    [-6, -5.919525870226e-9],
    [7, 6.999999999991041],
    [9, 9],
    [-9, 0],
  ])("of %d is %d", (x, expected) => {
    expect(Math.abs(geluErf(x) - expected)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(x)));
  });
});

describe.each(goldenModels)("the twin of %s", (name) => {
  it("gives PyTorch's logits, base and tuned at once", async () => {
    const model = await goldenModel(device, name);
    const { rows } = await goldenReference(name);
    const expected = await goldenTensors(`${name}/logits.safetensors`);
    const { config, modules } = await goldenAdapter(`${name}/adapter`);
    const tuned: Variant = new Map(
      modules.map(({ module, a, b }) => [
        module,
        { a: Float64Array.from(a), b: Float64Array.from(b), scale: adapterScale(config) },
      ]),
    );
    const logits: Record<"base" | "tuned", number[]> = { base: [], tuned: [] };
    for (const { input_ids } of rows) {
      const [base = [], changed = []] = await twinLogits(device, model, {
        ids: input_ids,
        variants: [new Map(), tuned],
      });
      logits.base.push(...base);
      logits.tuned.push(...changed);
    }
    model.destroy();
    for (const which of ["base", "tuned"] as const) {
      const difference = relativeDifference(logits[which], expected.get(which)?.data ?? []);
      console.log(`${name} ${which} twin ‖Δ‖/‖ref‖ = ${difference.toExponential(2)}`);
      expect(difference).toBeLessThanOrEqual(2e-6);
    }
  });
});
