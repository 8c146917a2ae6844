/** Two or more runs side by side: their logs, read once, and the table of them as a file. */
import { chosenRuns } from "../stores/library";
import { busy } from "../stores/load";
import { comparisonCsv } from "../stores/run-curves";
import { strings } from "../strings";
import { type Desk, failed } from "./desk";
import { saveFile } from "./save-file";

export async function openComparison(desk: Desk): Promise<void> {
  const { client, stores } = desk;
  stores.library.setState({ comparing: true });
  const { logs } = stores.library.getState();
  const wanted = chosenRuns(stores.library.getState()).filter(({ id }) => logs[id]?.state !== "ready");
  stores.library.setState({ logs: { ...logs, ...Object.fromEntries(wanted.map(({ id }) => [id, busy])) } });
  await Promise.all(
    wanted.map(async ({ id: run }) => {
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
