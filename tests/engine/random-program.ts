/** Random chains of the test kernel for property tests: new tensors, updates in place, cut rows, kept results. */
import * as fc from "fast-check";
import { Graph } from "../../src/engine/graph";
import type { Tensor } from "../../src/engine/tensor";
import { combine } from "./combine";

interface Instruction {
  readonly width: number;
  readonly a: number;
  readonly b: number | null;
  readonly factor: number;
  /** Index of a tensor to add to instead of making a new one. */
  readonly target: number | null;
  readonly keep: boolean;
  /** Read a's second half of rows only, and give as many. */
  readonly cut: boolean;
}

export type RandomProgram = readonly Instruction[];

/** Widths whose half tensors start at binding alignment. */
const widths = [64, 128, 320] as const;
const rows = 4;

export function randomProgram({ maxCalls }: { readonly maxCalls: number }): fc.Arbitrary<RandomProgram> {
  return fc.array(
    fc.record({
      width: fc.constantFrom(...widths),
      a: fc.nat(),
      b: fc.option(fc.nat(), { freq: 3 }),
      factor: fc.integer({ min: -2, max: 2 }),
      target: fc.option(fc.nat(), { freq: 2 }),
      keep: fc.boolean(),
      cut: fc.boolean(),
    }),
    { minLength: 1, maxLength: maxCalls },
  );
}

interface Made {
  readonly tensor: Tensor;
  readonly values: Float64Array;
}

/**
 * The program as a graph, with what every kept tensor holds in the end by plain evaluation. `input` gives the first
 * tensor of a width; without it, the first one is written by a call of its own.
 */
export function record(
  program: RandomProgram,
  input: ((width: number) => Made) | null,
): { graph: Graph; kept: Made[] } {
  const graph = new Graph({ gradients: false });
  const pools = new Map<string, Made[]>();
  const kept: Made[] = [];
  const poolOf = (height: number, width: number) => {
    const key = `${height}×${width}`;
    const pool = pools.get(key) ?? [];
    pools.set(key, pool);
    return pool;
  };
  for (const { width, a, b, factor, target, keep, cut } of program) {
    const whole = poolOf(rows, width);
    if (whole.length === 0) {
      if (input) whole.push(input(width));
      else {
        const y = graph.tensor(`seed ${width}`, "f32", [rows, width]);
        graph.run(combine, { a: null, b: null }, { factor: 1, has_b: 0, accumulate: 0 }, { y });
        whole.push({ tensor: y, values: new Float64Array(rows * width) });
      }
    }
    const first = whole[a % whole.length] as Made;
    const isCut = cut && rows * width * 2 >= 256;
    const left: Made = isCut
      ? { tensor: graph.rows(first.tensor, rows / 2, rows / 2), values: first.values.subarray((rows / 2) * width) }
      : first;
    const pool = isCut ? poolOf(rows / 2, width) : whole;
    const others = pool.filter((made) => made.tensor !== first.tensor);
    const right = b === null || pool.length === 0 ? null : (pool[b % pool.length] as Made);
    const targets = others.filter((made) => made !== right && made.tensor.storage.kind === "planned");
    const updated = target === null || targets.length === 0 ? null : (targets[target % targets.length] as Made);
    const { y } = graph.run(
      combine,
      { a: left.tensor, b: right?.tensor ?? null },
      { factor, has_b: right ? 1 : 0, accumulate: updated ? 1 : 0 },
      { y: updated?.tensor },
    );
    const values = left.values.map((value, index) => factor * value + (right?.values[index] ?? 0));
    if (updated) {
      values.forEach((value, index) => {
        updated.values[index] = (updated.values[index] as number) + value;
      });
    } else {
      const made = { tensor: y, values };
      pool.push(made);
      if (keep) {
        graph.keep(y);
        kept.push(made);
      }
    }
  }
  return { graph, kept };
}
