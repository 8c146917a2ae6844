/** The calls about kept runs: listing, renaming, deleting, taking out, and bringing adapters in. */
import { exportTargets } from "../export/registry";
import { zipFiles } from "../export/zip";
import { recipeDefaults } from "../training/recipe";
import { findAdapters } from "./adapter-files";
import { StudioError, toErrorData } from "./errors";
import { exportRuns } from "./export-runs";
import type { ModelSlot } from "./model-slot";
import type { AdapterFiles, Handlers, RunSummary } from "./protocol";
import { fileStem, freeName } from "./storage/names";
import { deleteRun, hideRuns, listRuns, loadLog, loadRun, restoreRuns, saveRun, updateRun } from "./storage/runs";
import { readAdapterFiles } from "./training-run";

type LibraryHandlers = Pick<
  Handlers,
  | "importAdapter"
  | "importAdapters"
  | "exportAdapter"
  | "exportRuns"
  | "listRuns"
  | "updateRun"
  | "runLog"
  | "hideRuns"
  | "restoreRuns"
  | "deleteRun"
>;

export function libraryHandlers(slot: ModelSlot): LibraryHandlers {
  async function keepAdapter(wanted: string, files: AdapterFiles): Promise<RunSummary> {
    const { base, info } = slot.current;
    const adapter = await readAdapterFiles(files, base);
    const { rank, alpha, rslora, dropout, targetModules } = adapter.config;
    const parameters = adapter.modules.reduce((sum, { a, b }) => sum + a.length + b.length, 0);
    const taken = (await listRuns()).map(({ name }) => name);
    const summary: RunSummary = {
      id: crypto.randomUUID(),
      name: freeName(wanted, taken),
      model: info.name,
      dataset: "",
      recipe: {
        ...recipeDefaults,
        learningRate: info.defaultLearningRate,
        rank,
        alpha,
        rslora,
        dropout,
        targetModules,
      },
      created: new Date().toISOString(),
      state: "finished",
      steps: 0,
      trainableParameters: parameters,
      losses: [],
      evalBefore: null,
      evalAfter: null,
      milliseconds: 0,
      tokens: 0,
      adapterBytes: 4 * parameters,
    };
    await saveRun({ summary, base, adapter, log: [] });
    return summary;
  }

  return {
    importAdapter: ({ name, files }) => keepAdapter(name, files),

    importAdapters: async ({ files }) => {
      const found = await findAdapters(files);
      const runs: RunSummary[] = [];
      const refused: string[] = [];
      for (const { name, files: adapter } of found) {
        try {
          runs.push(await keepAdapter(name, adapter));
        } catch (error) {
          if (found.length === 1) throw error;
          refused.push(`${name}: ${toErrorData(error).message}`);
        }
      }
      const [first] = refused;
      if (runs.length === 0 && first !== undefined) {
        throw new StudioError("bad-input", `None of ${found.length} adapters can be used. ${first}`);
      }
      return { runs, refused };
    },

    exportAdapter: async ({ run, target: id }) => {
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
    },

    exportRuns: ({ runs }, emit, signal) => exportRuns(runs, emit, signal),

    listRuns: () => listRuns(),

    updateRun: ({ run, ...change }) => updateRun(run, change),

    runLog: ({ run }) => loadLog(run),

    hideRuns: async ({ runs }) => {
      await hideRuns(runs);
      return null;
    },

    restoreRuns: async ({ runs }) => {
      await restoreRuns(runs);
      return null;
    },

    deleteRun: async ({ run }) => {
      await deleteRun(run);
      return null;
    },
  };
}
