/** Curves of kept runs, from their logs: what the comparison draws, lists and saves. */
import type { RunSummary } from "../../worker/protocol";
import { strings } from "../strings";
import type { LibraryState, RunLog } from "./library";

export const figures = ["loss", "heldOut", "learningRate", "gradientNorm"] as const;
export type Figure = (typeof figures)[number];

/** [step, value], by rising step. */
export type Curve = readonly (readonly [step: number, value: number])[];

type Logs = LibraryState["logs"];

const logOf = (run: RunSummary, logs: Logs): RunLog | null => {
  const log = logs[run.id];
  return log?.state === "ready" ? log.value : null;
};

/** The loss is known from the list; all else comes with the log. */
export function curveOf(run: RunSummary, logs: Logs, figure: Figure): Curve {
  if (figure === "loss") return run.losses.map((loss, index) => [index + 1, loss] as const);
  const log = logOf(run, logs) ?? [];
  if (figure === "heldOut") return log.flatMap((event) => (event.kind === "eval" ? [[event.step, event.loss]] : []));
  return log.flatMap((event) => (event.kind === "step" ? [[event.step, event[figure]]] : []));
}

/** A row for each step, a column for each run, and one for its held-out losses where it has any. */
export function comparisonCsv(runs: readonly RunSummary[], logs: Logs): string {
  const text = strings.library.comparison;
  const columns = runs.flatMap((run) => {
    const heldOut = new Map(curveOf(run, logs, "heldOut"));
    const loss = { title: run.name, values: new Map(curveOf(run, logs, "loss")) };
    return heldOut.size === 0 ? [loss] : [loss, { title: text.csvHeldOut(run.name), values: heldOut }];
  });
  const steps = new Set(columns.flatMap(({ values }) => [...values.keys()]));
  const rows = [...steps]
    .sort((a, b) => a - b)
    .map((step) => [String(step), ...columns.map(({ values }) => String(values.get(step) ?? ""))]);
  const head = [text.step.toLowerCase(), ...columns.map(({ title }) => title)];
  return [head, ...rows].map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");
}

/** RFC 4180. A leading sign of a formula is kept from being one. */
function quoted(cell: string): string {
  const safe = /^[=+@\t]|^-(?![\d.])/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
