/** The calls about kept runs: listing, renaming, deleting, taking out, and bringing adapters in. */
import type { ModelSlot } from "./model-slot";
import type { Handlers } from "./protocol";
import { deleteRun, hideRuns, listRuns, loadLog, restoreRuns, updateRun } from "./storage/runs";

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

/** What reads and writes files loads with the first of them. */
const incoming = () => import("./import-adapters");
const outgoing = () => import("./export-runs");

/**
 * Fetches what takes runs out before it is needed: a run that the browser refuses to keep is lost where that cannot be had
 * any more, offline or after an update of the site.
 */
export function fetchExport(): void {
  void outgoing().catch(() => undefined);
}

export function libraryHandlers(slot: ModelSlot): LibraryHandlers {
  return {
    importAdapter: async ({ name, files }) => (await incoming()).importAdapter(slot.current, name, files),

    importAdapters: async ({ files }) => (await incoming()).importAdapters(slot.current, files),

    exportAdapter: async ({ run, target }) => (await outgoing()).exportRun(run, target),

    exportRuns: async ({ runs }, emit, signal) => (await outgoing()).exportRuns(runs, emit, signal),

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
