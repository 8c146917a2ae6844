/** Kept runs: listing, choosing, renaming, and taking their settings over. */
import { runsChannel } from "../../worker/client";
import type { RunId, RunSummary, RunUpdate } from "../../worker/protocol";
import { goTo } from "../go-to";
import { pickRun } from "../stores/library";
import { presetOf, replaceForm } from "../stores/recipe";
import { formOf } from "../stores/recipe-form";
import { strings } from "../strings";
import { type Desk, failed } from "./desk";

const text = strings.library;

/** Reads the list again. `select` becomes the chosen run; else the choice stays where it still exists. */
export async function refreshLibrary({ client, stores }: Desk, select?: RunId): Promise<void> {
  try {
    const runs = await client.call("listRuns", {});
    const wanted = select ?? stores.library.getState().selected;
    const selected = pickRun(runs, wanted, stores.model.getState().model);
    const kept = new Set(runs.map(({ id }) => id));
    stores.library.setState(({ chosen, confirming }) => ({
      loaded: true,
      runs,
      selected,
      chosen: chosen.filter((id) => kept.has(id)),
      confirming: confirming.filter((id) => kept.has(id)),
    }));
  } catch (thrown) {
    stores.library.setState({ loaded: true, error: failed(thrown).error });
  }
}

/** What another tab keeps, renames or deletes shows here too. Returns what ends it. */
export function watchRuns(desk: Desk): () => void {
  const channel = new BroadcastChannel(runsChannel);
  channel.addEventListener("message", () => void refreshLibrary(desk));
  return () => channel.close();
}

/** For Try. */
export const selectRun = ({ stores }: Desk, run: RunId): void => stores.library.setState({ selected: run });

export function tryRun(desk: Desk, run: RunId): void {
  selectRun(desk, run);
  goTo("try");
}

export function chooseRun({ stores }: Desk, run: RunId, chosen: boolean): void {
  stores.library.setState((state) => ({
    chosen: chosen ? [...state.chosen, run] : state.chosen.filter((id) => id !== run),
  }));
}

export function chooseAll({ stores }: Desk, chosen: boolean): void {
  stores.library.setState(({ runs }) => ({ chosen: chosen ? runs.map(({ id }) => id) : [] }));
}

/** Null, or one sentence why it was not kept. */
export async function updateRun(desk: Desk, update: RunUpdate): Promise<string | null> {
  const { client, stores } = desk;
  try {
    const changed = await client.call("updateRun", update);
    stores.library.setState(({ runs }) => ({
      runs: runs.map((run) => (run.id === changed.id ? changed : run)),
      said: update.name === undefined ? text.noteKept : text.renamed(changed.name),
    }));
    return null;
  } catch (thrown) {
    return failed(thrown).error.message;
  }
}

/** Its settings into the form, as if typed; the data stays the one chosen now. */
export function duplicateRun({ stores }: Desk, { recipe, name }: RunSummary): void {
  const form = formOf(recipe, stores.recipe.getState().targetChoices);
  const preset = presetOf(form, stores.recipe.getState().preset);
  replaceForm(stores.recipe, form, { preset, rateTouched: true, lengthTouched: true });
  stores.library.setState({ duplicated: { name, recipe: stores.recipe.getState().recipe } });
  goTo("train");
}
