/** The memory planner on random graphs: tensors that live at once never share a slot. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { symbolicDim } from "../../src/engine/dims";
import { Graph } from "../../src/engine/graph";
import { planGraph, sharedSlots } from "../../src/engine/plan";
import { maxBytes, type Tensor } from "../../src/engine/tensor";
import { combine } from "./combine";
import { randomProgram, record } from "./random-program";

const plain = { factor: 1, has_b: 1, accumulate: 0 };

/** First and last call that touches each planned tensor, found without the planner. */
function livesOf(g: Graph): Map<Tensor, [number, number]> {
  const lives = new Map<Tensor, [number, number]>();
  for (const [index, call] of g.calls.entries()) {
    for (const bound of call.tensors.values()) {
      const tensor = Graph.rootOf(bound);
      if (tensor.storage.kind !== "planned") continue;
      lives.set(tensor, [lives.get(tensor)?.[0] ?? index, g.kept.has(tensor) ? Number.POSITIVE_INFINITY : index]);
    }
  }
  return lives;
}

describe("planGraph", () => {
  it("never gives one slot to two tensors that live at once, and makes each slot large enough", () => {
    fc.assert(
      fc.property(randomProgram({ maxCalls: 40 }), (program) => {
        const { graph } = record(program, null);
        const plan = planGraph(graph);
        const lives = [...livesOf(graph)];
        expect(plan.slotOf.size).toBe(lives.length);
        for (const [index, [tensor, [first, last]]] of lives.entries()) {
          const slot = plan.slotOf.get(tensor) as number;
          expect(plan.slots[slot]).toBeGreaterThanOrEqual(maxBytes(tensor));
          for (const [other, [otherFirst, otherLast]] of lives.slice(index + 1)) {
            if (first <= otherLast && otherFirst <= last) expect(plan.slotOf.get(other)).not.toBe(slot);
          }
        }
        const total = plan.slots.reduce((sum, bytes) => sum + bytes, 0);
        expect(total).toBeLessThanOrEqual(plan.withoutReuse);
        expect([...plan.slots]).toEqual([...plan.slots].sort((a, b) => b - a));
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it("needs two slots for a chain of any length", () => {
    const g = new Graph({ gradients: false });
    let x = g.run(combine, { a: null, b: null }, { ...plain, rows: 64, columns: 32 } as typeof plain).y;
    for (let step = 0; step < 20; step += 1) x = g.run(combine, { a: x, b: null }, plain).y;
    const plan = planGraph(g);
    expect(plan.slots).toEqual([8192, 8192]);
    expect(plan.withoutReuse).toBe(21 * 8192);
  });

  it("plans for the largest binding of a symbolic size", () => {
    const g = new Graph({ gradients: false });
    g.run(combine, { a: null, b: null }, { ...plain, rows: symbolicDim("rows", 1000), columns: 4 } as typeof plain);
    expect(planGraph(g).slots).toEqual([Math.ceil((4 * 1000 * 4) / 256) * 256]);
  });

  it("refuses a tensor that is read before anything has written it", () => {
    const g = new Graph({ gradients: false });
    g.run(combine, { a: g.tensor("lost", "f32", [2, 2]), b: null }, plain);
    expect(() => planGraph(g)).toThrow("combine.combine reads a (lost) before anything has written it.");
  });

  it("lets programs that run in turn share slots, rank by rank", () => {
    const plans = [
      { slotOf: new Map(), slots: [900, 100], withoutReuse: 0 },
      { slotOf: new Map(), slots: [500, 400, 300], withoutReuse: 0 },
    ];
    expect(sharedSlots(plans)).toEqual([900, 400, 300]);
    expect(sharedSlots([])).toEqual([]);
  });
});
