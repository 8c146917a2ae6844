/** The global norm over flat buffers of odd lengths, across block borders, and of gradients that are not finite. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import { gradientNorm } from "../../src/ops/gradient-norm";
import { expectClose, norm } from "../support/allclose";
import { runOnce, testDevice, upload } from "../support/gpu";
import { normals, random } from "../support/random";

const device = await testDevice();

async function normOf(data: Float32Array<ArrayBuffer>): Promise<Float32Array> {
  const g = new Graph({ gradients: false });
  const gradients = await upload(device, "gradients", [data.length], data);
  const statistics = await upload(device, "statistics", [3], Float32Array.of(5, 6, 7));
  gradientNorm(g, gradients, statistics, 1);
  return (await runOnce(device, g, { statistics })).statistics;
}

describe("gradient-norm", () => {
  it.each([1, 7, 4096, 4097, 300_001])("%i values", async (count) => {
    const data = normals(random(count), count);
    const first = await normOf(data);
    expectClose("norm", [first[1] as number], [norm(data)], 1e-6);
    expect([first[0], first[2]]).toEqual([5, 7]);
    expect(await normOf(data)).toEqual(first);
  });

  it("counts every element once", async () => {
    for (const at of [0, 63, 64, 4095, 4096, 8999]) {
      const data = new Float32Array(9000);
      data[at] = -3;
      expect((await normOf(data))[1]).toBe(3);
    }
  });

  it("is not finite where a gradient is not", async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const data = normals(random(1), 5000);
      data[4999] = bad;
      expect(Number.isFinite((await normOf(data))[1])).toBe(false);
    }
  });
});
