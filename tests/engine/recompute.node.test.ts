/** Checkpointing as a rewrite of calls: what is repeated, what is not, and that nothing stays longer than it must. */
import { describe, expect, it } from "vitest";
import { Graph } from "../../src/engine/graph";
import { kernel } from "../../src/engine/kernel";
import { planGraph } from "../../src/engine/plan";
import { recomputed } from "../../src/engine/recompute";
import { bufferTensor, PlannedBuffer, type Tensor } from "../../src/engine/tensor";

const source = `
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@compute @workgroup_size(1) fn forward() { y[0] = x[0]; }
@compute @workgroup_size(1) fn backward() { dx[0] = x[0] * dy[0]; }
`;
const grid = () => [1] as const;
const forward = kernel({
  name: "f",
  source,
  entry: "forward",
  reads: { x: ["n"] },
  writes: { y: ["n"] },
  params: [],
  grid,
});
const backward = kernel({
  name: "b",
  source,
  entry: "backward",
  reads: { x: ["n"], dy: ["n"] },
  writes: { dx: ["n"] },
  params: [],
  grid,
});

/** A chain in which every op's backward reads its own input; `every`-th results are checkpoints. */
function chain(length: number, every: number): Graph {
  const g = new Graph({ gradients: true });
  let x: Tensor = g.watch(bufferTensor("x", "f32", [64], new PlannedBuffer("x", 256)));
  for (let index = 1; index <= length; index += 1) {
    const input = x;
    const { y } = g.run(forward, { x: input }, {});
    g.onBackward(y, [input], (dy) => {
      g.addGradient(input, (dx) => g.run(backward, { x: input, dy }, {}, { dx }).dx);
    });
    x = index % every === 0 ? g.checkpoint(y) : y;
  }
  g.backward(x);
  return g;
}

const count = (g: Graph, name: string) => g.calls.filter((call) => call.kernel.name === name).length;
const bytes = (g: Graph) => planGraph(g).slots.reduce((sum, slot) => sum + slot, 0);

describe("recomputed", () => {
  it("repeats only what a backward call reads and no checkpoint holds", () => {
    const g = chain(16, 4);
    const less = recomputed(g);
    expect(count(g, "f")).toBe(16);
    expect(count(less, "b")).toBe(count(g, "b"));
    // Of each block of four results, the last is a checkpoint; the other three are read and repeated once.
    expect(count(less, "f")).toBe(16 + 4 * 3);
    expect(bytes(less)).toBeLessThan(bytes(g));
  });

  it("is the same program where everything is a checkpoint", () => {
    const g = chain(8, 1);
    expect(recomputed(g).calls.map((call) => call.kernel.name)).toEqual(g.calls.map((call) => call.kernel.name));
  });

  it("leaves what is kept and what is written twice alone", () => {
    const g = new Graph({ gradients: true });
    const x = g.watch(bufferTensor("x", "f32", [64], new PlannedBuffer("x", 256)));
    const { y: kept } = g.run(forward, { x }, {});
    g.keep(kept);
    const { y: twice } = g.run(forward, { x: kept }, {});
    g.run(forward, { x: kept }, {}, { y: twice });
    g.onBackward(twice, [x], (dy) => {
      g.run(backward, { x: kept, dy }, {});
      g.addGradient(x, (dx) => g.run(backward, { x: twice, dy }, {}, { dx }).dx);
    });
    g.backward(twice);
    expect(recomputed(g).calls).toHaveLength(g.calls.length);
    expect(recomputed(g).kept).toEqual(g.kept);
  });
});
