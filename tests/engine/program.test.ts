/** Programs on the GPU: planned memory is what is allocated, replays equal exact programs, a warm replay makes nothing. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dim, runtimeScalar, symbolicDim } from "../../src/engine/dims";
import { EngineError } from "../../src/engine/errors";
import { Graph } from "../../src/engine/graph";
import { Workspace } from "../../src/engine/program";
import type { Tensor } from "../../src/engine/tensor";
import { gatedActivation } from "../../src/ops/gated-activation";
import { residualAdd } from "../../src/ops/residual-add";
import { rmsNorm } from "../../src/ops/rms-norm";
import { ready, testDevice, upload } from "../support/gpu";
import { normals, random } from "../support/random";
import { combine } from "./combine";
import { randomProgram, record } from "./random-program";

const device = await testDevice();
const plain = { factor: 1, has_b: 1, accumulate: 0 };
const width = 36;

/** Norm, gate and residual, with gradients back to x. */
async function block(tokens: Dim, data: Float32Array<ArrayBuffer>) {
  const g = new Graph({ gradients: true });
  const x = g.watch(await upload(device, "x", [tokens, width], data));
  const weight = await upload(device, "weight", [width], normals(random(4), width));
  const y = residualAdd(
    g,
    x,
    gatedActivation(g, rmsNorm(g, x, weight, { eps: 1e-5 }), rmsNorm(g, x, weight, { eps: 1e-3 }), "silu"),
  );
  g.keep(y);
  const dy = await upload(device, "dy", [tokens, width], data);
  const root = g.tensor("root", "f32", [1]);
  g.onBackward(root, [y], () => g.passGradient(y, dy), { trains: true });
  g.backward(root);
  return { g, x, y, dx: g.gradientOf(x) as Tensor };
}

describe("memory", () => {
  it("planned is what is allocated, for programs that share a workspace", async () => {
    const data = normals(random(1), 50 * width);
    const first = await block(symbolicDim("tokens", 50), data);
    const second = await block(symbolicDim("tokens", 80), normals(random(1), 80 * width));
    const graphs = [first.g, second.g];
    const before = device.allocatedBytes;
    const planned = Workspace.plannedBytes(device, graphs);
    expect(device.allocatedBytes).toBe(before);
    const workspace = await Workspace.create(device, graphs);
    const programs = [await workspace.program(first.g), await workspace.program(second.g)];
    expect(device.allocatedBytes - before).toBe(planned);
    expect(workspace.bytes).toBe(planned);
    const alone = graphs.reduce((sum, graph) => sum + Workspace.plannedBytes(device, [graph]), 0);
    expect(planned).toBeLessThan(alone);
    for (const program of programs) program.destroy();
    workspace.destroy();
    expect(device.allocatedBytes).toBe(before);
  });

  it("random programs over shared slots give what plain evaluation gives", async () => {
    const inputs = new Map<number, { tensor: Tensor; values: Float64Array }>();
    for (const width of [64, 128, 320]) {
      const data = Float32Array.from({ length: 4 * width }, (_, index) => (index % 7) - 3);
      inputs.set(width, {
        tensor: await upload(device, `input ${width}`, [4, width], data),
        values: Float64Array.from(data),
      });
    }
    await fc.assert(
      fc.asyncProperty(randomProgram({ maxCalls: 14 }), async (program) => {
        const { graph, kept } = record(
          program,
          (width) => inputs.get(width) as { tensor: Tensor; values: Float64Array },
        );
        const { program: made, read, destroy } = await ready(device, graph);
        made.run({});
        for (const { tensor, values } of kept) {
          // −0 and 0 are the same here.
          expect(Array.from(await read(tensor), (value) => value + 0)).toEqual(
            Array.from(values, (value) => value + 0),
          );
        }
        destroy();
      }),
      { numRuns: 30, seed: 2 },
    );
  });
});

describe("replay", () => {
  it("with smaller sizes gives bit for bit what a program of exactly that size gives", async () => {
    const largest = 70;
    const data = normals(random(2), largest * width);
    const planned = await block(symbolicDim("tokens", largest), data);
    const replayed = await ready(device, planned.g);
    // From large to small and back: nothing of an earlier replay shows.
    for (const tokens of [70, 1, 7, 70, 33]) {
      const exact = await block(tokens, data.slice(0, tokens * width));
      const once = await ready(device, exact.g);
      once.program.run({});
      replayed.program.run({ tokens });
      for (const name of ["y", "dx"] as const) {
        // The gradient lies in dy's buffer, which each replay of a real step gets anew; here it is written again.
        if (name === "y") {
          expect(await replayed.read(planned.y, { tokens })).toEqual(await once.read(exact.y));
          continue;
        }
        expect(await replayed.read(planned.dx, { tokens })).toEqual(await once.read(exact.dx));
        const { storage } = planned.dx;
        if (storage.kind === "buffer") device.write(storage.buffer as GPUBuffer, data);
      }
      once.destroy();
    }
    replayed.destroy();
  });

  it("makes no GPU object, by the device's counts and by what the browser is asked for", async () => {
    const { g } = await block(symbolicDim("tokens", 50), normals(random(3), 50 * width));
    const { program, destroy } = await ready(device, g);
    const before = { ...device.counts };
    const asked: string[] = [];
    const { gpu } = device;
    const makers = [
      "createBuffer",
      "createBindGroup",
      "createBindGroupLayout",
      "createPipelineLayout",
      "createComputePipeline",
      "createComputePipelineAsync",
      "createShaderModule",
      "createQuerySet",
      "createTexture",
    ] as const;
    for (const maker of makers) {
      Object.defineProperty(gpu, maker, {
        configurable: true,
        value: (...args: never[]) => {
          asked.push(maker);
          return (GPUDevice.prototype[maker] as (...args: never[]) => unknown).apply(gpu, args);
        },
      });
    }
    for (const tokens of [50, 1, 33]) program.run({ tokens });
    expect(asked).toEqual([]);
    expect(device.counts).toEqual(before);
    // The watch works: a buffer made now is seen.
    const [buffer] = await device.allocate([{ label: "seen", bytes: 4 }]);
    expect(asked).toEqual(["createBuffer"]);
    expect(device.counts.buffers).toBe(before.buffers + 1);
    for (const maker of makers) Reflect.deleteProperty(gpu, maker);
    if (buffer) device.free(buffer);
    destroy();
  });

  it("another size needs no other pipeline", async () => {
    const data = normals(random(3), 90 * width);
    const before = (await block(40, data.slice(0, 40 * width))).g;
    (await ready(device, before)).destroy();
    const counts = device.counts;
    (await ready(device, (await block(90, data)).g)).destroy();
    expect(device.counts.pipelines).toBe(counts.pipelines);
    expect(device.counts.shaderModules).toBe(counts.shaderModules);
  });

  it("runs calls in order across many submits", async () => {
    const g = new Graph({ gradients: false });
    let x = await upload(device, "x", [1, 1], Float32Array.of(1));
    for (let step = 0; step < 300; step += 1)
      x = g.run(combine, { a: x, b: null }, { factor: step % 2 ? 0.5 : 2, has_b: 0, accumulate: 0 }).y;
    const one = await upload(device, "one", [1, 1], Float32Array.of(1));
    for (let step = 0; step < 300; step += 1) x = g.run(combine, { a: x, b: one }, plain).y;
    g.keep(x);
    const { program, read, destroy } = await ready(device, g);
    program.run({});
    expect(await read(x)).toEqual(Float32Array.of(301));
    destroy();
  });

  it("binds runtime scalars anew, and names one that is missing", async () => {
    const g = new Graph({ gradients: false });
    const x = await upload(device, "x", [1, 2], Float32Array.of(1, 2));
    const y = g.keep(g.run(combine, { a: x, b: null }, { factor: runtimeScalar("factor"), has_b: 0, accumulate: 0 }).y);
    const { program, read, destroy } = await ready(device, g);
    for (const factor of [3, -0.5]) {
      program.run({ factor });
      expect(await read(y)).toEqual(Float32Array.of(factor, 2 * factor));
    }
    expect(() => program.run({})).toThrow('The replay does not bind "factor".');
    destroy();
  });

  it("skips calls with nothing to do and refuses grids and sizes past their limits", async () => {
    const g = new Graph({ gradients: false });
    const rows = symbolicDim("rows", 3_000_000);
    const wide = await upload(device, "x", [rows, 1], Float32Array.of(1));
    g.keep(g.run(combine, { a: wide, b: null }, { factor: 1, has_b: 0, accumulate: 0 }).y);
    const { program, destroy } = await ready(device, g);
    program.run({ rows: 0 });
    expect(program.cost({ rows: 0 })).toEqual({ dispatches: 0, flops: 0, bytes: 0 });
    expect(program.cost({ rows: 100 })).toEqual({ dispatches: 1, flops: 200, bytes: 800 });
    expect(() => program.run({ rows: 65_535 * 32 + 1 })).toThrow(EngineError);
    expect(() => program.run({ rows: 65_535 * 32 + 1 })).toThrow(
      "combine.combine asks for 65536×1×1 workgroups; WebGPU allows 65535 along an axis.",
    );
    expect(() => program.run({ rows: 3_000_001 })).toThrow(
      "The replay binds rows=3000001, but the program was planned for 0 to 3000000.",
    );
    destroy();
  });

  it("refuses a tensor that its buffer is too small for, and one that is not part of the program", async () => {
    const g = new Graph({ gradients: false });
    const small = await upload(device, "small", [2, 2], new Float32Array(4));
    g.run(combine, { a: { ...small, shape: [3, 2] }, b: null }, { factor: 1, has_b: 0, accumulate: 0 });
    await expect(ready(device, g)).rejects.toThrow("combine.combine: a needs bytes 0 to 24 of a buffer of 16.");
    const empty = new Graph({ gradients: false });
    const { program, destroy } = await ready(device, empty);
    expect(() => program.locate(empty.tensor("stranger", "f32", [1]))).toThrow("stranger is not part of the program.");
    destroy();
  });
});

describe("profile", () => {
  it("gives GPU time and dispatches by kernel, slowest first", async () => {
    const { g } = await block(symbolicDim("tokens", 50), normals(random(3), 50 * width));
    const { program, destroy } = await ready(device, g);
    const times = await program.profile({ tokens: 50 });
    expect(Object.fromEntries(times.map(({ name, dispatches }) => [name, dispatches]))).toEqual({
      "rms-norm.forward": 2,
      "gated-activation.forward": 1,
      "residual-add.forward": 1,
      "gated-activation.backward_gate": 1,
      "gated-activation.backward_up": 1,
      "rms-norm.backward_x": 2,
    });
    for (const { milliseconds } of times) expect(milliseconds).toBeGreaterThan(0);
    expect(times.map((time) => time.milliseconds)).toEqual(
      times.map((time) => time.milliseconds).sort((a, b) => b - a),
    );
    destroy();
  });
});
