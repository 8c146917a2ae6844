/** What kept runs left: their logs, read once, two or more runs side by side, and the table of them as a file. */
import type { RunId } from "../../worker/protocol";
import { chosenRuns } from "../stores/library";
import { busy } from "../stores/load";
import { comparisonCsv } from "../stores/run-curves";
import { strings } from "../strings";
import { type Desk, failed } from "./desk";
import { saveFile } from "./save-file";

export async function openComparison(desk: Desk): Promise<void> {
  desk.stores.library.setState({ comparing: true });
  await readLogs(
    desk,
    chosenRuns(desk.stores.library.getState()).map(({ id }) => id),
  );
}

/** Each log is read once; one that failed, again. */
export async function readLogs({ client, stores }: Desk, runs: readonly RunId[]): Promise<void> {
  const { logs } = stores.library.getState();
  const wanted = runs.filter((id) => logs[id]?.state !== "ready" && logs[id]?.state !== "busy");
  stores.library.setState({ logs: { ...logs, ...Object.fromEntries(wanted.map((id) => [id, busy])) } });
  await Promise.all(
    wanted.map(async (run) => {
      const read = await client.call("runLog", { run }).then((value) => ({ state: "ready", value }) as const, failed);
      stores.library.setState(({ logs: others }) => ({ logs: { ...others, [run]: read } }));
    }),
  );
}

export const closeComparison = ({ stores }: Desk): void => stores.library.setState({ comparing: false });

export function saveComparison({ stores }: Desk): void {
  const { logs } = stores.library.getState();
  const csv = comparisonCsv(chosenRuns(stores.library.getState()), logs);
  // The mark tells spreadsheets that it is UTF-8.
  saveFile(strings.library.comparison.csvName, new Blob(["\ufeff", csv], { type: "text/csv" }));
}
