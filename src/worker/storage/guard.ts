/** The browser's storage errors, in words. */
import { StudioError } from "../errors";

/** Throws `StudioError` "storage" for what the browser refuses; project errors pass. `task`: "keep the run". */
export async function guard<T>(task: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StudioError) throw error;
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
