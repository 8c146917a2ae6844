/** Measuring rows one by one, under the base model and under the run that answers. */
import type { DataSource, EvaluateRowsEvent } from "../../worker/protocol";
import { noRows, originOf, type RowsFrom, rowsFrom } from "../stores/row-losses";
import { nextSort, type SortKey } from "../stores/row-order";
import { dataSource, heldOutSource } from "./data";
import { type Desk, failed, userOfGpu } from "./desk";
import { batchPerFrame } from "./train";

const under = new WeakMap<Desk, AbortController>();

export const rowsSource = (desk: Desk, from: RowsFrom): DataSource | null =>
  from === "heldOut" ? heldOutSource(desk) : dataSource(desk);

export async function measureRows(desk: Desk): Promise<void> {
  const { client, stores } = desk;
  const { rowLosses, library, model, recipe } = stores;
  const from = rowsFrom(rowLosses.getState(), stores.data.getState());
  const data = rowsSource(desk, from);
  const origin = originOf(model.getState(), library.getState(), recipe.getState(), from, data);
  if (data === null || origin === null || userOfGpu(desk) !== null) return;
  const { maxLength } = origin;
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
