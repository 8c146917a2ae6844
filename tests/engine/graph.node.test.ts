/** Recording: sizes are checked where tensors meet, and the tape's rules hold. Nothing here needs a GPU. */
import { describe, expect, it } from "vitest";
import { chunkDim, runtimeScalar, scaled, symbolicDim } from "../../src/engine/dims";
import { EngineError, ShapeError } from "../../src/engine/errors";
import { Graph } from "../../src/engine/graph";
import type { Tensor } from "../../src/engine/tensor";
import { combine } from "./combine";

const rows = symbolicDim("rows", 10);
const plain = { factor: 1, has_b: 1, accumulate: 0 };

function add(g: Graph, a: Tensor, b: Tensor): Tensor {
  const { y } = g.run(combine, { a, b }, plain);
  g.onBackward(y, [a, b], (dy) => {
    for (const input of [a, b]) {
      g.addGradient(
        input,
        (target, accumulate) =>
          g.run(combine, { a: dy, b: null }, { factor: 1, has_b: 0, accumulate }, { y: target }).y,
      );
    }
  });
  return y;
}

describe("sizes", () => {
  const g = new Graph({ gradients: false });
  it.each<[string, readonly [Tensor, Tensor], string]>([
    [
      "two fixed sizes",
      [g.tensor("a", "f32", [3, 200]), g.tensor("b", "f32", [3, 201])],
      "combine.combine: b has columns=201 but a has columns=200.",
    ],
    [
      "a fixed and a symbolic size",
      [g.tensor("a", "f32", [rows, 4]), g.tensor("b", "f32", [10, 4])],
      "combine.combine: b has rows=10 but a has rows=rows≤10.",
    ],
    [
      "two symbolic sizes",
      [g.tensor("a", "f32", [rows, 4]), g.tensor("b", "f32", [symbolicDim("tokens", 10), 4])],
      "combine.combine: b has rows=tokens≤10 but a has rows=rows≤10.",
    ],
    [
      "another rank",
      [g.tensor("a", "f32", [3]), g.tensor("b", "f32", [3])],
      "combine.combine: a has the shape [3], expected [rows, columns].",
    ],
    [
      "another element type",
      [g.tensor("a", "u32", [3, 4]), g.tensor("b", "f32", [3, 4])],
      "combine.combine: a is u32, the shader reads f32.",
    ],
  ])("of %s differ", (_, [a, b], message) => {
    const record = () => g.run(combine, { a, b }, plain);
    expect(record).toThrow(ShapeError);
    expect(record).toThrow(message);
  });

  it("of a target differ", () => {
    const a = g.tensor("a", "f32", [3, 4]);
    expect(() => g.run(combine, { a, b: null }, { ...plain, has_b: 0 }, { y: g.tensor("y", "f32", [3, 5]) })).toThrow(
      "combine.combine: y has columns=5 but a has columns=4.",
    );
  });

  it("of an output come from inputs and parameters", () => {
    const y = g.run(combine, { a: g.tensor("a", "f32", [rows, 4]), b: null }, plain).y;
    expect(y.shape).toEqual([rows, 4]);
    expect(y.label).toBe("combine.combine.y");
    expect(() => g.run(combine, { a: null, b: null }, plain)).toThrow(
      'combine.combine: no input and no parameter gives the size "rows" of y.',
    );
  });

  it("bind within their maximum only", () => {
    expect(rows.at({ rows: 0 })).toBe(0);
    expect(rows.at({ rows: 10 })).toBe(10);
    for (const bad of [11, -1, 2.5, Number.NaN]) {
      expect(() => rows.at({ rows: bad })).toThrow(
        `The replay binds rows=${bad}, but the program was planned for 0 to 10.`,
      );
    }
    expect(() => rows.at({ tokens: 3 })).toThrow('The replay does not bind "rows".');
    const chunks = [0, 1, 2, 3].map((index) => chunkDim(rows, index, 4));
    expect(chunks.map((chunk) => chunk.max)).toEqual([4, 4, 2, 0]);
    expect(chunks.map((chunk) => chunk.at({ rows: 5 }))).toEqual([4, 1, 0, 0]);
    expect(scaled(runtimeScalar("lr"), 3).at({ lr: 2 })).toBe(6);
  });

  it("of cut rows start at a binding's alignment", () => {
    const base = g.tensor("base", "f32", [64, 32]);
    expect(g.rows(base, 2, 5)).toMatchObject({ shape: [5, 32], storage: { kind: "view", base, byteOffset: 256 } });
    expect(() => g.rows(base, 1, 5)).toThrow("base: row 1 starts at byte 128, not a multiple of 256.");
    expect(() => g.rows(g.rows(base, 2, 5), 2, 1)).toThrow("base: a cut tensor cannot be cut again.");
    expect(() => g.rows(g.tensor("odd", "f32", [4, rows]), 0, 1)).toThrow(
      "odd: only fixed inner sizes can be cut into rows.",
    );
  });
});

describe("one buffer read and written by one call", () => {
  it("is refused, views included", () => {
    const g = new Graph({ gradients: false });
    const a = g.tensor("stream", "f32", [4, 64]);
    const inPlace = () => g.run(combine, { a, b: null }, plain, { y: a });
    expect(inPlace).toThrow(EngineError);
    expect(inPlace).toThrow("combine.combine: y is written in the buffer that a is read from (stream).");
    expect(() => g.run(combine, { a: g.rows(a, 0, 1), b: null }, plain, { y: g.rows(a, 1, 1) })).toThrow(EngineError);
    expect(() => g.run(combine, { a, b: null }, plain, { y: g.tensor("other", "f32", [4, 64]) })).not.toThrow();
  });
});

describe("the tape", () => {
  const leaf = (g: Graph, label = "x") => g.tensor(label, "f32", [3, 4]);

  it("overwrites with the first contribution and adds the later ones into the same tensor", () => {
    const g = new Graph({ gradients: true });
    const x = g.watch(leaf(g));
    const y = add(g, x, leaf(g));
    const z = add(g, x, y);
    g.backward(z);
    const backward = g.calls.slice(2);
    // z first: x and y get theirs; then y's op adds to x.
    expect(backward.map((call) => call.params.get("accumulate"))).toEqual([0, 0, 1]);
    expect(backward[0]?.tensors.get("y")).toBe(g.gradientOf(x));
    expect(backward[2]?.tensors.get("y")).toBe(g.gradientOf(x));
    expect(backward[2]?.tensors.get("a")).toBe(g.gradientOf(y));
  });

  it("records nothing below the lowest tensor that needs a gradient", () => {
    const g = new Graph({ gradients: true });
    const frozen = add(g, leaf(g), leaf(g));
    const x = g.watch(leaf(g));
    const y = add(g, frozen, x);
    g.backward(y);
    expect(g.needsGradient(frozen)).toBe(false);
    expect(g.needsGradient(y)).toBe(true);
    expect(g.gradientOf(frozen)).toBeUndefined();
    expect(g.calls.length).toBe(3);
  });

  it("records nothing at all in a graph without gradients", () => {
    const g = new Graph({ gradients: false });
    const x = g.watch(leaf(g));
    const y = add(g, x, leaf(g));
    g.backward(y);
    expect(g.calls.length).toBe(1);
    expect(g.gradientOf(x)).toBeUndefined();
  });

  it("runs an op that trains parameters even where no input needs a gradient", () => {
    const g = new Graph({ gradients: true });
    const x = leaf(g);
    const { y } = g.run(combine, { a: x, b: null }, plain);
    const seen: Tensor[] = [];
    g.onBackward(y, [x], (dy) => seen.push(dy), { trains: true });
    g.backward(y);
    expect(seen).toEqual([y]);
    expect(g.needsGradient(y)).toBe(true);
  });

  it("skips an op whose output nothing used", () => {
    const g = new Graph({ gradients: true });
    const x = g.watch(leaf(g));
    add(g, x, leaf(g));
    const y = add(g, x, leaf(g));
    g.backward(y);
    expect(g.calls.length).toBe(3);
  });

  it("passes a gradient on uncopied, and only as the first", () => {
    const g = new Graph({ gradients: true });
    const [a, b] = [g.watch(leaf(g, "a")), g.watch(leaf(g, "b"))];
    const dy = leaf(g, "dy");
    g.passGradient(a, dy);
    g.passGradient(b, dy);
    expect(g.gradientOf(a)).toBe(dy);
    expect(g.gradientOf(b)).toBe(dy);
    expect(() => g.passGradient(a, dy)).toThrow("a already has a gradient; a passed one must come first.");
    const unused = leaf(g, "unused");
    g.passGradient(unused, dy);
    expect(g.gradientOf(unused)).toBeUndefined();
  });

  it("refuses to add to a shared gradient that another op has yet to read", () => {
    const g = new Graph({ gradients: true });
    const x = g.watch(leaf(g, "stream"));
    // Recorded first, so its backward runs last, when the shared gradient must still be whole.
    const branch = add(g, leaf(g), x);
    const sum = g.run(combine, { a: x, b: branch }, plain).y;
    g.onBackward(sum, [x, branch], (dy) => {
      g.passGradient(x, dy);
      g.passGradient(branch, dy);
      g.addGradient(x, () => dy);
    });
    expect(() => g.backward(sum)).toThrow(
      "The gradient of stream is shared with combine.combine.y, which has yet to read it.",
    );
  });

  it("adds to a shared gradient once the other side has read it: the residual stream", () => {
    const g = new Graph({ gradients: true });
    const x = g.watch(leaf(g, "stream"));
    const normed = add(g, x, leaf(g));
    const branch = add(g, normed, leaf(g));
    const sum = g.run(combine, { a: x, b: branch }, plain).y;
    g.onBackward(sum, [x, branch], (dy) => {
      g.passGradient(x, dy);
      g.passGradient(branch, dy);
    });
    g.backward(sum);
    expect(g.gradientOf(x)).toBe(sum);
    const last = g.calls.at(-1);
    expect(last?.tensors.get("y")).toBe(sum);
    expect(last?.params.get("accumulate")).toBe(1);
  });

  it("refuses an op that would read and write the shared gradient at once", () => {
    const g = new Graph({ gradients: true });
    const x = g.watch(leaf(g, "stream"));
    const branch = add(g, x, leaf(g));
    const sum = g.run(combine, { a: x, b: branch }, plain).y;
    g.onBackward(sum, [x, branch], (dy) => {
      g.passGradient(x, dy);
      g.passGradient(branch, dy);
    });
    expect(() => g.backward(sum)).toThrow("combine.combine: y is written in the buffer that a is read from");
  });
});
