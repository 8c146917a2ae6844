/** Choosing a dataset and looking into it with the settings as they are. */
import type { DataSource } from "../../worker/protocol";
import { busy, idle } from "../stores/load";
import { isRunning } from "../stores/training";
import { strings } from "../strings";
import { badInput, type Desk, failed } from "./desk";

export async function chooseSample(desk: Desk): Promise<void> {
  const { environment, stores, held } = desk;
  const before = held.data;
  try {
    const sample = await environment.loadSample();
    if (held.data !== before) return;
    held.data = sample.data;
    held.heldOut = sample.heldOut;
    stores.data.setState({
      name: sample.data.name,
      bytes: sample.data.blob.size,
      isSample: true,
      heldOutName: sample.heldOut.name,
      info: idle,
      shown: null,
    });
    await inspect(desk);
  } catch {
    stores.data.setState({ info: badInput(strings.errors.sampleMissing) });
  }
}

export async function chooseFile(desk: Desk, files: readonly File[]): Promise<void> {
  const { stores, held } = desk;
  const [file, ...more] = files;
  if (file === undefined || more.length > 0) {
    stores.data.setState({ info: badInput(strings.errors.notOneFile) });
    return;
  }
  const wasSample = stores.data.getState().isSample;
  held.data = { name: file.name, blob: file };
  if (wasSample) chooseHeldOut(desk, null);
  stores.data.setState({ name: file.name, bytes: file.size, isSample: false, info: idle, shown: null });
  await inspect(desk);
}

export function chooseHeldOut({ stores, held }: Desk, file: File | null): void {
  held.heldOut = file === null ? null : { name: file.name, blob: file };
  stores.data.setState({ heldOutName: file?.name ?? null });
}

/** Looks into the dataset again. Needs an open model, a file and a valid recipe; a later look replaces an earlier one. */
export async function inspect(desk: Desk): Promise<void> {
  const { client, stores, held } = desk;
  const { recipe } = stores.recipe.getState();
  const data: DataSource | null = held.data;
  held.inspecting?.abort();
  held.lookDue = true;
  if (data === null || recipe === null || stores.model.getState().model.state !== "ready") return;
  if (isRunning(stores.training.getState())) return;
  const controller = new AbortController();
  held.inspecting = controller;
  const { signal } = controller;
  stores.data.setState({ info: busy });
  try {
    const value = await client.call(
      "inspectDataset",
      { data, recipe },
      { signal, onEvent: (progress) => signal.aborted || stores.data.setState({ info: { state: "busy", progress } }) },
    );
    if (signal.aborted) return;
    stores.data.setState({ info: { state: "ready", value }, shown: value });
  } catch (error) {
    if (signal.aborted) return;
    held.lookDue = false;
    stores.data.setState({ info: failed(error), shown: null });
    return;
  }
  try {
    const plan = await client.call("plan", { recipe }, { signal });
    if (signal.aborted) return;
    stores.recipe.setState({ plan });
  } catch {
    if (signal.aborted) return;
    // The plan is a forecast only; what makes it fail is told when training starts.
    stores.recipe.setState({ plan: null });
  }
  held.lookDue = false;
}

/** Looks again a moment after a setting changed. */
export function watchRecipe(desk: Desk): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const unsubscribe = desk.stores.recipe.subscribe((state, previous) => {
    if (state.recipe === null || JSON.stringify(state.recipe) === JSON.stringify(previous.recipe)) return;
    // Whatever a model that opens changes is looked at once it is open.
    if (desk.stores.model.getState().model.state !== "ready") return;
    clearTimeout(timer);
    timer = setTimeout(() => void inspect(desk), 400);
  });
  return () => {
    clearTimeout(timer);
    unsubscribe();
  };
}
