/** Opening a model and checking its numbers. */
import type { ModelInfo, ModelSource, ProgressEvent, Quantization } from "../../worker/protocol";
import { pickRun } from "../stores/library";
import { busy, idle } from "../stores/load";
import { noChoice } from "../stores/picker";
import { adoptModel } from "../stores/recipe";
import { noAnswer } from "../stores/trial";
import { strings } from "../strings";
import { inspect } from "./data";
import { type Desk, embeddedModel, failed, userOfGpu } from "./desk";
import { refreshStored } from "./stored-models";

export const openEmbeddedModel = (desk: Desk): Promise<void> =>
  openModel(desk, { kind: "embedded", id: embeddedModel });

export interface OpenOptions {
  /** As the page calls it until it is open; what the source says where absent. */
  readonly name?: string;
  readonly quantization?: Quantization | null;
}

/** Up to here the model that is open works on. Later phases replace it. */
const harmless: ReadonlySet<string> = new Set(["reading the model folder", "downloading the model"]);

/**
 * The last choice wins: an opening still under way is given up, and what it says from then on is not heard. The model that
 * is open is so until the other one's weights come in; an opening that is stopped or fails before leaves it as it was.
 */
export async function openModel(desk: Desk, source: ModelSource, options: OpenOptions = {}): Promise<void> {
  const { client, stores, held } = desk;
  const { name = nameOf(source), quantization = null } = options;
  held.opening?.abort();
  const controller = new AbortController();
  const { signal } = controller;
  held.opening = controller;
  held.model = source;
  const embedded = source.kind === "embedded";
  let replaced = false;
  const replace = (): void => {
    replaced = true;
    endLook(desk);
    const { model } = stores.model.getState();
    const standing = model.state === "ready" && !embedded ? model.value : null;
    stores.model.setState({ model: busy, standing, ...(standing === null ? { name, embedded } : {}) });
  };
  if (embedded || stores.model.getState().model.state !== "ready") replace();
  if (!embedded) stores.picker.setState({ opening: { state: "busy", progress: null, stopping: false } });
  const onEvent = (progress: ProgressEvent): void => {
    if (held.opening !== controller) return;
    if (!replaced && !harmless.has(progress.phase)) replace();
    if (replaced) stores.model.setState({ model: { state: "busy", progress } });
    if (!embedded) stores.picker.setState({ opening: { state: "busy", progress, stopping: signal.aborted } });
  };
  try {
    const info = await client.call("openModel", { source, quantization }, { signal, onEvent });
    if (held.opening !== controller) return;
    if (!replaced) replace();
    stores.model.setState({ name: info.name, embedded, standing: null, selfCheck: idle });
    await takeOver(desk, info);
  } catch (thrown) {
    if (held.opening !== controller) return;
    // What there is of the download by now is told beside the choice.
    await refreshStored(desk);
    if (held.opening !== controller) return;
    notOpened(desk, { thrown, name, embedded, replaced, stopped: signal.aborted });
  } finally {
    if (held.opening === controller) held.opening = null;
  }
}

function nameOf(source: ModelSource): string {
  switch (source.kind) {
    case "embedded":
      return source.id;
    case "files":
    case "url":
      return source.name;
    case "found":
      return source.model.id;
    case "stored":
      return source.key;
    default:
      return source satisfies never;
  }
}

async function takeOver(desk: Desk, info: ModelInfo): Promise<void> {
  const { stores } = desk;
  const model = { state: "ready", value: info } as const;
  adoptModel(stores.recipe, info);
  stores.trial.setState({ base: noAnswer, tuned: noAnswer, asked: null, error: null });
  stores.model.setState({ model, reader: idle });
  stores.picker.setState({ ...noChoice, way: null });
  stores.library.setState(({ runs, selected }) => ({ selected: pickRun(runs, selected, model) }));
  // The model of this page is not among them.
  if (!stores.model.getState().embedded) void refreshStored(desk);
  await inspect(desk);
}

interface NotOpened {
  readonly thrown: unknown;
  readonly name: string;
  readonly embedded: boolean;
  /** The model that was open is gone. */
  readonly replaced: boolean;
  /** By the user. */
  readonly stopped: boolean;
}

function notOpened(desk: Desk, { thrown, name, embedded, replaced, stopped }: NotOpened): void {
  const { stores } = desk;
  const failure = failed(thrown);
  const { error } = failure;
  if (!embedded) stores.picker.setState({ opening: stopped ? { state: "stopped" } : failure });
  if (!replaced) {
    // The worker may have forgotten the dataset by then.
    if (!stopped && error.code !== "busy") void inspect(desk);
    return;
  }
  const told = stopped ? { ...error, message: strings.model.download.stoppedLoading } : error;
  stores.trial.setState({ base: noAnswer, tuned: noAnswer, asked: null, error: null });
  stores.model.setState({ name, embedded, model: { state: "failed", error: told }, standing: null, selfCheck: idle });
}

/** On the user's word. What was downloaded by then is kept. */
export function stopOpening({ stores, held }: Desk): void {
  const { opening } = stores.picker.getState();
  if (held.opening === null || opening.state !== "busy") return;
  stores.picker.setState({ opening: { ...opening, stopping: true } });
  held.opening.abort();
}

/** The look into the dataset was made with the model that goes. */
function endLook({ stores, held }: Desk): void {
  held.inspecting?.abort();
  if (stores.data.getState().info.state === "busy") stores.data.setState({ info: idle });
}

export async function selfCheck(desk: Desk): Promise<void> {
  const { client, stores } = desk;
  if (userOfGpu(desk) !== null) return;
  stores.model.setState({ selfCheck: busy });
  try {
    const value = await client.call(
      "selfCheck",
      {},
      { onEvent: (progress) => stores.model.setState({ selfCheck: { state: "busy", progress } }) },
    );
    stores.model.setState({ selfCheck: { state: "ready", value } });
  } catch (error) {
    stores.model.setState({ selfCheck: failed(error) });
  }
}
