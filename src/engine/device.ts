/** The one owner of a GPUDevice: opens it, counts and labels what it makes, caches pipelines, reports errors and loss. */
import { DeviceError, EngineError, OutOfMemoryError, ShaderError } from "./errors";
import { type Kernel, shaderText } from "./kernel";
import { type LimitShortfall, limitShortfall } from "./limits";
import type { PlannedBuffer } from "./tensor";

/** How many GPU objects were made so far; a warm training step leaves them unchanged. */
export interface ObjectCounts {
  readonly buffers: number;
  readonly bindGroups: number;
  readonly pipelines: number;
  readonly shaderModules: number;
}

export interface DeviceDescription {
  /** Vendor and architecture, as far as the browser tells them. */
  readonly name: string;
  /** A software adapter. */
  readonly isFallback: boolean;
  readonly features: readonly string[];
  readonly maxBufferSize: number;
}

const usefulFeatures: readonly GPUFeatureName[] = ["timestamp-query", "shader-f16", "subgroups"];
const usefulLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupStorageSize",
] as const;

export interface CompiledKernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export class Device {
  readonly gpu: GPUDevice;
  readonly description: DeviceDescription;
  /** Resolves with a sentence when the device is gone; never rejects. */
  readonly lost: Promise<string>;
  readonly #pipelines = new Map<string, Promise<CompiledKernel>>();
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #owned = new Map<GPUBuffer, number>();
  readonly #counts = { buffers: 0, bindGroups: 0, pipelines: 0, shaderModules: 0 };

  /** The first error that no scope caught: from then on the GPU's numbers cannot be trusted. */
  #fault: string | null = null;
  #lostReason: string | null = null;

  constructor(gpu: GPUDevice, description: DeviceDescription) {
    this.gpu = gpu;
    this.description = description;
    gpu.addEventListener("uncapturederror", (event) => {
      this.#fault ??= event.error.message;
    });
    this.lost = gpu.lost.then((info) => {
      this.#lostReason =
        info.reason === "destroyed"
          ? "The GPU device was closed."
          : `The GPU device was lost: ${info.message || "no reason given"}.`;
      return this.#lostReason;
    });
  }

  get counts(): ObjectCounts {
    return { ...this.#counts };
  }

  /** Bytes of the buffers that are alive. */
  get allocatedBytes(): number {
    let bytes = 0;
    for (const size of this.#owned.values()) bytes += size;
    return bytes;
  }

  /** Bytes of the largest buffer that a kernel can bind. */
  get largestBuffer(): number {
    return Math.min(this.gpu.limits.maxBufferSize, this.gpu.limits.maxStorageBufferBindingSize);
  }

  /**
   * Buffers, or none of them. Throws `OutOfMemoryError` naming the largest where the GPU refuses. Free with `free`.
   * Sizes are in bytes and rounded up to 4.
   */
  async allocate(
    requests: readonly { readonly label: string; readonly bytes: number; readonly usage?: number }[],
  ): Promise<GPUBuffer[]> {
    if (this.#lostReason !== null) throw new DeviceError("lost", this.#lostReason);
    const limit = this.largestBuffer;
    for (const { label, bytes } of requests) {
      if (bytes > limit) {
        throw new OutOfMemoryError(
          bytes,
          `"${label}" needs ${megabytes(bytes)} in one buffer; this GPU allows ${megabytes(limit)}.`,
        );
      }
    }
    this.gpu.pushErrorScope("out-of-memory");
    this.gpu.pushErrorScope("validation");
    const made = requests.map(({ label, bytes, usage }) => this.#create(label, bytes, usage));
    // Both at once: a scope opened elsewhere meanwhile would be popped in place of ours.
    const [invalid, exhausted] = await Promise.all([this.gpu.popErrorScope(), this.gpu.popErrorScope()]);
    const error = exhausted ?? invalid;
    if (error) {
      for (const buffer of made) this.free(buffer);
      const total = requests.reduce((sum, { bytes }) => sum + bytes, 0);
      throw new OutOfMemoryError(total, `The GPU has no room for ${megabytes(total)} (${error.message}).`);
    }
    return made;
  }

  /** Runs `make`; where it throws, every buffer allocated meanwhile is freed. For one user of the device at a time. */
  async allOrNothing<T>(make: () => Promise<T>): Promise<T> {
    const before = new Set(this.#owned.keys());
    try {
      return await make();
    } catch (error) {
      for (const buffer of [...this.#owned.keys()]) if (!before.has(buffer)) this.free(buffer);
      throw error;
    }
  }

  /** Allocates planned buffers, all or none. Throws `OutOfMemoryError`. */
  async fulfil(planned: readonly PlannedBuffer[]): Promise<void> {
    const made = await this.allocate(planned);
    planned.forEach((buffer, index) => {
      const gpu = made[index];
      if (gpu) buffer.fulfil(gpu);
    });
  }

  #create(
    label: string,
    bytes: number,
    usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  ): GPUBuffer {
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    const buffer = this.gpu.createBuffer({ label, size, usage });
    this.#counts.buffers += 1;
    this.#owned.set(buffer, size);
    return buffer;
  }

  free(buffer: GPUBuffer): void {
    if (!this.#owned.delete(buffer)) return;
    buffer.destroy();
  }

  write(buffer: GPUBuffer, data: ArrayBuffer | ArrayBufferView<ArrayBuffer>, byteOffset = 0): void {
    if (data.byteLength % 4 === 0) {
      this.gpu.queue.writeBuffer(buffer, byteOffset, data);
      return;
    }
    // Queue writes come in words; the last few bytes are padded with zeros.
    const bytes =
      data instanceof ArrayBuffer
        ? new Uint8Array(data)
        : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    this.gpu.queue.writeBuffer(buffer, byteOffset, padded);
  }

  /** A copy of `bytes` bytes. Makes a buffer: not for the training loop, which has a `Readback`. */
  async read(buffer: GPUBuffer, byteOffset: number, bytes: number): Promise<ArrayBuffer> {
    const [staging] = await this.allocate([
      { label: "read", bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST },
    ]);
    if (!staging) throw new DeviceError("lost", "The GPU device cannot be read.");
    try {
      return await this.readThrough(staging, buffer, byteOffset, bytes);
    } finally {
      this.free(staging);
    }
  }

  /**
   * A copy of `bytes` bytes by way of a mappable buffer. Throws `DeviceError` where the device was lost, and
   * `EngineError` where an earlier command was invalid: WebGPU drops such a command and leaves old numbers behind.
   */
  async readThrough(staging: GPUBuffer, source: GPUBuffer, byteOffset: number, bytes: number): Promise<ArrayBuffer> {
    const encoder = this.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(source, byteOffset, staging, 0, bytes);
    this.gpu.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(GPUMapMode.READ, 0, bytes);
    } catch (error) {
      // The loss is announced by a promise of its own, which may settle a moment later.
      await Promise.resolve();
      throw new DeviceError("lost", this.#lostReason ?? `The GPU could not be read: ${String(error)}.`);
    }
    const copy = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    if (this.#fault !== null) {
      // Whatever it computes from here on is suspect: closing it makes the owner open a fresh one.
      this.destroy();
      throw new EngineError(`The GPU refused a command: ${this.#fault}`);
    }
    return copy;
  }

  bindGroup(descriptor: GPUBindGroupDescriptor): GPUBindGroup {
    this.#counts.bindGroups += 1;
    return this.gpu.createBindGroup(descriptor);
  }

  /** The kernel's pipeline, compiled once. Throws `ShaderError` with line, column and source. */
  pipeline(kernel: Kernel): Promise<CompiledKernel> {
    const cached = this.#pipelines.get(kernel.key);
    if (cached) return cached;
    const compiled = this.#compile(kernel);
    this.#pipelines.set(kernel.key, compiled);
    compiled.catch(() => this.#pipelines.delete(kernel.key));
    return compiled;
  }

  async #compile(kernel: Kernel): Promise<CompiledKernel> {
    const code = shaderText(kernel);
    this.gpu.pushErrorScope("validation");
    let module = this.#modules.get(code);
    if (!module) {
      module = this.gpu.createShaderModule({ label: kernel.name, code });
      this.#modules.set(code, module);
      this.#counts.shaderModules += 1;
    }
    const layout = this.gpu.createBindGroupLayout({
      label: kernel.name,
      entries: [
        { binding: kernel.shader.paramsBinding, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform" } },
        ...[...Object.keys(kernel.reads), ...Object.keys(kernel.writes)].map((name): GPUBindGroupLayoutEntry => {
          const binding = kernel.shader.storage.get(name);
          return {
            binding: binding?.binding ?? 0,
            visibility: GPUShaderStage.COMPUTE,
            buffer: { type: binding?.access === "read" ? "read-only-storage" : "storage" },
          };
        }),
      ],
    });
    this.#counts.pipelines += 1;
    const creation = this.gpu
      .createComputePipelineAsync({
        label: kernel.name,
        layout: this.gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: kernel.entry, constants: { ...kernel.overrides } },
      })
      .then(
        (pipeline) => ({ pipeline }),
        (error: unknown) => ({ failure: String(error) }),
      );
    const scope = this.gpu.popErrorScope();
    const [result, invalid] = await Promise.all([creation, scope]);
    if ("failure" in result || invalid) {
      const info = await module.getCompilationInfo();
      const first = info.messages.find((message) => message.type === "error");
      const line = first ? code.split("\n")[first.lineNum - 1] : undefined;
      const place = first
        ? ` at line ${first.lineNum}, column ${first.linePos}: ${first.message}\n  ${line ?? ""}`
        : "";
      const other = first ? "" : `: ${"failure" in result ? result.failure : (invalid?.message ?? "unknown error")}`;
      throw new ShaderError(`${kernel.name} does not compile${place}${other}`);
    }
    return { pipeline: result.pipeline, layout };
  }

  /** Frees every buffer and closes the device. */
  destroy(): void {
    for (const buffer of [...this.#owned.keys()]) this.free(buffer);
    this.gpu.destroy();
  }
}

/**
 * In this order: the fast GPU; any; one over an older graphics interface; the processor in a GPU's place. The last is not
 * asked for where a GPU is there and refuses: that is mended by a restart, and the processor would only hide it.
 */
const attempts: readonly GPURequestAdapterOptions[] = [
  { powerPreference: "high-performance" },
  {},
  { featureLevel: "compatibility" },
  { forceFallbackAdapter: true },
];

/**
 * Opens the most capable device of the first adapter that will do: every useful feature and limit that it offers. Throws
 * `DeviceError`. `gpu` is `navigator.gpu`, or the same object of another WebGPU implementation.
 */
export async function openDevice(gpu: GPU | undefined): Promise<Device> {
  if (!gpu) {
    throw new DeviceError(
      "no-api",
      "This browser has no WebGPU; use a current Chrome or Edge over https or on localhost.",
    );
  }
  let refusal: string | null = null;
  let short: LimitShortfall | null = null;
  let software: GPUAdapter | null = null;
  for (const attempt of attempts) {
    const last = attempt.forceFallbackAdapter === true;
    if (last && refusal !== null) continue;
    // Some browsers throw where others give null.
    const offered = await gpu.requestAdapter(attempt).catch(() => null);
    // A browser may offer the processor unasked; a GPU that only a later attempt finds comes before it.
    if (!last && offered?.info.isFallbackAdapter) {
      software ??= offered;
      continue;
    }
    const adapter = offered ?? (last ? software : null);
    if (!adapter) continue;
    const lacking = limitShortfall(adapter.limits);
    if (lacking !== null) {
      short ??= lacking;
      continue;
    }
    try {
      return await openAdapter(adapter);
    } catch (error) {
      refusal ??= error instanceof Error ? error.message : String(error);
    }
  }
  if (refusal !== null) throw new DeviceError("refused", `The GPU refuses to open: ${refusal.replace(/\.$/, "")}.`);
  if (short !== null) {
    const { limit, needed, offered } = short;
    throw new DeviceError("limit", `The GPU offers ${limit} ${offered}; the kernels need ${needed}.`, short);
  }
  throw new DeviceError(
    "no-adapter",
    "The browser offers no GPU: its driver may be blocked, or graphics acceleration may be switched off in the browser's settings.",
  );
}

async function openAdapter(adapter: GPUAdapter): Promise<Device> {
  const requiredFeatures = usefulFeatures.filter((feature) => adapter.features.has(feature));
  const requiredLimits = Object.fromEntries(usefulLimits.map((limit) => [limit, adapter.limits[limit]]));
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  const { vendor, architecture, description } = adapter.info;
  return new Device(device, {
    name: description || [vendor, architecture].filter((part) => part !== "").join(" ") || "unnamed GPU",
    isFallback: adapter.info.isFallbackAdapter,
    features: requiredFeatures,
    maxBufferSize: device.limits.maxBufferSize,
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}
