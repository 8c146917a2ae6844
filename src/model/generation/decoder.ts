/** One sequence through the network with a key-value cache: prompts in chunks, then token by token, by one program. */

import type { Device } from "../../engine/device";
import { runtimeScalar, symbolicDim } from "../../engine/dims";
import { Graph } from "../../engine/graph";
import { type Program, Workspace } from "../../engine/program";
import { bufferTensor, PlannedBuffer, type Tensor } from "../../engine/tensor";
import { paddedRows, product } from "../../ops/linear";
import { gatherRows } from "../../ops/linear-cross-entropy";
import { type LoraMatrices, layoutLora, loraPairs, writeLora } from "../lora";
import { planBatch, planRotary, recordForward } from "../network";
import type { PlannedModel } from "../planned-model";

/** Tokens that go through the network at once. */
const chunkTokens = 64;

export interface DecoderAdapter {
  readonly rank: number;
  readonly targetModules: readonly string[];
  /** α/r or α/√r. */
  readonly scale: number;
  readonly matrices: readonly LoraMatrices[];
}

export interface DecoderOptions {
  /** Tokens of prompt and answer together. */
  readonly capacity: number;
  readonly adapter: DecoderAdapter | null;
}

export class Decoder {
  readonly capacity: number;
  readonly #device: Device;
  readonly #vocabSize: number;
  readonly #stride: number;
  readonly #inputs: readonly PlannedBuffer[];
  readonly #owned: readonly PlannedBuffer[];
  readonly #workspace: Workspace;
  readonly #program: Program;
  readonly #logits: Tensor;
  #length = 0;

  private constructor(
    device: Device,
    model: PlannedModel,
    capacity: number,
    buffers: { readonly inputs: readonly PlannedBuffer[]; readonly owned: readonly PlannedBuffer[] },
    workspace: Workspace,
    program: Program,
    logits: Tensor,
  ) {
    this.#device = device;
    this.capacity = capacity;
    this.#vocabSize = model.output.rows;
    this.#stride = paddedRows(model.output);
    this.#inputs = buffers.inputs;
    this.#owned = buffers.owned;
    this.#workspace = workspace;
    this.#program = program;
    this.#logits = logits;
  }

  /** Throws `OutOfMemoryError`, `ModelError`. Free with `destroy`. */
  static create(device: Device, model: PlannedModel, options: DecoderOptions): Promise<Decoder> {
    return device.allOrNothing(() => Decoder.#create(device, model, options));
  }

  static async #create(device: Device, model: PlannedModel, options: DecoderOptions): Promise<Decoder> {
    const { capacity, adapter } = options;
    const { config } = model;
    const { batch, buffers: inputs } = planBatch(chunkTokens, chunkTokens);
    const rotary = planRotary(model, capacity);
    const width = config.numKeyValueHeads * config.headDim;
    const cacheBuffers: PlannedBuffer[] = [];
    const cache = (label: string): Tensor => {
      const buffer = new PlannedBuffer(label, 4 * capacity * width);
      cacheBuffers.push(buffer);
      return bufferTensor(label, "f32", [capacity, width], buffer);
    };
    const layers = Array.from({ length: config.numLayers }, (_, layer) => ({
      k: cache(`keys ${layer}`),
      v: cache(`values ${layer}`),
    }));
    const layout = adapter ? layoutLora(model, adapter.rank, adapter.targetModules) : null;
    const parameters = new PlannedBuffer("adapter", 4 * (layout?.size ?? 0));
    const adapters =
      adapter && layout
        ? loraPairs({ layout, parameters }, { scale: adapter.scale, gradients: null, dropout: 0 })
        : new Map();

    const g = new Graph({ gradients: false });
    const hidden = recordForward(g, model, {
      batch,
      rotary,
      adapters,
      cache: { layers, length: symbolicDim("cached", capacity), offset: runtimeScalar("offset") },
    });
    const logits = g.keep(product(g, gatherRows(g, hidden, batch.targets.indices), model.output));

    const owned = [...inputs, ...rotary.buffers, ...cacheBuffers, parameters];
    await device.fulfil(owned);
    rotary.write(device);
    if (adapter && layout) writeLora(device, { layout, parameters }, adapter.matrices);
    const workspace = await Workspace.create(device, [g]);
    const program = await workspace.program(g);
    return new Decoder(device, model, capacity, { inputs, owned }, workspace, program, logits);
  }

  /** Tokens seen so far. */
  get length(): number {
    return this.#length;
  }

  /**
   * Appends tokens (at most `capacity` in all) and gives the logits that follow the last one: [vocab]. `strength`
   * multiplies the adapter's scale and must stay the same for a whole sequence.
   */
  async append(ids: readonly number[], strength: number): Promise<Float32Array<ArrayBuffer>> {
    for (let start = 0; start < ids.length; start += chunkTokens) {
      const chunk = ids.slice(start, start + chunkTokens);
      this.#run(chunk, start + chunkTokens >= ids.length ? [chunk.length - 1] : [], strength);
    }
    return this.#read(1);
  }

  /** Appends tokens and gives the logits after each: [ids, vocab], row-major. */
  async appendAll(ids: readonly number[], strength: number): Promise<Float32Array<ArrayBuffer>> {
    const all = new Float32Array(ids.length * this.#vocabSize);
    for (let start = 0; start < ids.length; start += chunkTokens) {
      const chunk = ids.slice(start, start + chunkTokens);
      this.#run(chunk, [...chunk.keys()], strength);
      all.set(await this.#read(chunk.length), start * this.#vocabSize);
    }
    return all;
  }

  #run(chunk: readonly number[], wanted: readonly number[], strength: number): void {
    const offset = this.#length;
    const end = offset + chunk.length;
    const values = [
      Uint32Array.from(chunk),
      Uint32Array.from(chunk, (_, index) => offset + index),
      new Uint32Array(chunk.length),
      new Uint32Array(chunk.length).fill(end),
      Uint32Array.from(wanted),
    ];
    values.forEach((data, index) => {
      const buffer = this.#inputs[index];
      if (buffer && data.length > 0) this.#device.write(buffer.gpu, data);
    });
    this.#program.run({ tokens: chunk.length, targets: wanted.length, cached: end, offset, strength });
    this.#length = end;
  }

  async #read(rows: number): Promise<Float32Array<ArrayBuffer>> {
    const { buffer, byteOffset } = this.#program.locate(this.#logits);
    const padded = new Float32Array(await this.#device.read(buffer, byteOffset, 4 * rows * this.#stride));
    const logits = new Float32Array(rows * this.#vocabSize);
    for (let row = 0; row < rows; row += 1) {
      logits.set(padded.subarray(row * this.#stride, row * this.#stride + this.#vocabSize), row * this.#vocabSize);
    }
    return logits;
  }

  destroy(): void {
    for (const buffer of this.#owned) this.#device.free(buffer.gpu);
    this.#program.destroy();
    this.#workspace.destroy();
  }
}
