/**
 * Kept runs, in IndexedDB: written when a run ends, whole or not at all. A deleted one is marked first and hidden from then
 * on, so that it can be brought back for a moment and yet stays away however the tab ends.
 */
import { createStore, delMany, getMany, promisifyRequest, setMany, type UseStore } from "idb-keyval";
import { StudioError } from "../errors";
import type { RunId, RunLogEvent, RunSummary } from "../protocol";
import { announceRuns } from "./channel";
import { guard } from "./guard";
import { nameFault } from "./names";
import { currentVersion, isStored, logRowSince, type Row, type RunRecord, rowNames, upgrade } from "./record";
import { boundedLog } from "./samples";

const database = "tabtune";
/** A deleted run goes for good this much later at the latest; no page offers to undo for so long. */
const undoMilliseconds = 60_000;
export const longestNote = 10_000;

let opened: UseStore | null = null;
const store = (): UseStore => {
  opened ??= createStore(database, "runs");
  return opened;
};

const key = (row: Row | "probe", run: RunId): string => `${row}/${run}`;
const allSummaries = (): IDBKeyRange => IDBKeyRange.bound("summary/", "summary0", false, true);

/** Runs that the browser refused to keep: they can be listed and taken out until the tab closes. */
const unsaved = new Map<RunId, RunRecord>();
/** Those of them that were deleted and can be brought back. */
const hidden = new Set<RunId>();

/** Writes and deletes a small row. Throws `StudioError` "storage" now rather than after hours of training. */
export async function checkStorage(): Promise<void> {
  await guard("keep runs", async () => {
    await setMany([[key("probe", ""), Date.now()]], store());
    await delMany([key("probe", "")], store());
  });
}

const notKept = (run: RunId): StudioError =>
  new StudioError("bad-input", `No run "${run}" is kept in this browser; choose one of the library.`, { run });

const damaged = (run: RunId): StudioError =>
  new StudioError("storage", `The kept run ${run} cannot be read: its record is damaged. Delete it from the library.`, {
    run,
  });

/**
 * All rows in one transaction, sample answers thinned out where they are many. Throws `StudioError` "storage" when the
 * browser gives no room; nothing kept earlier is touched, and the run stays within reach until the tab closes.
 */
export async function saveRun(record: RunRecord): Promise<void> {
  const { summary, log: whole, ...payload } = record;
  const log = boundedLog(whole);
  const values = { summary, payload, log };
  unsaved.set(summary.id, { ...record, log });
  await guard("keep the run", () =>
    setMany(
      rowNames.map((row) => [key(row, summary.id), { version: currentVersion, value: values[row] }]),
      store(),
    ),
  );
  unsaved.delete(summary.id);
  announceRuns();
}

/** Newest first. A record that cannot be read is left out of the list, never deleted. */
export async function listRuns(): Promise<readonly RunSummary[]> {
  const stored = await guard("list the kept runs", () =>
    store()("readonly", (rows) => promisifyRequest<unknown[]>(rows.getAll(allSummaries()))),
  );
  const runs = [...unsaved.values()].map(({ summary }) => summary).filter(({ id }) => !hidden.has(id));
  const stale: RunId[] = [];
  for (const row of stored) {
    const summary = readSummary(row);
    if (summary === null) continue;
    const deleted = deletedAt(row);
    if (deleted === null) runs.push(summary);
    else if (Date.now() - deleted > undoMilliseconds) stale.push(summary.id);
  }
  // What a tab deleted and closed over.
  for (const run of stale) await deleteRows(run);
  return runs.sort((a, b) => b.created.localeCompare(a.created));
}

/** Throws `StudioError` "bad-input" where no such run is kept, "storage" where its record is damaged. */
export async function loadRun(run: RunId): Promise<RunRecord> {
  const held = unsaved.get(run);
  if (held) return held;
  const [summaryRow, payloadRow, logRow] = await guard("read the kept run", () =>
    getMany<unknown>([key("summary", run), key("payload", run), key("log", run)], store()),
  );
  if ((summaryRow === undefined && payloadRow === undefined) || deletedAt(summaryRow) !== null) throw notKept(run);
  const summary = upgrade("summary", run, summaryRow);
  const payload = upgrade("payload", run, payloadRow);
  const log = upgrade("log", run, logRow ?? payloadRow);
  if (!isSummary(summary) || !isPayload(payload) || !isLog(log)) throw damaged(run);
  return { summary, ...payload, log };
}

/** A run's steps, held-out losses and sample answers, without its adapter. Throws as `loadRun`. */
export async function loadLog(run: RunId): Promise<readonly RunLogEvent[]> {
  const held = unsaved.get(run);
  if (held) return held.log;
  const [summaryRow, logRow] = await guard("read the kept run", () =>
    getMany<unknown>([key("summary", run), key("log", run)], store()),
  );
  if (summaryRow === undefined || deletedAt(summaryRow) !== null) throw notKept(run);
  const log = logRow === undefined ? await splitLog(run) : upgrade("log", run, logRow);
  if (!isLog(log)) throw damaged(run);
  return log;
}

/** A record of version 1: its log gets a row of its own, so that the adapter is read for it this once only. */
async function splitLog(run: RunId): Promise<unknown> {
  return guard("read the kept run", () =>
    store()("readwrite", async (rows) => {
      const row = await promisifyRequest<unknown>(rows.get(key("payload", run)));
      const log = upgrade("log", run, row);
      if (isStored(row) && row.version < logRowSince) {
        rows.put({ version: currentVersion, value: upgrade("payload", run, row) }, key("payload", run));
        rows.put({ version: currentVersion, value: log }, key("log", run));
        await promisifyRequest(rows.transaction);
      }
      return log;
    }),
  );
}

export interface RunChange {
  readonly name?: string;
  readonly note?: string;
}

/** Throws `StudioError` "bad-input" for a name that another run has, in whatever tab it was given. */
export async function updateRun(run: RunId, change: RunChange): Promise<RunSummary> {
  const { note } = change;
  if (note !== undefined && note.length > longestNote) {
    throw new StudioError(
      "bad-input",
      `The note has ${note.length} characters; ${longestNote} is the most, so shorten it.`,
    );
  }
  const updated = await guard("keep the change", () =>
    store()("readwrite", async (rows) => {
      const stored = await promisifyRequest<unknown[]>(rows.getAll(allSummaries()));
      const known = stored.map((row) => ({ row, summary: readSummary(row) }));
      const held = unsaved.get(run);
      const found = known.find(({ row, summary }) => summary?.id === run && deletedAt(row) === null);
      const before = held?.summary ?? found?.summary;
      if (!before) throw notKept(run);
      const others = [...known.map(({ summary }) => summary), ...[...unsaved.values()].map(({ summary }) => summary)];
      const next = changed(before, change, others);
      if (held) unsaved.set(run, { ...held, summary: next });
      else {
        rows.put({ version: currentVersion, value: next }, key("summary", run));
        await promisifyRequest(rows.transaction);
      }
      return next;
    }),
  );
  announceRuns();
  return updated;
}

function changed(summary: RunSummary, { name, note }: RunChange, others: readonly (RunSummary | null)[]): RunSummary {
  const taken = others.flatMap((other) => (other === null || other.id === summary.id ? [] : [other.name]));
  const fault = name === undefined ? null : nameFault(name, taken);
  if (fault !== null) throw new StudioError("bad-input", fault, { field: "name" });
  return { ...summary, ...(name === undefined ? {} : { name: name.trim() }), ...(note === undefined ? {} : { note }) };
}

/** From now on they are no longer listed nor opened; `restoreRuns` brings them back while they are not deleted for good. */
export async function hideRuns(runs: readonly RunId[]): Promise<void> {
  for (const run of runs) if (unsaved.has(run)) hidden.add(run);
  await guard("delete the run", () =>
    store()("readwrite", async (rows) => {
      for (const run of runs) {
        const row = await promisifyRequest<unknown>(rows.get(key("summary", run)));
        if (isStored(row)) rows.put({ ...row, deleted: Date.now() }, key("summary", run));
      }
      await promisifyRequest(rows.transaction);
    }),
  );
  announceRuns();
}

/** Throws `StudioError` "bad-input" where one is gone for good by now; the others are back. */
export async function restoreRuns(runs: readonly RunId[]): Promise<void> {
  const gone: RunId[] = [];
  await guard("bring the run back", () =>
    store()("readwrite", async (rows) => {
      for (const run of runs) {
        const row = await promisifyRequest<unknown>(rows.get(key("summary", run)));
        if (isStored(row)) rows.put({ version: row.version, value: row.value }, key("summary", run));
        else if (!hidden.delete(run)) gone.push(run);
      }
      // A transaction without a request ends by itself.
      if (gone.length < runs.length) await promisifyRequest(rows.transaction);
    }),
  );
  announceRuns();
  if (gone.length > 0) {
    throw new StudioError("bad-input", "What was deleted is gone for good by now and cannot be brought back.");
  }
}

/** For good. Deleting what is not there is no error. */
export async function deleteRun(run: RunId): Promise<void> {
  unsaved.delete(run);
  hidden.delete(run);
  await deleteRows(run);
  announceRuns();
}

const deleteRows = (run: RunId): Promise<void> =>
  guard("delete the run", () =>
    delMany(
      rowNames.map((row) => key(row, run)),
      store(),
    ),
  );

/** When the user deleted the run, or null where it was not deleted. */
const deletedAt = (row: unknown): number | null => (isStored(row) ? (row.deleted ?? null) : null);

/** Null for a row that is damaged or of a later version. */
function readSummary(row: unknown): RunSummary | null {
  try {
    const value = upgrade("summary", "", row);
    return isSummary(value) ? value : null;
  } catch (error) {
    if (error instanceof StudioError) return null;
    throw error;
  }
}

// Only this file writes these rows, so a few fields tell one of ours from a damaged one.
function isSummary(value: unknown): value is RunSummary {
  return (
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    "created" in value &&
    typeof value.created === "string"
  );
}

function isPayload(value: unknown): value is Omit<RunRecord, "summary" | "log"> {
  return typeof value === "object" && value !== null && "base" in value && "adapter" in value;
}

const isLog = (value: unknown): value is readonly RunLogEvent[] => Array.isArray(value);
