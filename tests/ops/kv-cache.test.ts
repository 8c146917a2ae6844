/** Appending to a cache: the rows named, all other rows untouched, nothing past the end. */
import { describe, expect, it } from "vitest";
import { runtimeScalar, symbolicDim } from "../../src/engine/dims";
import { Graph } from "../../src/engine/graph";
import { appendToCache } from "../../src/ops/kv-cache";
import { ready, testDevice, upload } from "../support/gpu";
import { normals, random } from "../support/random";

const device = await testDevice();
const width = 12;
const capacity = 9;

describe("kv-cache", () => {
  it("fills rows from the offset on, replay after replay, and drops what does not fit", async () => {
    const g = new Graph({ gradients: false });
    const source = random(1);
    const rows = normals(source, 4 * width);
    const before = normals(source, capacity * width);
    const values = await upload(device, "values", [symbolicDim("tokens", 4), width], rows);
    const cache = await upload(device, "cache", [capacity, width], before);
    expect(appendToCache(g, values, cache, runtimeScalar("offset"))).toBe(cache);
    const { program, read } = await ready(device, g);
    const expected = before.slice();
    for (const [tokens, offset] of [
      [3, 0],
      [1, 3],
      [4, 4],
      [1, 8],
      // Two of these rows are past the end.
      [4, 7],
    ] as const) {
      program.run({ tokens, offset });
      expected.set(rows.subarray(0, Math.min(tokens, capacity - offset) * width), offset * width);
      expect(await read(cache)).toEqual(expected);
    }
  });
});
