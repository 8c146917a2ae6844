/** Paging through the rows of the dataset inspected last. */
import type { ProblemKind } from "../../worker/protocol";
import { pageRows, type RowTab } from "../stores/data";
import { type Desk, failed } from "./desk";

export const showTab = ({ stores }: Desk, tab: RowTab): void =>
  stores.data.setState(({ view }) => ({ view: { ...view, tab } }));

/** Reads a page: the present one again, another one, or the first one with a problem. A later page replaces an earlier one. */
export async function showPage(
  desk: Desk,
  wanted: { readonly from?: number; readonly problem?: ProblemKind | null },
): Promise<void> {
  const { client, stores, held } = desk;
  const { shown, view } = stores.data.getState();
  if (shown === null) return;
  const asked = wanted.problem === undefined ? view.problem : wanted.problem;
  const kind = shown.problems.some((group) => group.kind === asked) ? asked : null;
  const from = kind === asked ? (wanted.from ?? view.from) : 0;
  const turn = ++held.pageTurn;
  if (kind === null && from === 0 && shown.preview.length >= Math.min(pageRows, shown.rows)) {
    const rows = shown.preview.slice(0, pageRows);
    set({ problem: null, from: 0, rows, total: shown.rows, busy: false, error: null });
    return;
  }
  set({ problem: kind, from, busy: true });
  try {
    const { rows, total } = await client.call("viewRows", { from, count: pageRows, problem: kind });
    if (turn !== held.pageTurn) return;
    if (rows.length === 0 && from > 0) {
      await showPage(desk, { from: 0 });
      return;
    }
    set({ rows, total, busy: false, error: null });
  } catch (thrown) {
    if (turn === held.pageTurn) set({ busy: false, error: failed(thrown).error });
  }

  function set(change: Partial<typeof view>): void {
    stores.data.setState((state) => ({ view: { ...state.view, ...change } }));
  }
}
