/** A planned graph made ready: pipelines, bind groups and uniforms exist, so a replay only writes numbers and dispatches. */

import type { CompiledKernel, Device } from "./device";
import { type Bindings, boundValue } from "./dims";
import { EngineError } from "./errors";
import { type Call, Graph } from "./graph";
import type { Sizes } from "./kernel";
import { type GraphPlan, planGraph, sharedSlots } from "./plan";
import { maxBytes, PlannedBuffer, type Tensor } from "./tensor";

/** Dispatches per submit: short enough that a slow GPU's watchdog and the page's own drawing get their turn. */
const dispatchesPerSubmit = 64;
const maxWorkgroups = 65535;

/** The buffers that a set of programs shares; they run one after another, never at once. */
export class Workspace {
  readonly bytes: number;
  readonly #device: Device;
  readonly #plans: ReadonlyMap<Graph, GraphPlan>;
  readonly #slots: readonly GPUBuffer[];
  /** Stands in for absent tensors. */
  readonly zeros: GPUBuffer;

  private constructor(
    device: Device,
    plans: ReadonlyMap<Graph, GraphPlan>,
    slots: readonly GPUBuffer[],
    zeros: GPUBuffer,
    bytes: number,
  ) {
    this.#device = device;
    this.#plans = plans;
    this.#slots = slots;
    this.zeros = zeros;
    this.bytes = bytes;
  }

  /** Bytes that `create` will allocate for these graphs: intermediates, uniforms and the zero buffer. */
  static plannedBytes(device: Device, graphs: readonly Graph[]): number {
    const slots = sharedSlots(graphs.map(planGraph));
    return (
      slots.reduce((sum, bytes) => sum + bytes, zeroBytes) +
      graphs.reduce((sum, graph) => sum + uniformBytes(device, graph), 0)
    );
  }

  /** Bytes of the intermediates alone. */
  static slotBytes(graphs: readonly Graph[]): number {
    return sharedSlots(graphs.map(planGraph)).reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Bytes of the largest buffer of intermediates. */
  static largestSlot(graphs: readonly Graph[]): number {
    return Math.max(0, ...sharedSlots(graphs.map(planGraph)));
  }

  /** Throws `OutOfMemoryError`. Free with `destroy`. */
  static async create(device: Device, graphs: readonly Graph[]): Promise<Workspace> {
    const plans = new Map(graphs.map((graph) => [graph, planGraph(graph)]));
    const sizes = sharedSlots([...plans.values()]);
    const [zeros, ...slots] = await device.allocate([
      { label: "zeros", bytes: zeroBytes },
      ...sizes.map((bytes, index) => ({ label: `slot ${index}`, bytes })),
    ]);
    if (!zeros) throw new EngineError("The workspace got no buffers.");
    return new Workspace(device, plans, slots, zeros, Workspace.plannedBytes(device, graphs));
  }

  /** Compiles and binds one of the workspace's graphs. `onCompiled` is called as pipelines become ready. */
  async program(graph: Graph, onCompiled?: (done: number, total: number) => void): Promise<Program> {
    const plan = this.#plans.get(graph);
    if (!plan) throw new EngineError("This graph is not part of the workspace.");
    const kernels = [...new Map(graph.calls.map((call) => [call.kernel.key, call.kernel])).values()];
    let done = 0;
    const compiled = new Map<string, CompiledKernel>();
    await Promise.all(
      kernels.map(async (kernel) => {
        compiled.set(kernel.key, await this.#device.pipeline(kernel));
        done += 1;
        onCompiled?.(done, kernels.length);
      }),
    );
    const [uniforms] = await this.#device.allocate([
      {
        label: "params",
        bytes: uniformBytes(this.#device, graph),
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      },
    ]);
    if (!uniforms) throw new EngineError("The program got no uniform buffer.");
    return new Program(this.#device, this, graph, compiled, uniforms);
  }

  /** Where a tensor's bytes are. */
  locate(graph: Graph, tensor: Tensor): { buffer: GPUBuffer; byteOffset: number } {
    const { storage } = tensor;
    if (storage.kind === "buffer") {
      const { buffer, byteOffset } = storage;
      return { buffer: buffer instanceof PlannedBuffer ? buffer.gpu : buffer, byteOffset };
    }
    const root = Graph.rootOf(tensor);
    const slot = this.#plans.get(graph)?.slotOf.get(root);
    const buffer = slot === undefined ? undefined : this.#slots[slot];
    if (!buffer) throw new EngineError(`${tensor.label} is not part of the program.`);
    return { buffer, byteOffset: storage.kind === "view" ? storage.byteOffset : 0 };
  }

  destroy(): void {
    this.#device.free(this.zeros);
    for (const slot of this.#slots) this.#device.free(slot);
  }
}

const zeroBytes = 256;

function uniformStride(device: Device): number {
  return Math.max(256, device.gpu.limits.minUniformBufferOffsetAlignment);
}

function uniformBytes(device: Device, graph: Graph): number {
  return Math.max(1, graph.calls.length) * uniformStride(device);
}

interface Step {
  readonly call: Call;
  readonly compiled: CompiledKernel;
  readonly bindGroup: GPUBindGroup;
}

export interface KernelTime {
  readonly name: string;
  readonly dispatches: number;
  readonly milliseconds: number;
}

export interface ProgramCost {
  readonly dispatches: number;
  readonly flops: number;
  /** Bytes of all tensors that the dispatches bind. */
  readonly bytes: number;
}

export class Program {
  readonly #device: Device;
  readonly #workspace: Workspace;
  readonly #graph: Graph;
  readonly #steps: readonly Step[];
  readonly #uniforms: GPUBuffer;
  readonly #uniformData: DataView<ArrayBuffer>;
  readonly #stride: number;

  constructor(
    device: Device,
    workspace: Workspace,
    graph: Graph,
    compiled: ReadonlyMap<string, CompiledKernel>,
    uniforms: GPUBuffer,
  ) {
    this.#device = device;
    this.#workspace = workspace;
    this.#graph = graph;
    this.#uniforms = uniforms;
    this.#stride = uniformStride(device);
    this.#uniformData = new DataView(new ArrayBuffer(uniformBytes(device, graph)));
    this.#steps = graph.calls.map((call, index): Step => {
      const { kernel } = call;
      const of = compiled.get(kernel.key);
      if (!of) throw new EngineError(`${kernel.name} was not compiled.`);
      const resource = (name: string): GPUBufferBinding => {
        const tensor = call.tensors.get(name);
        if (!tensor) return { buffer: workspace.zeros };
        const { buffer, byteOffset } = workspace.locate(graph, tensor);
        const size = Math.max(4, maxBytes(tensor));
        if (byteOffset + size > buffer.size) {
          throw new EngineError(
            `${kernel.name}: ${name} needs bytes ${byteOffset} to ${byteOffset + size} of a buffer of ${buffer.size}.`,
          );
        }
        return { buffer, offset: byteOffset, size };
      };
      return {
        call,
        compiled: of,
        bindGroup: device.bindGroup({
          label: kernel.name,
          layout: of.layout,
          entries: [
            {
              binding: kernel.shader.paramsBinding,
              resource: { buffer: uniforms, offset: index * this.#stride, size: uniformSize(call) },
            },
            ...[...Object.keys(kernel.reads), ...Object.keys(kernel.writes)].map((name) => ({
              binding: kernel.shader.storage.get(name)?.binding ?? 0,
              resource: resource(name),
            })),
          ],
        }),
      };
    });
  }

  /** Encodes and submits every call with these values. The queue runs it after whatever was submitted before. */
  run(bindings: Bindings): void {
    const grids = this.#prepare(bindings);
    let encoder: GPUCommandEncoder | null = null;
    let pass: GPUComputePassEncoder | null = null;
    let dispatched = 0;
    const flush = () => {
      if (!encoder || !pass) return;
      pass.end();
      this.#device.gpu.queue.submit([encoder.finish()]);
      encoder = null;
      pass = null;
      dispatched = 0;
    };
    this.#steps.forEach((step, index) => {
      const grid = grids[index];
      if (!grid) return;
      encoder ??= this.#device.gpu.createCommandEncoder();
      pass ??= encoder.beginComputePass();
      pass.setPipeline(step.compiled.pipeline);
      pass.setBindGroup(0, step.bindGroup);
      pass.dispatchWorkgroups(...grid);
      dispatched += 1;
      if (dispatched === dispatchesPerSubmit) flush();
    });
    flush();
  }

  /** Runs once with every call in a pass of its own and gives GPU time by kernel, slowest first. Needs timestamp-query. */
  async profile(bindings: Bindings): Promise<KernelTime[]> {
    const { gpu } = this.#device;
    if (!gpu.features.has("timestamp-query")) throw new EngineError("This GPU offers no timestamp queries.");
    const grids = this.#prepare(bindings);
    const totals = new Map<string, { dispatches: number; nanoseconds: number }>();
    const perSet = 1024;
    const querySet = gpu.createQuerySet({ type: "timestamp", count: 2 * perSet });
    const [resolved] = await this.#device.allocate([
      { label: "timestamps", bytes: 16 * perSet, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC },
    ]);
    if (!resolved) throw new EngineError("The profiler got no buffer.");
    const active = this.#steps.map((step, index) => ({ step, grid: grids[index] })).filter((entry) => entry.grid);
    for (let start = 0; start < active.length; start += perSet) {
      const batch = active.slice(start, start + perSet);
      const encoder = gpu.createCommandEncoder();
      batch.forEach(({ step, grid }, index) => {
        const pass = encoder.beginComputePass({
          timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * index, endOfPassWriteIndex: 2 * index + 1 },
        });
        pass.setPipeline(step.compiled.pipeline);
        pass.setBindGroup(0, step.bindGroup);
        if (grid) pass.dispatchWorkgroups(...grid);
        pass.end();
      });
      encoder.resolveQuerySet(querySet, 0, 2 * batch.length, resolved, 0);
      gpu.queue.submit([encoder.finish()]);
      const times = new BigUint64Array(await this.#device.read(resolved, 0, 16 * batch.length));
      batch.forEach(({ step }, index) => {
        const name = step.call.kernel.name;
        const total = totals.get(name) ?? { dispatches: 0, nanoseconds: 0 };
        total.dispatches += 1;
        total.nanoseconds += Number((times[2 * index + 1] as bigint) - (times[2 * index] as bigint));
        totals.set(name, total);
      });
    }
    querySet.destroy();
    this.#device.free(resolved);
    return [...totals]
      .map(([name, { dispatches, nanoseconds }]) => ({ name, dispatches, milliseconds: nanoseconds / 1e6 }))
      .sort((a, b) => b.milliseconds - a.milliseconds);
  }

  /** What one replay with these values does. */
  cost(bindings: Bindings): ProgramCost {
    let dispatches = 0;
    let flops = 0;
    let bytes = 0;
    for (const { call } of this.#steps) {
      const sizes = sizesOf(call, bindings);
      if (call.kernel.grid(sizes, call.kernel.overrides).some((count) => count === 0)) continue;
      dispatches += 1;
      flops += call.kernel.flops?.(sizes) ?? 0;
      for (const tensor of call.tensors.values()) {
        bytes += 4 * tensor.shape.reduce<number>((product, dim) => product * boundValue(dim, bindings), 1);
      }
    }
    return { dispatches, flops, bytes };
  }

  /** Where a kept tensor's bytes are after a replay. */
  locate(tensor: Tensor): { buffer: GPUBuffer; byteOffset: number } {
    return this.#workspace.locate(this.#graph, tensor);
  }

  destroy(): void {
    this.#device.free(this.#uniforms);
  }

  /** Fills the uniforms and gives each call's grid, or null where nothing is to do. */
  #prepare(bindings: Bindings): (readonly [number, number, number] | null)[] {
    const data = this.#uniformData;
    const grids = this.#steps.map(({ call }, index) => {
      const sizes = sizesOf(call, bindings);
      const base = index * this.#stride;
      call.kernel.shader.params.forEach((field, position) => {
        const param = call.params.get(field.name);
        const value = param === undefined ? (sizes[field.name] ?? 0) : boundValue(param, bindings);
        if (field.type === "f32") data.setFloat32(base + 4 * position, value, true);
        else data.setUint32(base + 4 * position, value, true);
      });
      const [x, y = 1, z = 1] = call.kernel.grid(sizes, call.kernel.overrides);
      if (x === 0 || y === 0 || z === 0) return null;
      if (Math.max(x, y, z) > maxWorkgroups) {
        throw new EngineError(
          `${call.kernel.name} asks for ${x}×${y}×${z} workgroups; WebGPU allows ${maxWorkgroups} along an axis.`,
        );
      }
      return [x, y, z] as const;
    });
    this.#device.write(this.#uniforms, data.buffer);
    return grids;
  }
}

function sizesOf(call: Call, bindings: Bindings): Sizes {
  const sizes: Record<string, number> = {};
  for (const [name, dim] of call.dims) sizes[name] = boundValue(dim, bindings);
  return sizes;
}

/** Uniform structs are padded to 16 bytes. */
function uniformSize(call: Call): number {
  return Math.max(16, Math.ceil(call.kernel.shader.params.length / 4) * 16);
}
