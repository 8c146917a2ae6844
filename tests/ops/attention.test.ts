/** Attention against float64: documents of length 1 and more in one sequence, query groups of 1, 2, 3, a cache, and windows. */
import { describe, expect, it } from "vitest";
import { maxOf, runtimeScalar, symbolicDim } from "../../src/engine/dims";
import { Graph } from "../../src/engine/graph";
import { maxBytes, type Tensor } from "../../src/engine/tensor";
import { attention } from "../../src/ops/attention";
import { expectClose } from "../support/allclose";
import { checkOp } from "../support/check-op";
import { ready, runOnce, testDevice, upload } from "../support/gpu";
import { normals, random } from "../support/random";

const device = await testDevice();

interface Layout {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly window?: number;
}

/** softmax(q·kᵀ/√headDim)·v over the keys from `start[t]` to `offset + t`, and of those the last `window`. */
function reference(
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  start: ArrayLike<number>,
  { heads, keyValueHeads, headDim, window = Number.POSITIVE_INFINITY }: Layout,
  offset = 0,
): Float64Array {
  const width = heads * headDim;
  const keyWidth = keyValueHeads * headDim;
  const y = new Float64Array(q.length);
  for (let token = 0; token * width < q.length; token += 1) {
    const first = Math.max(start[token] as number, offset + token + 1 - window);
    for (let head = 0; head < heads; head += 1) {
      const query = token * width + head * headDim;
      const key = Math.floor((head * keyValueHeads) / heads) * headDim;
      const scores = new Float64Array(offset + token + 1 - first);
      for (let other = 0; other < scores.length; other += 1) {
        let score = 0;
        const row = (first + other) * keyWidth + key;
        for (let i = 0; i < headDim; i += 1) score += (q[query + i] as number) * (k[row + i] as number);
        scores[other] = score / Math.sqrt(headDim);
      }
      const maximum = scores.reduce((a, b) => Math.max(a, b));
      const weights = scores.map((score) => Math.exp(score - maximum));
      const total = weights.reduce((a, b) => a + b);
      weights.forEach((weight, other) => {
        const row = (first + other) * keyWidth + key;
        for (let i = 0; i < headDim; i += 1) {
          y[query + i] = (y[query + i] as number) + (weight / total) * (v[row + i] as number);
        }
      });
    }
  }
  return y;
}

function segmentsOf(lengths: readonly number[]) {
  const start: number[] = [];
  const end: number[] = [];
  for (const length of lengths) {
    const first = start.length;
    for (let token = 0; token < length; token += 1) {
      start.push(first);
      end.push(first + length);
    }
  }
  return { tokens: start.length, start: Uint32Array.from(start), end: Uint32Array.from(end) };
}

describe("attention", () => {
  it.each<{ lengths: number[] } & Layout>([
    { lengths: [7], heads: 1, keyValueHeads: 1, headDim: 4 },
    { lengths: [1, 5, 1], heads: 4, keyValueHeads: 2, headDim: 12 },
    { lengths: [3, 1, 9], heads: 3, keyValueHeads: 1, headDim: 8 },
    { lengths: [130], heads: 2, keyValueHeads: 2, headDim: 20 },
    { lengths: [1, 66, 2, 1, 60], heads: 6, keyValueHeads: 2, headDim: 16 },
    { lengths: [7], heads: 1, keyValueHeads: 1, headDim: 4, window: 1 },
    { lengths: [6], heads: 2, keyValueHeads: 1, headDim: 8, window: 2 },
    { lengths: [9], heads: 2, keyValueHeads: 1, headDim: 8, window: 9 },
    { lengths: [9], heads: 2, keyValueHeads: 1, headDim: 8, window: 2 ** 32 - 1 },
    // Shorter than the window, as long, one longer, much longer.
    { lengths: [3, 5, 6, 17, 1], heads: 6, keyValueHeads: 2, headDim: 12, window: 5 },
    { lengths: [40, 2, 61], heads: 3, keyValueHeads: 1, headDim: 16, window: 33 },
  ])(
    "documents of $lengths, $heads over $keyValueHeads heads of $headDim, window $window",
    async ({ lengths, ...layout }) => {
      const { tokens, start, end } = segmentsOf(lengths);
      const { heads, keyValueHeads, headDim } = layout;
      await checkOp(device, {
        name: "attention",
        sizes: { tokens },
        inputs: {
          q: { shape: ["tokens", heads * headDim] },
          k: { shape: ["tokens", keyValueHeads * headDim] },
          v: { shape: ["tokens", keyValueHeads * headDim] },
          segmentStart: { shape: ["tokens"], values: start },
          segmentEnd: { shape: ["tokens"], values: end },
        },
        build: (g, { q, k, v, segmentStart, segmentEnd }) =>
          attention(g, { q, k, v }, { segmentStart, segmentEnd }, layout),
        reference: ({ q, k, v }) => reference(q, k, v, start, layout),
        gradientsOf: ["q", "k", "v"],
      });
    },
  );

  it("one token: y is v, and q and k get a gradient of 0", async () => {
    await checkOp(device, {
      name: "attention",
      sizes: { tokens: 1 },
      inputs: {
        q: { shape: ["tokens", 24] },
        k: { shape: ["tokens", 8] },
        v: { shape: ["tokens", 8] },
        segmentStart: { shape: ["tokens"], values: Uint32Array.of(0) },
        segmentEnd: { shape: ["tokens"], values: Uint32Array.of(1) },
      },
      build: (g, { q, k, v, segmentStart, segmentEnd }) =>
        attention(g, { q, k, v }, { segmentStart, segmentEnd }, { heads: 6, keyValueHeads: 2, headDim: 4 }),
      reference: ({ v }) => Float64Array.from({ length: 24 }, (_, i) => v[Math.floor(i / 12) * 4 + (i % 4)] as number),
      gradientsOf: ["q", "k", "v"],
      gradientScale: 1,
    });
  });

  it("gives a gradient to k or v alone", async () => {
    const { tokens, start, end } = segmentsOf([4, 3]);
    const layout = { heads: 2, keyValueHeads: 1, headDim: 8 };
    for (const name of ["k", "v"] as const) {
      await checkOp(device, {
        name: `attention, ${name} alone`,
        sizes: { tokens },
        inputs: {
          q: { shape: ["tokens", 16] },
          k: { shape: ["tokens", 8] },
          v: { shape: ["tokens", 8] },
          segmentStart: { shape: ["tokens"], values: start },
          segmentEnd: { shape: ["tokens"], values: end },
        },
        build: (g, { q, k, v, segmentStart, segmentEnd }) =>
          attention(g, { q, k, v }, { segmentStart, segmentEnd }, layout),
        reference: ({ q, k, v }) => reference(q, k, v, start, layout),
        gradientsOf: [name],
      });
    }
  });

  it("survives scores far apart: the maximum is taken out before exp", async () => {
    const { tokens, start, end } = segmentsOf([40]);
    const layout = { heads: 1, keyValueHeads: 1, headDim: 4 };
    await checkOp(device, {
      name: "attention",
      sizes: { tokens },
      inputs: {
        q: { shape: ["tokens", 4], values: (source, length) => normals(source, length).map((value) => 30 * value) },
        k: { shape: ["tokens", 4], values: (source, length) => normals(source, length).map((value) => 10 * value) },
        v: { shape: ["tokens", 4] },
        segmentStart: { shape: ["tokens"], values: start },
        segmentEnd: { shape: ["tokens"], values: end },
      },
      build: (g, { q, k, v, segmentStart, segmentEnd }) =>
        attention(g, { q, k, v }, { segmentStart, segmentEnd }, layout),
      reference: ({ q, k, v }) => reference(q, k, v, start, layout),
      // Scores of about 1000 carry an f32 error of about 6e-5 into exp.
      tolerance: 1e-4,
    });
  });

  // Windows within the prompt, as long as it, reached while decoding, and never full.
  it.each([undefined, 1, 3, 8, 10, 40])(
    "decodes from a cache as the whole sequence would, window %s",
    async (window) => {
      const layout = { heads: 4, keyValueHeads: 2, headDim: 12, ...(window === undefined ? {} : { window }) };
      const [total, capacity] = [11, 16];
      const source = random(9);
      const q = normals(source, total * 48);
      const k = normals(source, total * 24);
      const v = normals(source, total * 24);
      const whole = reference(
        Float64Array.from(q),
        Float64Array.from(k),
        Float64Array.from(v),
        new Uint32Array(total),
        layout,
      );
      const tokens = symbolicDim("tokens", 8);
      const keys = symbolicDim("keys", capacity);
      const g = new Graph({ gradients: false });
      const rows = await upload(device, "q", [tokens, 48], new Float32Array(8 * 48));
      const segments = {
        segmentStart: await upload(device, "segment_start", [tokens], new Uint32Array(8)),
        segmentEnd: await upload(device, "segment_end", [tokens], new Uint32Array(8).fill(capacity)),
      };
      const inputs = {
        q: rows,
        k: await upload(device, "k", [keys, 24], k),
        v: await upload(device, "v", [keys, 24], v),
      };
      const y = g.keep(attention(g, inputs, segments, { ...layout, queryOffset: runtimeScalar("offset") }));
      const { program, read } = await ready(device, g);
      // A prompt of 8, then a token at a time.
      for (const [offset, count] of [
        [0, 8],
        [8, 1],
        [9, 1],
        [10, 1],
      ] as const) {
        if (rows.storage.kind === "buffer")
          device.write(rows.storage.buffer as GPUBuffer, q.slice(offset * 48, (offset + count) * 48));
        const bindings = { tokens: count, keys: offset + count, offset };
        program.run(bindings);
        expectClose(
          `from ${offset}`,
          await read(y, bindings),
          whole.subarray(offset * 48, (offset + count) * 48),
          1e-6,
        );
      }
    },
  );

  it("never reads what lies outside of the window: poison there changes nothing", async () => {
    const { tokens, start, end } = segmentsOf([22]);
    const layout = { heads: 4, keyValueHeads: 2, headDim: 8, window: 5 };
    const source = random(3);
    const clean = { q: normals(source, tokens * 32), k: normals(source, tokens * 16), v: normals(source, tokens * 16) };
    const dy = normals(source, tokens * 32);
    const run = async ({ q, k, v }: typeof clean) => {
      const g = new Graph({ gradients: true });
      const rows = async (name: string, values: Float32Array<ArrayBuffer>) =>
        g.watch(await upload(device, name, [tokens, values.length / tokens], values));
      const inputs = { q: await rows("q", q), k: await rows("k", k), v: await rows("v", v) };
      const segments = {
        segmentStart: await upload(device, "segment_start", [tokens], start),
        segmentEnd: await upload(device, "segment_end", [tokens], end),
      };
      const y = attention(g, inputs, segments, layout);
      const upstream = await upload(device, "dy", [tokens, 32], dy);
      const root = g.tensor("root", "f32", [1]);
      g.onBackward(root, [y], () => g.passGradient(y, upstream), { trains: true });
      g.backward(root);
      const gradient = (tensor: Tensor) => g.gradientOf(tensor) as Tensor;
      return runOnce(device, g, { y, dq: gradient(inputs.q), dk: gradient(inputs.k), dv: gradient(inputs.v) });
    };
    const expected = await run(clean);
    // The keys 0 … 9 are seen by the queries up to 13, the queries from 14 on see the keys from 10.
    const poisoned = (values: Float32Array<ArrayBuffer>, from: number, to: number, width: number) =>
      values.slice().fill(Number.NaN, from * width, to * width);
    const early = await run({ ...clean, k: poisoned(clean.k, 0, 10, 16), v: poisoned(clean.v, 0, 10, 16) });
    expect(early.y.subarray(14 * 32)).toEqual(expected.y.subarray(14 * 32));
    expect(early.dq.subarray(14 * 32)).toEqual(expected.dq.subarray(14 * 32));
    expect(early.y.subarray(0, 14 * 32).every(Number.isNaN)).toBe(true);
    const late = await run({ ...clean, q: poisoned(clean.q, 14, tokens, 32) });
    expect(late.dk.subarray(0, 10 * 16)).toEqual(expected.dk.subarray(0, 10 * 16));
    expect(late.dv.subarray(0, 10 * 16)).toEqual(expected.dv.subarray(0, 10 * 16));
    expect(late.dk.subarray(10 * 16).every(Number.isNaN)).toBe(true);
  });

  it("counts the arithmetic of a window only", () => {
    const flops = (tokens: number, window?: number, keys = tokens) => {
      const g = new Graph({ gradients: false });
      const tensor = (rows: number) => g.tensor("t", "f32", [rows, 4]);
      const segments = { segmentStart: g.tensor("s", "u32", [tokens]), segmentEnd: g.tensor("e", "u32", [tokens]) };
      const layout = { heads: 1, keyValueHeads: 1, headDim: 4, ...(window === undefined ? {} : { window }) };
      attention(g, { q: tensor(tokens), k: tensor(keys), v: tensor(keys) }, segments, {
        ...layout,
        queryOffset: runtimeScalar("offset"),
      });
      const [call] = g.calls;
      const sizes = Object.fromEntries([...(call?.dims ?? [])].map(([name, dim]) => [name, maxOf(dim)]));
      return (call?.kernel.flops?.(sizes) ?? 0) / 16;
    };
    expect([flops(6), flops(6, 6), flops(6, 9)]).toEqual([21, 21, 21]);
    expect([flops(6, 1), flops(6, 3)]).toEqual([6, 1 + 2 + 3 * 4]);
    expect([flops(1, undefined, 9), flops(2, undefined, 9), flops(2, 4, 9)]).toEqual([9, 17, 8]);
  });

  it("holds nothing of size tokens × keys", () => {
    const g = new Graph({ gradients: true });
    const dim = symbolicDim("tokens", 4096);
    const tensor = (width: number) => g.watch(g.tensor("t", "f32", [dim, width]));
    const segments = { segmentStart: g.tensor("s", "u32", [dim]), segmentEnd: g.tensor("e", "u32", [dim]) };
    const inputs = { q: tensor(16), k: tensor(8), v: tensor(8) };
    g.backward(attention(g, inputs, segments, { heads: 2, keyValueHeads: 1, headDim: 8 }));
    const largest = Math.max(
      ...g.calls.flatMap((call) => [...call.tensors.values()].map((tensor) => maxBytes(tensor))),
    );
    expect(largest).toBe(4 * 4096 * 16);
  });

  it("refuses heads that do not fit", () => {
    const g = new Graph({ gradients: false });
    const segments = { segmentStart: g.tensor("s", "u32", [3]), segmentEnd: g.tensor("e", "u32", [3]) };
    const at = (heads: number, keyValueHeads: number, headDim: number, width = heads * headDim, window?: number) =>
      attention(
        g,
        {
          q: g.tensor("q", "f32", [3, width]),
          k: g.tensor("k", "f32", [3, keyValueHeads * headDim]),
          v: g.tensor("v", "f32", [3, keyValueHeads * headDim]),
        },
        segments,
        { heads, keyValueHeads, headDim, ...(window === undefined ? {} : { window }) },
      );
    expect(() => at(3, 2, 8)).toThrow("attention: 3 query heads cannot share 2 key heads evenly.");
    expect(() => at(2, 1, 6)).toThrow("attention: the head size is 6; it must be a multiple of 4, at most 256.");
    expect(() => at(2, 1, 8, 20)).toThrow("attention: q has rows of 20, not 2 heads of 8.");
    for (const window of [0, -1, 2.5, 2 ** 32, Number.NaN]) {
      expect(() => at(2, 1, 8, 16, window)).toThrow(
        `attention: the window is ${window}; it must be a whole number from 1 to 4294967295.`,
      );
    }
  });
});
