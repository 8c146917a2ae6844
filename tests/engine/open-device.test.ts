/** Opening a device where the browser's first answer is no: what is tried next, what is said, and the least GPU that trains. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { Device, openDevice } from "../../src/engine/device";
import { neededLimits } from "../../src/engine/limits";
import { readBlueprint } from "../../src/model/blueprint";
import { httpFolder } from "../../src/model/folder";
import { loadModel } from "../../src/model/load";
import { openWeights } from "../../src/model/weights/registry";
import { checkKernels } from "../../src/training/kernel-check";
import { recipeDefaults } from "../../src/training/recipe";
import { TrainingSession } from "../../src/training/session";
import { toErrorData } from "../../src/worker/errors";

type Answer = (options: GPURequestAdapterOptions) => Promise<GPUAdapter | null>;

/** The browser's WebGPU, with another answer to who asks for an adapter. */
function answering(answer: Answer): GPU {
  return new Proxy(navigator.gpu, {
    get: (target, name) => (name === "requestAdapter" ? answer : Reflect.get(target, name, target)),
  });
}

/** The same adapter with some of its properties changed. */
function changed(adapter: GPUAdapter, change: Readonly<Record<string, unknown>>): GPUAdapter {
  return new Proxy(adapter, {
    get(target, name) {
      if (typeof name === "string" && name in change) return change[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A GPU's adapter, as far as it says: here they are all the processor's. */
const asGpu = (adapter: GPUAdapter): GPUAdapter =>
  changed(adapter, {
    info: new Proxy(adapter.info, {
      get: (info, name) => name !== "isFallbackAdapter" && Reflect.get(info, name, info),
    }),
  });

async function realAdapter(options: GPURequestAdapterOptions = {}): Promise<GPUAdapter> {
  const adapter = await navigator.gpu.requestAdapter(options);
  if (!adapter) throw new TypeError("no adapter");
  return adapter;
}

const lowered = async (change: Readonly<Record<string, number>>): Promise<GPUAdapter> => {
  const adapter = asGpu(await realAdapter());
  return changed(adapter, { limits: { ...neededLimits, ...change } });
};

const opened: Device[] = [];
const keep = (device: Device): Device => {
  opened.push(device);
  return device;
};
afterEach(() => {
  for (const device of opened.splice(0)) device.destroy();
  vi.restoreAllMocks();
});

describe("an adapter", () => {
  it("of another kind is asked for where the browser gives no fast one", async () => {
    const asked: GPURequestAdapterOptions[] = [];
    const only = (wanted: (options: GPURequestAdapterOptions) => boolean): GPU => {
      asked.length = 0;
      return answering(async (options) => {
        asked.push(options);
        return wanted(options) ? asGpu(await realAdapter()) : null;
      });
    };
    keep(await openDevice(only(({ powerPreference }) => powerPreference === undefined)));
    expect(asked).toEqual([{ powerPreference: "high-performance" }, {}]);
    keep(await openDevice(only(({ forceFallbackAdapter }) => forceFallbackAdapter === true)));
    expect(asked.slice(2)).toEqual([{ featureLevel: "compatibility" }, { forceFallbackAdapter: true }]);
  });

  it("of the processor waits until no other attempt finds a GPU", async () => {
    const unasked = answering(async ({ featureLevel }) =>
      featureLevel === "compatibility" ? asGpu(await realAdapter()) : realAdapter(),
    );
    expect(keep(await openDevice(unasked)).description.isFallback).toBe(false);
    const never = answering(async ({ forceFallbackAdapter }) => (forceFallbackAdapter ? null : realAdapter()));
    expect(keep(await openDevice(never)).description.isFallback).toBe(true);
  });

  it("that is not there at all is told", async () => {
    const none = openDevice(answering(async () => null));
    await expect(none).rejects.toMatchObject({ reason: "no-adapter" });
    await expect(openDevice(answering(() => Promise.reject(new TypeError("off"))))).rejects.toMatchObject({
      reason: "no-adapter",
    });
  });

  it("that refuses is told with its own words, and the processor does not take its place", async () => {
    const asked: GPURequestAdapterOptions[] = [];
    const refusing = answering(async (options) => {
      asked.push(options);
      return changed(asGpu(await realAdapter()), {
        requestDevice: () => Promise.reject(new TypeError("driver too old.")),
      });
    });
    const error: unknown = await openDevice(refusing).catch((thrown: unknown) => thrown);
    expect(toErrorData(error)).toEqual({
      code: "gpu",
      message: "The GPU refuses to open: driver too old.",
      data: { reason: "refused" },
    });
    expect(asked).toHaveLength(3);
  });

  it("with a limit that is too low is passed over, and told with both numbers", async () => {
    const low = await lowered({ maxStorageBuffersPerShaderStage: 4 });
    const error: unknown = await openDevice(answering(async () => low)).catch((thrown: unknown) => thrown);
    expect(toErrorData(error)).toEqual({
      code: "gpu",
      message: "The GPU offers maxStorageBuffersPerShaderStage 4; the kernels need 8.",
      data: { reason: "limit", limit: "maxStorageBuffersPerShaderStage", needed: 8, offered: 4 },
    });
    const software = answering(async ({ forceFallbackAdapter }) => (forceFallbackAdapter ? realAdapter() : low));
    keep(await openDevice(software));
  });
});

describe("the least GPU", () => {
  it("trains the embedded model, in buffers no larger than what is asked for", async () => {
    // A reduced device: 128 threads a workgroup instead of 256, no features, no limit raised.
    const adapter = await realAdapter({ featureLevel: "compatibility" });
    const gpu = await adapter.requestDevice();
    const device = keep(new Device(gpu, { name: "least", isFallback: true, features: [], maxBufferSize: 0 }));
    const reduced = !gpu.features.has("core-features-and-limits");
    console.log(
      `the device is ${reduced ? "reduced" : "full"}: ${gpu.limits.maxComputeInvocationsPerWorkgroup} threads`,
    );
    const files = httpFolder("tabtune-tiny", new URL("/models/tabtune-tiny", location.href).href, [
      "config.json",
      "tokenizer.json",
      "onnx/model_q4.onnx",
    ]);
    const create = vi.spyOn(gpu, "createBuffer");
    const blueprint = await readBlueprint(files);
    const model = await loadModel(device, blueprint, await openWeights(files, blueprint.tensors));
    const checked = await checkKernels(device, model);
    expect(checked.reason).toBeNull();
    const recipe = { ...recipeDefaults, learningRate: 1e-3, maxLength: 512 };
    const session = await TrainingSession.create(device, model, recipe, {
      maxTokens: 512,
      maxTargets: 512,
      maxSegment: 512,
    });
    session.destroy();
    model.destroy();
    const largest = Math.max(...create.mock.calls.map(([{ size }]) => size));
    console.log(`the largest buffer has ${(largest / 2 ** 20).toFixed(1)} MiB`);
    expect(largest).toBeLessThanOrEqual(neededLimits.maxStorageBufferBindingSize);
    expect(largest).toBeGreaterThan(neededLimits.maxStorageBufferBindingSize / 8);
  });
});
