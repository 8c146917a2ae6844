/** Runs as files: one in any of the export formats, or several as PEFT folders in one zip, with one adapter in memory at a time. */
import { downloadZip } from "client-zip";
import { exportTargets } from "../export/registry";
import { zipFiles } from "../export/zip";
import { StudioError, toErrorData } from "./errors";
import type { ExportInfo, ProgressEvent, RunId, RunsExport } from "./protocol";
import { runFile } from "./run-file";
import { fileStem, freeName } from "./storage/names";
import { listRuns, loadRun } from "./storage/runs";

interface Entry {
  readonly name: string;
  readonly input: Blob | string;
  readonly lastModified: Date;
}

/** `id`: of an export target. Made to be passed on, so it holds no note, no answers and no run file. Throws `StudioError` where there is none. */
export async function exportRun(run: RunId, id: string): Promise<ExportInfo> {
  const { summary, base, adapter, chatTemplate = null } = await loadRun(run);
  const target = exportTargets.get(id);
  if (!target) {
    throw new StudioError(
      "bad-input",
      `There is no export "${id}"; choose from ${[...exportTargets.keys()].join(", ")}.`,
    );
  }
  const facts = summary.steps > 0 ? summary : null;
  const files = await target.write(adapter, { base, run: facts, chatTemplate });
  return { fileName: `${fileStem(summary.name)}.zip`, blob: await zipFiles(files, new Date(summary.created)) };
}

/** The user's own backup: each with its run file. Null: all runs. A run that cannot be written is left out, and said so. Throws `StudioError`, and the signal's reason. */
export async function exportRuns(
  runs: readonly RunId[] | null,
  emit: (progress: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<RunsExport> {
  const wanted = (await listRuns()).filter(({ id }) => runs === null || runs.includes(id));
  const leftOut: { name: string; reason: string }[] = [];
  const folders: string[] = [];

  async function* entries(): AsyncGenerator<Entry> {
    for (const [index, { id, name }] of wanted.entries()) {
      signal.throwIfAborted();
      emit({ phase: `packing ${name}`, done: index, total: wanted.length });
      // Names that differ may not as files.
      const folder = freeName(fileStem(name), folders);
      try {
        const files = await filesOf(id);
        folders.push(folder);
        for (const file of files) yield { ...file, name: `${folder}/${file.name}` };
      } catch (error) {
        signal.throwIfAborted();
        leftOut.push({ name, reason: toErrorData(error).message });
      }
    }
    if (leftOut.length > 0) {
      const lines = leftOut.map(({ name, reason }) => `${name}: ${reason}\n`);
      yield { name: "left-out.txt", input: lines.join(""), lastModified: new Date() };
    }
  }

  const blob = await downloadZip(entries()).blob();
  const day = new Date().toISOString().slice(0, 10);
  return { fileName: `tabtune-runs-${day}.zip`, blob, leftOut };
}

async function filesOf(run: RunId): Promise<readonly Entry[]> {
  const { summary, base, adapter, chatTemplate = null, log } = await loadRun(run);
  const lastModified = new Date(summary.created);
  const facts = summary.steps > 0 ? summary : null;
  const files = (await exportTargets.get("peft")?.write(adapter, { base, run: facts, chatTemplate })) ?? [];
  const all = [...files, await runFile({ summary, log, chatTemplate }, files)];
  return all.map(({ path, blob }) => ({ name: path, input: blob, lastModified }));
}
