/** The GPU for tests: one device a file, tensors from arrays, a graph run once, tensors read back. */
import { afterAll, afterEach, expect } from "vitest";
import { type Device, openDevice } from "../../src/engine/device";
import { type Bindings, type Dim, maxOf, boundValue as sizeOf } from "../../src/engine/dims";
import type { Graph } from "../../src/engine/graph";
import { type Program, Workspace } from "../../src/engine/program";
import { bufferTensor, PlannedBuffer, type Tensor } from "../../src/engine/tensor";

export type TensorData = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/**
 * Opens the file's device and closes it after the last test. Call at the top of a test file: `const device = await
 * testDevice()`. A test during which WebGPU reported an error outside of any scope fails: such a submit did nothing.
 */
export async function testDevice(): Promise<Device> {
  const device = await openDevice(navigator.gpu);
  const errors: string[] = [];
  device.gpu.addEventListener("uncapturederror", (event) => errors.push(event.error.message));
  afterEach(async () => {
    await device.gpu.queue.onSubmittedWorkDone();
    expect(errors.splice(0), "WebGPU errors").toEqual([]);
  });
  afterAll(() => device.destroy());
  return device;
}

/**
 * A tensor over a buffer of its own that holds `data`, with `shape`'s largest sizes. Where data is shorter, the rest is
 * poison (NaN, 2³²−1): a kernel that reads past a replay's sizes shows it.
 */
export async function upload(device: Device, label: string, shape: readonly Dim[], data: TensorData): Promise<Tensor> {
  const length = shape.reduce<number>((product, dim) => product * maxOf(dim), 1);
  const [buffer] = await device.allocate([{ label, bytes: 4 * length }]);
  if (!buffer) throw new Error(`no buffer for ${label}`);
  const filled =
    data instanceof Float32Array
      ? new Float32Array(length).fill(Number.NaN)
      : new Uint32Array(length).fill(2 ** 32 - 1);
  filled.set(data);
  device.write(buffer, filled);
  return bufferTensor(label, data instanceof Float32Array ? "f32" : "u32", shape, buffer);
}

export function free(device: Device, tensor: Tensor): void {
  const { storage } = tensor;
  if (storage.kind === "buffer")
    device.free(storage.buffer instanceof PlannedBuffer ? storage.buffer.gpu : storage.buffer);
}

/** A graph made ready, its workspace included. */
export interface Ready {
  readonly program: Program;
  readonly workspace: Workspace;
  /** The tensor's values, as many as the bindings make it. Planned tensors must have been kept before. */
  read(tensor: Tensor, bindings?: Bindings): Promise<Float32Array<ArrayBuffer>>;
  destroy(): void;
}

export async function ready(device: Device, graph: Graph): Promise<Ready> {
  const workspace = await Workspace.create(device, [graph]);
  const program = await workspace.program(graph);
  return {
    program,
    workspace,
    read: async (tensor, bindings = {}) => {
      const length = tensor.shape.reduce<number>((product, dim) => product * sizeOf(dim, bindings), 1);
      const { buffer, byteOffset } = program.locate(tensor);
      return new Float32Array(await device.read(buffer, byteOffset, 4 * length));
    },
    destroy: () => {
      program.destroy();
      workspace.destroy();
    },
  };
}

/** Keeps `outputs`, runs the graph once and gives their values by name. */
export async function runOnce<Name extends string>(
  device: Device,
  graph: Graph,
  outputs: Readonly<Record<Name, Tensor>>,
  bindings: Bindings = {},
): Promise<Record<Name, Float32Array<ArrayBuffer>>> {
  for (const tensor of Object.values<Tensor>(outputs)) if (tensor.storage.kind !== "buffer") graph.keep(tensor);
  const made = await ready(device, graph);
  made.program.run(bindings);
  const values: [string, Float32Array<ArrayBuffer>][] = [];
  for (const [name, tensor] of Object.entries<Tensor>(outputs)) values.push([name, await made.read(tensor, bindings)]);
  made.destroy();
  return Object.fromEntries(values) as Record<Name, Float32Array<ArrayBuffer>>;
}
