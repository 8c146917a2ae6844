/** The sum into a statistics element: against float64, added to and overwriting, the same bits each time. */
import { describe, expect, it } from "vitest";
import { runtimeScalar, symbolicDim } from "../../src/engine/dims";
import { Graph } from "../../src/engine/graph";
import { sum } from "../../src/ops/sum";
import { expectClose } from "../support/allclose";
import { ready, testDevice, upload } from "../support/gpu";
import { normals, random } from "../support/random";

const device = await testDevice();

describe("sum", () => {
  it.each([0, 1, 7, 64, 130, 5001])("%i values", async (count) => {
    const data = normals(random(count + 1), count).map((value) => value + 1);
    const g = new Graph({ gradients: false });
    const values = await upload(device, "values", [symbolicDim("count", 6000)], data);
    const statistics = await upload(device, "statistics", [3], Float32Array.of(5, 6, 7));
    sum(g, values, statistics, { index: 1, accumulate: runtimeScalar("accumulate") });
    const { program, read } = await ready(device, g);
    const exact = data.reduce((total, value) => total + value, 0);
    program.run({ count, accumulate: 1 });
    const added = await read(statistics);
    expectClose("added", [added[1] as number], [6 + exact], 1e-6);
    program.run({ count, accumulate: 0 });
    const written = await read(statistics);
    expectClose("written", [written[1] as number], [exact], 1e-6, 1e-6);
    program.run({ count, accumulate: 0 });
    expect(await read(statistics)).toEqual(written);
    expect([written[0], written[2]]).toEqual([5, 7]);
  });
});
