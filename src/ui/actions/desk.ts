/** What every action works with: the client, the stores, and the things that are no plain data. */
import { toErrorData } from "../../worker/errors";
import type { DataFile, ErrorData, ModelSource, StudioClient } from "../../worker/protocol";
import { firstBudget } from "../memory-budget";
import type { Sample } from "../samples";
import { createStores, type Stores } from "../stores";
import { gpuUser } from "../stores/gpu";
import type { GpuUser } from "../stores/gpu-user";

export const embeddedModel = "tabtune-tiny";

/** Files that make one dataset; how they are read is in the store. */
export interface HeldFiles {
  readonly name: string;
  readonly files: readonly DataFile[];
}

/** What the page takes from the browser around it; tests give their own. */
export interface Environment {
  readonly secureContext: boolean;
  readonly hasWebGpu: boolean;
  /** Gigabytes of the machine; null where the browser does not say. */
  readonly deviceMemory: number | null;
  /** A dataset that comes with the page, and its held-out rows. */
  loadSample(sample: Sample): Promise<{ readonly data: DataFile; readonly heldOut: DataFile }>;
}

export interface Desk {
  readonly client: StudioClient;
  readonly environment: Environment;
  readonly stores: Stores;
  /** Files and abort controllers: they cannot live in a store. */
  readonly held: {
    model: ModelSource;
    data: HeldFiles | null;
    heldOut: HeldFiles | null;
    /** All files of the last choice, those that were not taken included. */
    offered: { readonly data: readonly File[]; readonly heldOut: readonly File[] };
    /** The files of the model that is chosen and not open yet. */
    modelFiles: ModelSource | null;
    opening: AbortController | null;
    lookingUp: AbortController | null;
    outlining: AbortController | null;
    judging: AbortController | null;
    inspecting: AbortController | null;
    /** A look into the dataset was asked for and has not come to its end; a run may have cut it short or put it off. */
    lookDue: boolean;
    /** The recipe of the last look, as JSON. */
    looked: string | null;
    /** Counts the pages asked for, so that a late answer is known. */
    pageTurn: number;
    /** The same for choices of data: reading a sample or a folder takes a moment. */
    choice: number;
    training: AbortController | null;
    generating: AbortController | null;
  };
}

export function createDesk(client: StudioClient, environment: Environment): Desk {
  return {
    client,
    environment,
    stores: createStores(environment, embeddedModel, firstBudget(environment.deviceMemory)),
    held: {
      model: { kind: "embedded", id: embeddedModel },
      data: null,
      heldOut: null,
      offered: { data: [], heldOut: [] },
      modelFiles: null,
      opening: null,
      lookingUp: null,
      outlining: null,
      judging: null,
      inspecting: null,
      lookDue: false,
      looked: null,
      pageTurn: 0,
      choice: 0,
      training: null,
      generating: null,
    },
  };
}

export const userOfGpu = ({ stores: { training, trial, rowLosses, model } }: Desk): GpuUser | null =>
  gpuUser({
    training: training.getState(),
    trial: trial.getState(),
    rowLosses: rowLosses.getState(),
    model: model.getState(),
  });

export const failed = (thrown: unknown): { readonly state: "failed"; readonly error: ErrorData } => ({
  state: "failed",
  error: toErrorData(thrown),
});

export const badInput = (message: string): { readonly state: "failed"; readonly error: ErrorData } => ({
  state: "failed",
  error: { code: "bad-input", message, data: {} },
});
