/** What a run was, as a file beside its exported adapter, so that an import brings it back whole. PEFT passes over it. */
import type { ExportFile } from "../export/types";
import type { RunRecord } from "./storage/record";

export const runFileName = "tabtune-run.json";
/** Of the file's layout; raise it where an older Tabtune would read it wrongly. */
export const runFileVersion = 1;

export type RunHistory = Pick<RunRecord, "summary" | "log"> & { readonly chatTemplate: string | null };

export function runFile({ summary, log, chatTemplate }: RunHistory): ExportFile {
  const text = JSON.stringify({ tabtune: "run", version: runFileVersion, summary, chatTemplate, log }, null, 1);
  return { path: runFileName, blob: new Blob([`${text}\n`], { type: "application/json" }) };
}
