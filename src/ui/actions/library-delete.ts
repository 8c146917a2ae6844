/**
 * Deleting runs. The worker marks them first, so that they stay away even where the tab ends the next moment, and removes
 * them for good when the time for undoing is over.
 */
import type { RunId } from "../../worker/protocol";
import { pickRun } from "../stores/library";
import { strings } from "../strings";
import { type Desk, failed } from "./desk";
import { refreshLibrary } from "./library";
import { refreshStored } from "./stored-models";

const text = strings.library;
const timers = new WeakMap<Desk, ReturnType<typeof setTimeout>>();

/** Off the list at once. What was deleted just before joins them: one Undo brings all back. */
export async function deleteRuns(desk: Desk, ids: readonly RunId[]): Promise<void> {
  const { client, stores } = desk;
  clearTimeout(timers.get(desk));
  const { runs, deleted, selected } = stores.library.getState();
  const going = runs.filter(({ id }) => ids.includes(id));
  const left = runs.filter(({ id }) => !ids.includes(id));
  stores.library.setState(({ chosen }) => ({
    runs: left,
    selected: pickRun(left, selected, stores.model.getState().model),
    chosen: chosen.filter((id) => !ids.includes(id)),
    deleted: [...deleted, ...going],
    confirming: [],
    said: "",
    error: null,
  }));
  try {
    await client.call("hideRuns", { runs: ids });
  } catch (thrown) {
    stores.library.setState({ deleted, error: failed(thrown).error });
    await refreshLibrary(desk);
  }
  if (stores.library.getState().deleted.length === 0) return;
  clearTimeout(timers.get(desk));
  timers.set(
    desk,
    setTimeout(() => void forget(desk), 1000 * text.undoSeconds),
  );
}

export async function undoDelete(desk: Desk): Promise<void> {
  const { client, stores } = desk;
  clearTimeout(timers.get(desk));
  const { deleted } = stores.library.getState();
  if (deleted.length === 0) return;
  stores.library.setState({ deleted: [] });
  try {
    await client.call("restoreRuns", { runs: deleted.map(({ id }) => id) });
    stores.library.setState({ said: text.restored(deleted.map(({ name }) => name)) });
  } catch (thrown) {
    stores.library.setState({ error: failed(thrown).error });
  }
  await refreshLibrary(desk);
}

/** For good. What fails here is tried again when runs are next listed. */
async function forget(desk: Desk): Promise<void> {
  const { client, stores } = desk;
  const { deleted } = stores.library.getState();
  stores.library.setState({ deleted: [] });
  for (const { id } of deleted) {
    try {
      await client.call("deleteRun", { run: id });
    } catch (thrown) {
      stores.library.setState({ error: failed(thrown).error });
    }
  }
  await refreshStored(desk);
}
