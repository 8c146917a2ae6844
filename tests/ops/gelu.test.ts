/** GELU in both forms against float64, value by value through both tails. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import { gelu } from "../../src/ops/gelu";
import { geluArgument, geluErf, geluTanh, normalCumulative, normalDensity, sigmoid } from "../support/activation";
import { checkOp } from "../support/check-op";
import { free, runOnce, testDevice, upload } from "../support/gpu";

const device = await testDevice();
const forms = [
  { form: "tanh", exact: geluTanh },
  { form: "erf", exact: geluErf },
] as const;

/** The op and its derivative at each of `x`, a multiple of 4. */
async function values(form: "tanh" | "erf", x: Float32Array<ArrayBuffer>) {
  const g = new Graph({ gradients: true });
  const input = g.watch(await upload(device, "x", [1, x.length], x));
  const ones = await upload(device, "dy", [1, x.length], new Float32Array(x.length).fill(1));
  const y = gelu(g, input, form);
  const root = g.tensor("root", "f32", [1]);
  g.onBackward(root, [y], () => g.passGradient(y, ones), { trains: true });
  g.backward(root);
  const dx = g.gradientOf(input);
  if (!dx) throw new Error("no gradient of x");
  const found = await runOnce(device, g, { y, dx });
  free(device, input);
  free(device, ones);
  return found;
}

/** −10 … 10, and near 0. */
const points = Float32Array.from({ length: 8192 }, (_, index) => (index - 4096) / 409.6).map((x, index) =>
  index % 64 === 0 ? x * 1e-4 : x,
);

/** The largest of |actual − exact| / scale, and where. */
function worst(actual: Float32Array, exact: (x: number) => number, scale: (x: number) => number) {
  let found = { error: 0, x: 0 };
  points.forEach((x, index) => {
    if (x === 0) return;
    const error = Math.abs((actual[index] as number) - exact(x)) / scale(x);
    if (!(error <= found.error)) found = { error, x };
  });
  return found;
}

describe("gelu", () => {
  for (const { form, exact } of forms) {
    it.each([
      [1, 4],
      [7, 36],
      [130, 68],
    ])(`${form}, %i rows of %i`, async (tokens, width) => {
      await checkOp(device, {
        name: `gelu ${form}`,
        sizes: { tokens },
        inputs: { x: { shape: ["tokens", width] } },
        build: (g, { x }) => gelu(g, x, form),
        reference: ({ x }) => x.map(exact),
        gradientsOf: ["x"],
      });
    });

    it(`${form} stays finite where its exponentials and powers leave the range`, async () => {
      const x = Float32Array.of(-3e38, -1e20, -1000, -90, -21, -14, -0, 0, 14, 21, 1000, 1e20);
      const { y, dx } = await values(form, x);
      expect([...y]).toEqual([...x].map((value) => (value > 0 ? value : expect.closeTo(0, 30))));
      expect([...dx]).toEqual([...x].map((value) => (value === 0 ? 0.5 : value > 0 ? 1 : expect.closeTo(0, 30))));
    });
  }

  it("erf has f32's relative accuracy over −10 … 10, also where only small numbers are", async () => {
    const { y, dx } = await values("erf", points);
    const forward = worst(y, geluErf, (x) => Math.abs(geluErf(x)));
    expect(forward.error, `gelu at ${forward.x}`).toBeLessThan(1e-6);
    // Φ and xφ cancel at the minimum, so their sizes are the measure.
    const backward = worst(
      dx,
      (x) => normalCumulative(x) + x * normalDensity(x),
      (x) => normalCumulative(x) + Math.abs(x) * normalDensity(x),
    );
    expect(backward.error, `derivative at ${backward.x}`).toBeLessThan(1e-6);
  });

  it("tanh has the relative accuracy that the rounding of its argument leaves", async () => {
    const { y, dx } = await values("tanh", points);
    // e^v is off by as much as v is, |v| times a few units in the last place; in the upper half nothing of that is left.
    const allowed = (x: number) => 1 + Math.max(0, -geluArgument(x)) / 4;
    const forward = worst(y, geluTanh, (x) => Math.abs(geluTanh(x)) * allowed(x));
    expect(forward.error, `gelu at ${forward.x}`).toBeLessThan(1e-6);
    const parts = (x: number) => {
      const inner = 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
      return [sigmoid(geluArgument(x)), geluTanh(x) * sigmoid(-geluArgument(x)) * inner] as const;
    };
    const backward = worst(
      dx,
      (x) => parts(x)[0] + parts(x)[1],
      (x) => (parts(x)[0] + Math.abs(parts(x)[1])) * allowed(x),
    );
    expect(backward.error, `derivative at ${backward.x}`).toBeLessThan(1e-6);
  });

  it("the references are torch's functions", () => {
    // torch.nn.functional.gelu in float64, whose 1 + tanh(u) has lost half of its digits at −5.
    const known = [
      [-5, -2.2917961972623857e-7, -1.4332578593401202e-6],
      [-1, -0.15880800939172324, -0.15865525393145702],
      [0.5, 0.34571400982514394, 0.34573123063700656],
      [3.25, 3.2484313728552525, 3.24812466861223],
    ] as const;
    for (const [x, tanh, erf] of known) {
      expect(Math.abs(geluTanh(x) / tanh - 1), `tanh at ${x}`).toBeLessThan(1e-9);
      expect(Math.abs(geluErf(x) / erf - 1), `erf at ${x}`).toBeLessThan(1e-10);
    }
    // mpmath.ncdf(-10), ncdf(-3), ncdf(-2.5).
    expect(Math.abs(normalCumulative(-10) / 7.619853024160525e-24 - 1)).toBeLessThan(1e-13);
    expect(Math.abs(normalCumulative(-3) / 0.0013498980316300946 - 1)).toBeLessThan(1e-13);
    expect(Math.abs(normalCumulative(-2.5) / 0.006209665325776135 - 1)).toBeLessThan(1e-13);
  });

  it("refuses rows that are not a multiple of 4", () => {
    const g = new Graph({ gradients: false });
    expect(() => gelu(g, g.tensor("x", "f32", [2, 6]), "erf")).toThrow(
      "gelu: x has rows of 6; they must be a fixed multiple of 4.",
    );
  });
});
