/** What a run was, as a file beside its adapter in the backup of kept runs, so that an import brings it back whole. PEFT passes over it. */
import { peftWeightsFile } from "../export/peft";
import type { ExportFile } from "../export/types";
import type { RunRecord } from "./storage/record";

export const runFileName = "tabtune-run.json";
/** Of the file's layout; raise it where an older Tabtune would read it wrongly. */
export const runFileVersion = 1;

export type RunHistory = Pick<RunRecord, "summary" | "log"> & { readonly chatTemplate: string | null };

/** `adapter`: the exported folder's files, to whose weights the file is bound. */
export async function runFile(
  { summary, log, chatTemplate }: RunHistory,
  adapter: readonly ExportFile[],
): Promise<ExportFile> {
  const weights = adapter.find(({ path }) => path === peftWeightsFile);
  const about = {
    tabtune: "run",
    version: runFileVersion,
    ...(weights ? { adapterSha256: await sha256(weights.blob) } : {}),
    summary,
    chatTemplate,
  };
  // An event a line, without indentation: a long run has hundreds of thousands of them, and has to be read back.
  const events = log.map((event, index) => `${index === 0 ? "\n" : ",\n"}${JSON.stringify(event)}`);
  const parts = [JSON.stringify(about).slice(0, -1), ',\n"log":[', ...events, "\n]}\n"];
  return { path: runFileName, blob: new Blob([parts.join("")], { type: "application/json" }) };
}

/** In hexadecimal digits. */
export async function sha256(blob: Blob): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
