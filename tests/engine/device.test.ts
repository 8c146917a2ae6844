/** The device's own promises: errors with place and remedy, counted bytes, a readback ring, a loss that is told. */
import { describe, expect, it } from "vitest";
import { openDevice } from "../../src/engine/device";
import { DeviceError, OutOfMemoryError, ShaderError } from "../../src/engine/errors";
import { kernel } from "../../src/engine/kernel";
import { Readback } from "../../src/engine/readback";
import { bufferTensor, PlannedBuffer } from "../../src/engine/tensor";
import { testDevice, upload } from "../support/gpu";
import { combine, source } from "./combine";

const device = await testDevice();

describe("opening", () => {
  it("says what is missing", async () => {
    const withoutApi = openDevice(undefined);
    await expect(withoutApi).rejects.toMatchObject({ name: "DeviceError", reason: "no-api" });
    await expect(withoutApi).rejects.toThrow(
      "This browser has no WebGPU; use a current Chrome or Edge over https or on localhost.",
    );
    const withoutAdapter = openDevice({ requestAdapter: async () => null } as unknown as GPU);
    await expect(withoutAdapter).rejects.toBeInstanceOf(DeviceError);
    await expect(withoutAdapter).rejects.toMatchObject({ reason: "no-adapter" });
  });

  it("describes the adapter and asks for its limits", () => {
    expect(device.description.name).not.toBe("");
    expect(device.description.maxBufferSize).toBe(device.gpu.limits.maxBufferSize);
    for (const feature of device.description.features) expect(device.gpu.features.has(feature)).toBe(true);
  });
});

describe("shaders", () => {
  it("that do not compile name line, column and source line", async () => {
    const broken = kernel({
      ...combine,
      name: "broken.combine",
      source: source.replace("params.factor * a[index]", "params.factor * c[index]"),
    });
    const line = source.split("\n").findIndex((text) => text.includes("params.factor * a[index]")) + 1;
    const compiled = device.pipeline(broken as never);
    await expect(compiled).rejects.toBeInstanceOf(ShaderError);
    await expect(compiled).rejects.toThrow(
      new RegExp(
        `^broken\\.combine does not compile at line ${line}, column 31: .*c.*\\n {4}var value = params\\.factor \\* c\\[index\\];`,
      ),
    );
  });

  it("count constants in front as lines of the source", async () => {
    const broken = kernel({
      ...combine,
      name: "shifted.combine",
      source: `${source}\nfn late() -> u32 { return HEAD_DIM + nothing; }`,
      constants: { HEAD_DIM: 4 },
    });
    const line = source.split("\n").length + 2;
    await expect(device.pipeline(broken as never)).rejects.toThrow(
      `shifted.combine does not compile at line ${line}, column`,
    );
  });

  it("that fail only with these overrides say why", async () => {
    const huge = combine.with({ overrides: { WORKGROUP: 100_000 } });
    await expect(device.pipeline(huge as never)).rejects.toThrow(/^combine\.combine does not compile.*\b100000\b/s);
  });

  it("compile once for a key", async () => {
    const before = device.counts.pipelines;
    const [first, second] = await Promise.all([device.pipeline(combine as never), device.pipeline(combine as never)]);
    expect(first).toBe(second);
    expect(device.counts.pipelines).toBe(before + 1);
  });
});

describe("buffers", () => {
  it("are counted while they live, in whole words", async () => {
    const before = device.allocatedBytes;
    const [a, b] = await device.allocate([
      { label: "a", bytes: 5 },
      { label: "b", bytes: 0 },
    ]);
    expect(device.allocatedBytes - before).toBe(12);
    for (const buffer of [a, b, a]) if (buffer) device.free(buffer);
    expect(device.allocatedBytes).toBe(before);
  });

  it("past the limits are refused by name, and none of the request is kept", async () => {
    const before = device.allocatedBytes;
    const request = device.allocate([
      { label: "small", bytes: 4 },
      { label: "embedding", bytes: 2 ** 45 },
    ]);
    await expect(request).rejects.toBeInstanceOf(OutOfMemoryError);
    await expect(request).rejects.toThrow(
      /^"embedding" needs 33554432 MiB in one buffer; this GPU allows \d+(\.\d)? MiB\.$/,
    );
    expect(device.allocatedBytes).toBe(before);
    const invalid = device.allocate([
      { label: "usage", bytes: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE },
    ]);
    await expect(invalid).rejects.toBeInstanceOf(OutOfMemoryError);
    expect(device.allocatedBytes).toBe(before);
  });

  it("planned ahead are usable only once they exist", async () => {
    const planned = new PlannedBuffer("adapter", 6);
    expect(planned.bytes).toBe(8);
    expect(() => planned.gpu).toThrow('The buffer "adapter" is used before it is allocated.');
    const before = device.allocatedBytes;
    await device.fulfil([planned]);
    expect(device.allocatedBytes - before).toBe(planned.bytes);
    expect(bufferTensor("adapter", "f32", [2], planned).storage).toMatchObject({ kind: "buffer", byteOffset: 0 });
    device.free(planned.gpu);
  });

  it("take bytes of any length and give them back", async () => {
    const [buffer] = await device.allocate([{ label: "bytes", bytes: 16 }]);
    if (!buffer) throw new Error("no buffer");
    device.write(buffer, Uint8Array.of(1, 2, 3, 4, 5, 6, 7), 4);
    expect([...new Uint8Array(await device.read(buffer, 4, 8))]).toEqual([1, 2, 3, 4, 5, 6, 7, 0]);
    device.free(buffer);
  });
});

describe("readback", () => {
  it("gives each moment's values in order, up to its depth at once", async () => {
    const tensor = await upload(device, "x", [2], Float32Array.of(0, 0));
    if (tensor.storage.kind !== "buffer") throw new Error("not a buffer");
    const buffer = tensor.storage.buffer as GPUBuffer;
    const before = device.allocatedBytes;
    const readback = await Readback.create(device, 8, 3);
    expect(device.allocatedBytes - before).toBe(Readback.plannedBytes(8, 3));
    const reads: Promise<ArrayBuffer>[] = [];
    for (let moment = 1; moment <= 3; moment += 1) {
      device.write(buffer, Float32Array.of(moment, 10 * moment));
      reads.push(readback.read(buffer));
    }
    await expect(readback.read(buffer)).rejects.toThrow("More reads are under way than the ring is deep.");
    const values = (await Promise.all(reads)).map((bytes) => [...new Float32Array(bytes)]);
    expect(values).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
    const counts = device.counts;
    expect([...new Float32Array(await readback.read(buffer))]).toEqual([3, 30]);
    expect(device.counts).toEqual(counts);
    readback.destroy();
    expect(device.allocatedBytes).toBe(before);
  });
});

describe("loss", () => {
  it("resolves with a sentence when the device is closed", async () => {
    const other = await openDevice(navigator.gpu);
    await other.allocate([{ label: "x", bytes: 64 }]);
    other.destroy();
    expect(other.allocatedBytes).toBe(0);
    expect(await other.lost).toBe("The GPU device was closed.");
  });
});

describe("a refused command", () => {
  it("makes the next read fail instead of giving old numbers", async () => {
    const other = await openDevice(navigator.gpu);
    const [small] = await other.allocate([{ label: "small", bytes: 16 }]);
    if (!small) throw new Error("no buffer");
    await other.read(small, 0, 16);
    const encoder = other.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(small, 0, small, 8, 64);
    other.gpu.queue.submit([encoder.finish()]);
    await expect(other.read(small, 0, 16)).rejects.toThrow("The GPU refused a command");
    other.destroy();
  });

  it("tells a lost device apart", async () => {
    const other = await openDevice(navigator.gpu);
    const [buffer] = await other.allocate([{ label: "buffer", bytes: 16 }]);
    if (!buffer) throw new Error("no buffer");
    const [staging] = await other.allocate([
      { label: "staging", bytes: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST },
    ]);
    if (!staging) throw new Error("no buffer");
    other.gpu.destroy();
    await expect(other.readThrough(staging, buffer, 0, 16)).rejects.toThrow(DeviceError);
  });
});
