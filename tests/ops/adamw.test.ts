/** AdamW over several steps against the arithmetic of torch.optim.AdamW in float64: decay, clipping, bad norms. */
import { describe, expect, it } from "vitest";
import { runtimeScalar } from "../../src/engine/dims";
import { Graph } from "../../src/engine/graph";
import { adamw } from "../../src/ops/adamw";
import { gradientNorm } from "../../src/ops/gradient-norm";
import { expectClose, norm } from "../support/allclose";
import { free, ready, testDevice, upload } from "../support/gpu";
import { normals, random } from "../support/random";

const device = await testDevice();
const beta1 = 0.9;
const beta2 = 0.999;
const eps = 1e-8;
const normIndex = 1;

interface Case {
  readonly count: number;
  readonly weight_decay: number;
  readonly max_norm: number;
}

async function optimizer({ count, weight_decay, max_norm }: Case) {
  const start = normals(random(3), count);
  const put = (label: string, data: Float32Array<ArrayBuffer>) => upload(device, label, [count], data);
  const buffers = {
    parameters: await put("parameters", start),
    gradients: await put("gradients", new Float32Array(count)),
    exp_avg: await put("exp_avg", new Float32Array(count)),
    exp_avg_sq: await put("exp_avg_sq", new Float32Array(count)),
  };
  const statistics = await upload(device, "statistics", [4], new Float32Array(4));
  const g = new Graph({ gradients: false });
  gradientNorm(g, buffers.gradients, statistics, normIndex);
  adamw(g, buffers, statistics, normIndex, {
    lr: runtimeScalar("lr"),
    step: runtimeScalar("step"),
    beta1,
    beta2,
    eps,
    weight_decay,
    max_norm,
    zeroGradients: true,
  });
  const made = await ready(device, g);
  const step = async (gradients: Float32Array<ArrayBuffer>, number: number, lr: number) => {
    const { storage } = buffers.gradients;
    if (storage.kind === "buffer") device.write(storage.buffer as GPUBuffer, gradients);
    made.program.run({ lr, step: number });
  };
  const destroy = () => {
    made.destroy();
    for (const tensor of [...Object.values(buffers), statistics]) free(device, tensor);
  };
  return { start, buffers, statistics, step, read: made.read, destroy };
}

describe("adamw", () => {
  it.each<Case>([
    { count: 1, weight_decay: 0, max_norm: 0 },
    { count: 130, weight_decay: 0.1, max_norm: 0 },
    { count: 130, weight_decay: 0, max_norm: 1 },
    { count: 10_007, weight_decay: 0.01, max_norm: 1000 },
  ])("$count values, decay $weight_decay, clip $max_norm", async (options) => {
    const { start, buffers, statistics, step, read, destroy } = await optimizer(options);
    const p = Float64Array.from(start);
    const m = new Float64Array(options.count);
    const v = new Float64Array(options.count);
    for (let t = 1; t <= 5; t += 1) {
      const gradients = normals(random(100 + t), options.count).map((value) => value * 0.3);
      // The first step of a warm-up has a rate of 0.
      const lr = t === 1 ? 0 : 0.02 / t;
      await step(gradients, t, lr);
      const total = norm(gradients);
      const clip = options.max_norm > 0 ? Math.min(1, options.max_norm / (total + 1e-6)) : 1;
      gradients.forEach((raw, index) => {
        const gradient = raw * clip;
        m[index] = beta1 * (m[index] as number) + (1 - beta1) * gradient;
        v[index] = beta2 * (v[index] as number) + (1 - beta2) * gradient ** 2;
        const denominator = Math.sqrt(v[index]) / Math.sqrt(1 - beta2 ** t) + eps;
        p[index] =
          (p[index] as number) * (1 - lr * options.weight_decay) - ((lr / (1 - beta1 ** t)) * m[index]) / denominator;
      });
      expectClose("norm", [(await read(statistics))[normIndex] as number], [total], 1e-6);
      expectClose(`parameters after ${t}`, await read(buffers.parameters), p, 1e-6);
      expectClose(`first moment after ${t}`, await read(buffers.exp_avg), m, 1e-6);
      expectClose(`second moment after ${t}`, await read(buffers.exp_avg_sq), v, 1e-6);
      expect((await read(buffers.gradients)).every((value) => value === 0)).toBe(true);
    }
    // What the steps moved, not what they started from.
    const moved = (await read(buffers.parameters)).map((value, index) => value - (start[index] as number));
    expectClose(
      "movement",
      moved,
      p.map((value, index) => value - (start[index] as number)),
      1e-4,
    );
    destroy();
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "changes nothing but the gradients where the norm is %d",
    async (bad) => {
      const { start, buffers, step, read, destroy } = await optimizer({ count: 70, weight_decay: 0.1, max_norm: 1 });
      const gradients = normals(random(5), 70);
      await step(gradients, 1, 0.01);
      const names = ["parameters", "exp_avg", "exp_avg_sq"] as const;
      const before = await Promise.all(names.map((name) => read(buffers[name])));
      expect(before[0]).not.toEqual(start);
      gradients[69] = bad;
      await step(gradients, 2, 0.01);
      expect(await Promise.all(names.map((name) => read(buffers[name])))).toEqual(before);
      expect((await read(buffers.gradients)).every((value) => value === 0)).toBe(true);
      destroy();
    },
  );
});
