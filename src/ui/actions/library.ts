/** Kept runs: listing, choosing, downloading, deleting. */
import type { RunId } from "../../worker/protocol";
import { pickRun } from "../stores/library";
import { type Desk, failed } from "./desk";

/** Reads the list again. `select` becomes the chosen run; else the choice stays where it still exists. */
export async function refreshLibrary({ client, stores }: Desk, select?: RunId): Promise<void> {
  try {
    const runs = await client.call("listRuns", {});
    const wanted = select ?? stores.library.getState().selected;
    const selected = pickRun(runs, wanted, stores.model.getState().model);
    stores.library.setState({ loaded: true, runs, selected });
  } catch (thrown) {
    stores.library.setState({ loaded: true, error: failed(thrown).error });
  }
}

export async function downloadRun({ client, stores }: Desk, run: RunId): Promise<void> {
  stores.library.setState({ working: run, error: null });
  try {
    const { fileName, blob } = await client.call("exportAdapter", { run, target: "peft" });
    saveFile(fileName, blob);
  } catch (thrown) {
    stores.library.setState({ error: failed(thrown).error });
  } finally {
    stores.library.setState({ working: null });
  }
}

export async function deleteRun(desk: Desk, run: RunId): Promise<void> {
  const { client, stores } = desk;
  stores.library.setState({ confirming: null, working: run, error: null });
  try {
    await client.call("deleteRun", { run });
    await refreshLibrary(desk);
  } catch (thrown) {
    stores.library.setState({ error: failed(thrown).error });
  } finally {
    stores.library.setState({ working: null });
  }
}

function saveFile(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download reads the URL after this turn; a minute is ample.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
