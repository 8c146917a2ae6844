/**
 * One training run on the GPU: the micro-batch, optimizer and evaluation programs over shared buffers. Everything is made
 * in `create`; a step only writes numbers, replays and reads sixteen bytes.
 */
import type { PackedBatch, StepBatch } from "../data/types";
import type { Device } from "../engine/device";
import { runtimeScalar } from "../engine/dims";
import { Graph } from "../engine/graph";
import { type KernelTime, type Program, type ProgramCost, Workspace } from "../engine/program";
import { Readback } from "../engine/readback";
import { recomputed } from "../engine/recompute";
import { bufferTensor, PlannedBuffer, type Tensor } from "../engine/tensor";
import {
  initialLora,
  type LoraLayout,
  type LoraMatrices,
  layoutLora,
  loraPairs,
  readLora,
  writeLora,
} from "../model/lora";
import type { PlannedModel } from "../model/planned-model";
import { adamw } from "../ops/adamw";
import { gradientNorm } from "../ops/gradient-norm";
import { adapterScale } from "./adapter";
import {
  type Batches,
  type LossInputs,
  type LossOptions,
  measureLoss,
  planLossInputs,
  recordLoss,
  type SessionSizes,
  statistics,
  statisticsBytes,
  writeBatch,
} from "./loss";
import type { Recipe } from "./recipe";

export type { SessionSizes };

/** Bytes on the GPU by purpose. */
export interface MemoryPlan {
  /** Frozen; they are there before the run. */
  readonly weights: number;
  /** A and B, their gradients and both Adam moments. */
  readonly adapter: number;
  /** Intermediates, those of the loss excepted. */
  readonly activations: number;
  /**
   * What intermediates would take less without those of the loss: one chunk of logits, the counted tokens' hidden states
   * and their gradient. Where these lie in memory that activations need at another moment, they add nothing.
   */
  readonly loss: number;
  /** Batch, tables, uniforms, read-back. */
  readonly other: number;
  readonly total: number;
  /** Of the largest single buffer that the run adds: GPUs bound that too. */
  readonly largestBuffer: number;
}

export interface StepResult {
  /** Mean cross-entropy in nats over the step's counted tokens. */
  readonly loss: number;
  /** Global L2 norm before clipping. */
  readonly gradientNorm: number;
}

/** Micro-batches that are submitted before the queue is waited for. */
const queuedMicroBatches = 8;
/** Torch's defaults, which Hugging Face keeps. */
const adam = { beta1: 0.9, beta2: 0.999, eps: 1e-8 } as const;

interface Plan {
  readonly layout: LoraLayout;
  readonly flat: Readonly<Record<"parameters" | "gradients" | "firstMoment" | "secondMoment", PlannedBuffer>>;
  /** The way back to the CPU for parameters or gradients. */
  readonly snapshot: PlannedBuffer;
  readonly inputs: LossInputs;
  readonly buffers: readonly PlannedBuffer[];
  readonly micro: Graph;
  readonly update: Graph;
  readonly evaluation: Graph;
  /** Intermediates of the loss, of both passes. */
  readonly ofLoss: ReadonlySet<Tensor>;
}

/** Records the run's graphs; touches no GPU memory. Throws `ModelError` for a target that the model lacks. */
function planRun(model: PlannedModel, recipe: Recipe, sizes: SessionSizes): Plan {
  const layout = layoutLora(model, recipe.rank, recipe.targetModules);
  const flatBuffer = (label: string) => new PlannedBuffer(label, 4 * layout.size);
  const flat = {
    parameters: flatBuffer("adapter"),
    gradients: flatBuffer("adapter gradients"),
    firstMoment: flatBuffer("first moment"),
    secondMoment: flatBuffer("second moment"),
  };
  const snapshot = new PlannedBuffer(
    "adapter snapshot",
    4 * layout.size,
    GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  );
  const inputs = planLossInputs(model, sizes);
  const weights = { layout, parameters: flat.parameters };
  const scale = adapterScale(recipe);

  const ofLoss = new Set<Tensor>();
  const forward = (gradients: PlannedBuffer | null) => {
    const g = new Graph({ gradients: gradients !== null });
    const adapters = loraPairs(weights, { scale, gradients, dropout: gradients ? recipe.dropout : 0 });
    const { losses, own } = recordLoss(g, model, inputs, adapters);
    for (const tensor of own) ofLoss.add(tensor);
    if (!gradients) return g;
    g.backward(losses);
    return recipe.gradientCheckpointing ? recomputed(g) : g;
  };

  const update = new Graph({ gradients: false });
  const tensor = (buffer: PlannedBuffer) => bufferTensor(buffer.label, "f32", [layout.size], buffer);
  gradientNorm(update, tensor(flat.gradients), inputs.statistics, statistics.norm);
  adamw(
    update,
    {
      parameters: tensor(flat.parameters),
      gradients: tensor(flat.gradients),
      exp_avg: tensor(flat.firstMoment),
      exp_avg_sq: tensor(flat.secondMoment),
    },
    inputs.statistics,
    statistics.norm,
    {
      ...adam,
      lr: runtimeScalar("learningRate"),
      step: runtimeScalar("step"),
      weight_decay: recipe.weightDecay,
      max_norm: recipe.clip,
      zeroGradients: true,
    },
  );
  return {
    layout,
    flat,
    snapshot,
    inputs,
    buffers: [...Object.values(flat), snapshot, ...inputs.buffers],
    micro: forward(flat.gradients),
    update,
    evaluation: forward(null),
    ofLoss,
  };
}

const sumBytes = (buffers: readonly PlannedBuffer[]) => buffers.reduce((total, { bytes }) => total + bytes, 0);
const graphsOf = (plan: Plan) => [plan.micro, plan.update, plan.evaluation];

function memoryOf(device: Device, model: PlannedModel, plan: Plan): MemoryPlan {
  const weights = model.bytes;
  const adapter = sumBytes(Object.values(plan.flat));
  const slots = Workspace.slotBytes(graphsOf(plan));
  const others = Workspace.slotBytes(graphsOf(plan).map((graph) => withoutTensors(graph, plan.ofLoss)));
  // Placing fewer tensors may, by bad luck, take more: then the loss costs nothing.
  const activations = Math.min(slots, others);
  const loss = slots - activations;
  const other =
    sumBytes([plan.snapshot, ...plan.inputs.buffers]) +
    Workspace.plannedBytes(device, graphsOf(plan)) -
    slots +
    Readback.plannedBytes(statisticsBytes);
  const largestBuffer = Math.max(...plan.buffers.map(({ bytes }) => bytes), Workspace.largestSlot(graphsOf(plan)));
  const total = weights + adapter + slots + other;
  return { weights, adapter, activations, loss, other, total, largestBuffer };
}

/** The calls without these tensors: nothing to run, but to plan. */
function withoutTensors(graph: Graph, left: ReadonlySet<Tensor>): Graph {
  const rest = new Graph({ gradients: false });
  for (const tensor of graph.kept) rest.keep(tensor);
  for (const call of graph.calls) {
    const tensors = new Map([...call.tensors].filter(([, tensor]) => !left.has(Graph.rootOf(tensor))));
    rest.calls.push({ ...call, tensors });
  }
  return rest;
}

/** What `TrainingSession.create` will allocate, to the byte; nothing is allocated here. */
export function planMemory(device: Device, model: PlannedModel, recipe: Recipe, sizes: SessionSizes): MemoryPlan {
  return memoryOf(device, model, planRun(model, recipe, sizes));
}

export class TrainingSession {
  readonly memory: MemoryPlan;
  readonly layout: LoraLayout;
  readonly #device: Device;
  readonly #recipe: Recipe;
  readonly #plan: Plan;
  readonly #workspace: Workspace;
  readonly #micro: Program;
  readonly #update: Program;
  readonly #evaluation: Program;
  readonly #readback: Readback;
  #finished = 0;
  #microBatches = 0;

  private constructor(
    device: Device,
    recipe: Recipe,
    plan: Plan,
    memory: MemoryPlan,
    workspace: Workspace,
    programs: readonly [Program, Program, Program],
    readback: Readback,
  ) {
    this.#device = device;
    this.#recipe = recipe;
    this.#plan = plan;
    this.layout = plan.layout;
    this.memory = memory;
    this.#workspace = workspace;
    [this.#micro, this.#update, this.#evaluation] = programs;
    this.#readback = readback;
  }

  /** Throws `OutOfMemoryError`, `ModelError`. Free with `destroy`. The adapter is all zeros until `load` or `initialize`. */
  static create(
    device: Device,
    model: PlannedModel,
    recipe: Recipe,
    sizes: SessionSizes,
    onCompiled?: (done: number, total: number) => void,
  ): Promise<TrainingSession> {
    return device.allOrNothing(() => TrainingSession.#create(device, model, recipe, sizes, onCompiled));
  }

  static async #create(
    device: Device,
    model: PlannedModel,
    recipe: Recipe,
    sizes: SessionSizes,
    onCompiled?: (done: number, total: number) => void,
  ): Promise<TrainingSession> {
    const plan = planRun(model, recipe, sizes);
    await device.fulfil(plan.buffers);
    plan.inputs.rotary.write(device);
    const workspace = await Workspace.create(device, graphsOf(plan));
    const micro = await workspace.program(plan.micro, onCompiled);
    const update = await workspace.program(plan.update);
    const evaluation = await workspace.program(plan.evaluation);
    const readback = await Readback.create(device, statisticsBytes);
    const memory = memoryOf(device, model, plan);
    return new TrainingSession(device, recipe, plan, memory, workspace, [micro, update, evaluation], readback);
  }

  /** PEFT's random start. `uniform` gives numbers in [0, 1). */
  initialize(uniform: () => number): void {
    this.load(initialLora(this.layout, uniform));
  }

  /** Starts from these matrices. Throws `ModelError` where they do not fit. */
  load(matrices: readonly LoraMatrices[]): void {
    writeLora(this.#device, { layout: this.layout, parameters: this.#plan.flat.parameters }, matrices);
  }

  /** Forward and backward of the step's micro-batches; gradients of the mean loss over the step's counted tokens add up. */
  async accumulate(step: StepBatch): Promise<void> {
    for (const [index, batch] of step.microBatches.entries()) {
      this.#micro.run({
        ...this.#write(batch),
        lossScale: 1 / step.countedTokens,
        accumulateLoss: index === 0 ? 0 : 1,
        dropoutSeed: dropoutSeed(this.#recipe.seed, this.#microBatches),
        strength: 1,
      });
      this.#microBatches += 1;
      // Batches and uniforms wait in staging memory until they are used: a long accumulation must not pile them up.
      if (index % queuedMicroBatches === queuedMicroBatches - 1) await this.#device.gpu.queue.onSubmittedWorkDone();
    }
  }

  /** One optimizer step. A loss or norm that is not finite leaves the adapter as it was; the caller sees it in the result. */
  async step(step: StepBatch, learningRate: number): Promise<StepResult> {
    await this.accumulate(step);
    this.#finished += 1;
    this.#update.run({ learningRate, step: this.#finished });
    const values = new Float32Array(await this.#readback.read(this.#plan.inputs.statisticsBuffer.gpu));
    return {
      loss: (values[statistics.loss] as number) / step.countedTokens,
      gradientNorm: values[statistics.norm] as number,
    };
  }

  /** Token-weighted mean cross-entropy in nats without dropout, with the adapter at `strength`. */
  evaluate(batches: Batches, options: LossOptions = {}) {
    return measureLoss(this.#device, this.#evaluation, this.#readback, this.#plan.inputs, batches, options);
  }

  /** The adapter as it is after everything submitted so far. */
  matrices(): Promise<LoraMatrices[]> {
    return readLora(this.#device, this.layout, this.#plan.flat.parameters, this.#plan.snapshot);
  }

  /** The gradients accumulated since the last optimizer step; for tests. */
  gradients(): Promise<LoraMatrices[]> {
    return readLora(this.#device, this.layout, this.#plan.flat.gradients, this.#plan.snapshot);
  }

  /** GPU time by kernel of one micro-batch's forward and backward. */
  profile(batch: PackedBatch): Promise<KernelTime[]> {
    return this.#micro.profile(this.#benchBindings(batch));
  }

  /** Dispatches, operations and bytes of one micro-batch's forward and backward. */
  cost(batch: PackedBatch): ProgramCost {
    return this.#micro.cost(this.#benchBindings(batch));
  }

  destroy(): void {
    for (const buffer of this.#plan.buffers) this.#device.free(buffer.gpu);
    for (const program of [this.#micro, this.#update, this.#evaluation]) program.destroy();
    this.#workspace.destroy();
    this.#readback.destroy();
  }

  #benchBindings(batch: PackedBatch) {
    const lossScale = 1 / batch.targets.length;
    return { ...this.#write(batch), lossScale, accumulateLoss: 0, dropoutSeed: 0, strength: 1 };
  }

  #write(batch: PackedBatch) {
    return writeBatch(this.#device, this.#plan.inputs, batch);
  }
}

/** A number per micro-batch of the run, so that a resumed run repeats its masks. */
function dropoutSeed(seed: number, microBatch: number): number {
  return (Math.imul(seed ^ 0x85ebca6b, 0xc2b2ae35) + Math.imul(microBatch, 0x9e3779b1)) >>> 0;
}
