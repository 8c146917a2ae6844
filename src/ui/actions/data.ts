/** Looking into the dataset with the settings as they are, and changing how it is read. */

import { recipeDefaults } from "../../training/recipe";
import type { DataFile, DataOptions, DataSource, InspectEvent, ProblemKind } from "../../worker/protocol";
import { needsMapping } from "../mapping";
import { busy, idle } from "../stores/load";
import { readerOf } from "../stores/model";
import { adoptLength } from "../stores/recipe";
import { isRunning } from "../stores/training";
import { type Desk, failed, type HeldFiles } from "./desk";
import { showPage } from "./rows";

/** The dataset as the worker takes it; null while none is chosen. */
export function dataSource({ stores, held }: Desk): DataSource | null {
  return held.data === null ? null : { ...held.data, options: stores.data.getState().options };
}

/** The held-out file, read like the dataset. It is taken whole, and by its own format where its name ends differently. */
export function heldOutSource({ stores, held }: Desk): DataSource | null {
  if (held.heldOut === null) return null;
  const { options } = stores.data.getState();
  const alike = held.data !== null && ending(held.data) === ending(held.heldOut);
  return { ...held.heldOut, options: { ...options, evalShare: 0, format: alike ? options.format : null } };
}

const ending = ({ files }: HeldFiles): string => extension(files[0]);
const extension = (file: DataFile | undefined): string => /\.[^.]*$/.exec(file?.name ?? "")?.[0].toLowerCase() ?? "";

/** Looks into the dataset again. Needs something to read rows with, a file and a valid recipe; a later look replaces an earlier one. */
export async function inspect(desk: Desk): Promise<void> {
  const { client, stores, held } = desk;
  const { recipe: given, lengthTouched, maxPositions } = stores.recipe.getState();
  const data = dataSource(desk);
  // A length that is fitted has to fit the held-out rows too.
  const evalData = lengthTouched ? null : heldOutSource(desk);
  // Rows that are all short get a smaller max length, unless the user typed one.
  const most = Math.min(recipeDefaults.maxLength, maxPositions ?? recipeDefaults.maxLength);
  let recipe = given && !lengthTouched ? { ...given, maxLength: most } : given;
  held.inspecting?.abort();
  held.lookDue = true;
  if (data === null || recipe === null || readerOf(stores.model.getState()) === null) return;
  if (isRunning(stores.training.getState())) return;
  const controller = new AbortController();
  held.inspecting = controller;
  const { signal } = controller;
  stores.data.setState({ info: busy, since: Date.now(), stopped: false, overlap: idle });
  try {
    const value = await client.call(
      "inspectDataset",
      { data, evalData, recipe, fitMaxLength: !lengthTouched },
      { signal, onEvent: (event) => signal.aborted || follow(desk, event) },
    );
    if (signal.aborted) return;
    recipe = { ...recipe, maxLength: value.maxLength };
    held.looked = JSON.stringify(recipe);
    if (!lengthTouched) adoptLength(stores.recipe, value.maxLength);
    stores.data.setState({ info: { state: "ready", value }, shown: value, shownOptions: data.options, head: [] });
  } catch (error) {
    if (signal.aborted) return;
    held.lookDue = false;
    stores.data.setState({ info: failed(error), head: [] });
    return;
  }
  void showPage(desk, {});
  try {
    const opened = stores.model.getState().model.state === "ready";
    const plan = opened ? await client.call("plan", { recipe }, { signal }) : null;
    if (signal.aborted) return;
    stores.recipe.setState({ plan });
  } catch {
    if (signal.aborted) return;
    // The plan is a forecast only; what makes it fail is told when training starts.
    stores.recipe.setState({ plan: null });
  }
  held.lookDue = false;
  const { shown } = stores.data.getState();
  // Rows that nobody understands yet share nothing.
  if (shown !== null && !needsMapping(shown, data.options.mapping)) await compareHeldOut(desk, signal);
}

function follow({ stores }: Desk, event: InspectEvent): void {
  if (event.kind === "head") {
    stores.data.setState({ head: event.rows });
    return;
  }
  const { progress } = event;
  stores.data.setState(({ info, since }) => {
    const before = info.state === "busy" ? info.progress?.phase : undefined;
    return {
      info: { state: "busy", progress },
      since: before === undefined || before === progress.phase ? since : Date.now(),
    };
  });
}

/** Counts what the held-out file shares with the training rows. A held-out file that cannot be read shows itself here. */
async function compareHeldOut(desk: Desk, signal: AbortSignal): Promise<void> {
  const { client, stores } = desk;
  const { recipe } = stores.recipe.getState();
  const [data, evalData] = [dataSource(desk), heldOutSource(desk)];
  if (data === null || evalData === null || recipe === null) return;
  stores.data.setState({ overlap: busy });
  try {
    const value = await client.call(
      "overlap",
      { data, evalData, recipe },
      {
        signal,
        onEvent: (progress) => signal.aborted || stores.data.setState({ overlap: { state: "busy", progress } }),
      },
    );
    if (!signal.aborted) stores.data.setState({ overlap: { state: "ready", value } });
  } catch (error) {
    if (!signal.aborted) stores.data.setState({ overlap: failed(error) });
  }
}

/** Ends the look on the user's word; what an earlier one found stays. */
export function stopLooking({ stores, held }: Desk): void {
  held.inspecting?.abort();
  held.lookDue = false;
  stores.data.setState({ info: idle, stopped: true, head: [] });
}

export async function setOptions(desk: Desk, change: Partial<DataOptions>): Promise<void> {
  desk.stores.data.setState(({ options }) => ({ options: { ...options, ...change } }));
  await inspect(desk);
}

/** Back to the options of the last good look. */
export const undoOptions = (desk: Desk): Promise<void> => setOptions(desk, desk.stores.data.getState().shownOptions);

export function skipProblem(desk: Desk, kind: ProblemKind, skip: boolean): Promise<void> {
  const others = desk.stores.data.getState().options.skip.filter((skipped) => skipped !== kind);
  return setOptions(desk, { skip: skip ? [...others, kind] : others });
}

/** Looks again a moment after a setting changed. */
export function watchRecipe(desk: Desk): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const unsubscribe = desk.stores.recipe.subscribe((state, previous) => {
    if (state.recipe === null || JSON.stringify(state.recipe) === JSON.stringify(previous.recipe)) return;
    // What the look itself fitted to the data was looked at already.
    if (JSON.stringify(state.recipe) === desk.held.looked) return;
    // Whatever a model that opens changes is looked at once it is open.
    if (readerOf(desk.stores.model.getState()) === null) return;
    clearTimeout(timer);
    timer = setTimeout(() => void inspect(desk), 400);
  });
  return () => {
    clearTimeout(timer);
    unsubscribe();
  };
}
