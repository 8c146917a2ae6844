/** The loss of held-out rows under a model, with or without an adapter; forward pass only. */
import type { Device } from "../engine/device";
import { Graph } from "../engine/graph";
import { type Program, Workspace } from "../engine/program";
import { Readback } from "../engine/readback";
import { PlannedBuffer } from "../engine/tensor";
import { layoutLora, loraPairs, writeLora } from "../model/lora";
import type { PlannedModel } from "../model/planned-model";
import { type Adapter, adapterScale } from "./adapter";
import {
  type Batches,
  type LossInputs,
  type LossOptions,
  measureLoss,
  planLossInputs,
  recordLoss,
  type SessionSizes,
  statisticsBytes,
} from "./loss";

export class Evaluator {
  readonly #device: Device;
  readonly #inputs: LossInputs;
  readonly #owned: readonly PlannedBuffer[];
  readonly #workspace: Workspace;
  readonly #program: Program;
  readonly #readback: Readback;

  private constructor(
    device: Device,
    inputs: LossInputs,
    owned: readonly PlannedBuffer[],
    workspace: Workspace,
    program: Program,
    readback: Readback,
  ) {
    this.#device = device;
    this.#inputs = inputs;
    this.#owned = owned;
    this.#workspace = workspace;
    this.#program = program;
    this.#readback = readback;
  }

  /** Throws `OutOfMemoryError`, and `ModelError` where the adapter does not fit. Free with `destroy`. */
  static create(device: Device, model: PlannedModel, adapter: Adapter | null, sizes: SessionSizes): Promise<Evaluator> {
    return device.allOrNothing(() => Evaluator.#create(device, model, adapter, sizes));
  }

  static async #create(
    device: Device,
    model: PlannedModel,
    adapter: Adapter | null,
    sizes: SessionSizes,
  ): Promise<Evaluator> {
    const inputs = planLossInputs(model, sizes);
    const layout = adapter && layoutLora(model, adapter.config.rank, adapter.config.targetModules);
    const parameters = new PlannedBuffer("adapter", 4 * (layout?.size ?? 0));
    const weights = layout && { layout, parameters };
    const g = new Graph({ gradients: false });
    const adapters =
      adapter && weights
        ? loraPairs(weights, { scale: adapterScale(adapter.config), gradients: null, dropout: 0 })
        : new Map();
    recordLoss(g, model, inputs, adapters);
    const owned = [...inputs.buffers, parameters];
    await device.fulfil(owned);
    inputs.rotary.write(device);
    if (adapter && weights) writeLora(device, weights, adapter.modules);
    const workspace = await Workspace.create(device, [g]);
    const program = await workspace.program(g);
    return new Evaluator(device, inputs, owned, workspace, program, await Readback.create(device, statisticsBytes));
  }

  measure(batches: Batches, options: LossOptions = {}) {
    return measureLoss(this.#device, this.#program, this.#readback, this.#inputs, batches, options);
  }

  destroy(): void {
    for (const buffer of this.#owned) this.#device.free(buffer.gpu);
    this.#program.destroy();
    this.#workspace.destroy();
    this.#readback.destroy();
  }
}
