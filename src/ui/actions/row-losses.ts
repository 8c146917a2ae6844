/** Measuring rows one by one, under the base model and under the run that answers. */
import type { EvaluateRowsEvent } from "../../worker/protocol";
import { noRows, originOf } from "../stores/row-losses";
import { nextSort, type SortKey } from "../stores/row-order";
import { dataSource, heldOutSource } from "./data";
import { type Desk, failed, userOfGpu } from "./desk";
import { batchPerFrame } from "./train";

const under = new WeakMap<Desk, AbortController>();

export async function measureRows(desk: Desk): Promise<void> {
  const { client, stores } = desk;
  const { rowLosses, library } = stores;
  const origin = originOf(stores.model.getState(), library.getState(), stores.data.getState(), rowLosses.getState());
  if (origin === null || userOfGpu(desk) !== null) return;
  const data = origin.from === "heldOut" ? heldOutSource(desk) : dataSource(desk);
  const run = library.getState().runs.find(({ id }) => id === origin.run);
  if (data === null || run === undefined) return;
  const { maxLength } = stores.recipe.getState().recipe ?? run.recipe;
  const controller = new AbortController();
  under.set(desk, controller);
  rowLosses.setState({ ...noRows, phase: "measuring", origin });
  const events = batchPerFrame<EvaluateRowsEvent>((batch) =>
    rowLosses.setState((state) => ({
      rows: [...state.rows, ...batch.flatMap((event) => (event.kind === "row" ? [event.row] : []))],
      progress: batch.findLast((event) => event.kind === "progress")?.progress ?? state.progress,
    })),
  );
  try {
    const { most } = rowLosses.getState();
    const { rows, totalRows, leftOutRows } = await client.call(
      "evaluateRows",
      { data, maxLength, run: origin.run, most },
      { signal: controller.signal, onEvent: events.push },
    );
    events.flush();
    rowLosses.setState({ phase: "done", rows, whole: { totalRows, leftOutRows } });
  } catch (thrown) {
    events.flush();
    const { error } = failed(thrown);
    rowLosses.setState({ phase: "stopped", error: error.code === "aborted" ? null : error });
  } finally {
    under.delete(desk);
    rowLosses.setState({ progress: null });
  }
}

/** What was measured by then stays. */
export const stopMeasuringRows = (desk: Desk): void => under.get(desk)?.abort();

export const sortRowsBy = ({ stores: { rowLosses } }: Desk, by: SortKey): void =>
  rowLosses.setState(({ sort }) => ({ sort: nextSort(sort, by), page: 0 }));
