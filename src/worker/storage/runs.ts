/** Kept runs, in IndexedDB: written once when a run ends, whole or not at all, and touched by nothing but `deleteRun`. */
import { createStore, delMany, getMany, keys, setMany, type UseStore } from "idb-keyval";
import { StudioError } from "../errors";
import type { RunId, RunSummary } from "../protocol";
import { currentVersion, type Row, type RunRecord, upgrade } from "./record";

const database = "tabtune";
let opened: UseStore | null = null;
const store = (): UseStore => {
  opened ??= createStore(database, "runs");
  return opened;
};

const key = (row: Row | "probe", run: RunId): string => `${row}/${run}`;

/** Runs that the browser refused to keep: they can be listed and taken out until the tab closes. */
const unsaved = new Map<RunId, RunRecord>();

/** Writes and deletes a small row. Throws `StudioError` "storage" now rather than after hours of training. */
export async function checkStorage(): Promise<void> {
  await guard("keep runs", async () => {
    await setMany([[key("probe", ""), Date.now()]], store());
    await delMany([key("probe", "")], store());
  });
}

/**
 * Both rows in one transaction. Throws `StudioError` "storage" when the browser gives no room; nothing kept earlier is
 * touched, and the run stays within reach until the tab closes.
 */
export async function saveRun(record: RunRecord): Promise<void> {
  const { summary, ...payload } = record;
  unsaved.set(summary.id, record);
  await guard("keep the run", () =>
    setMany(
      [
        [key("summary", summary.id), { version: currentVersion, value: summary }],
        [key("payload", summary.id), { version: currentVersion, value: payload }],
      ],
      store(),
    ),
  );
  unsaved.delete(summary.id);
}

/** Newest first. A record that cannot be read is left out of the list, never deleted. */
export async function listRuns(): Promise<readonly RunSummary[]> {
  const stored = await guard("list the kept runs", async () => {
    const found = (await keys<IDBValidKey>(store())).filter(
      (id) => typeof id === "string" && id.startsWith(key("summary", "")),
    );
    return getMany<unknown>(found, store());
  });
  const runs: RunSummary[] = [...unsaved.values()].map(({ summary }) => summary);
  for (const row of stored) {
    try {
      const value = upgrade("summary", "", row);
      if (isSummary(value)) runs.push(value);
    } catch (error) {
      if (!(error instanceof StudioError)) throw error;
    }
  }
  return runs.sort((a, b) => b.created.localeCompare(a.created));
}

/** Throws `StudioError` "bad-input" where no such run is kept, "storage" where its record is damaged. */
export async function loadRun(run: RunId): Promise<RunRecord> {
  const held = unsaved.get(run);
  if (held) return held;
  const [summaryRow, payloadRow] = await guard("read the kept run", () =>
    getMany<unknown>([key("summary", run), key("payload", run)], store()),
  );
  if (summaryRow === undefined && payloadRow === undefined) {
    throw new StudioError("bad-input", `No run "${run}" is kept in this browser; choose one of the library.`, { run });
  }
  const summary = upgrade("summary", run, summaryRow);
  const payload = upgrade("payload", run, payloadRow);
  if (!isSummary(summary) || !isPayload(payload)) {
    throw new StudioError(
      "storage",
      `The kept run ${run} cannot be read: its record is damaged. Delete it from the library.`,
      { run },
    );
  }
  return { summary, ...payload };
}

/** Deleting what is not there is no error. */
export async function deleteRun(run: RunId): Promise<void> {
  unsaved.delete(run);
  await guard("delete the run", () => delMany([key("summary", run), key("payload", run)], store()));
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

function isPayload(value: unknown): value is Omit<RunRecord, "summary"> {
  return (
    typeof value === "object" &&
    value !== null &&
    "base" in value &&
    "adapter" in value &&
    "log" in value &&
    Array.isArray(value.log)
  );
}

async function guard<T>(task: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && error.name === "QuotaExceededError") {
      const room = await roomLeft();
      throw new StudioError(
        "storage",
        `The browser has no room to ${task}${room}; delete runs from the library or free disk space.`,
        {},
        { cause: error },
      );
    }
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new StudioError(
      "storage",
      `The browser's storage refused to ${task}; private windows and blocked site data do this. Allow site data for this page and try again.`,
      { detail },
      { cause: error },
    );
  }
}

/** " (3.1 of 3.2 GB used)", or nothing where the browser does not say. */
async function roomLeft(): Promise<string> {
  const estimate = await globalThis.navigator?.storage?.estimate?.().catch(() => null);
  if (estimate?.usage === undefined || estimate.quota === undefined) return "";
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  return ` (${gigabytes(estimate.usage)} of ${gigabytes(estimate.quota)} GB used)`;
}
