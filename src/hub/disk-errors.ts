/** What the browser's file system rejects with, in words. Its own texts name neither the model nor a remedy. */
import { HubError, type HubFault } from "./errors";

const faults: ReadonlyMap<string, readonly [HubFault, string]> = new Map([
  [
    "NoModificationAllowedError",
    ["busy", "The files of this model are in use, perhaps in another tab; wait until that is done, or close that tab."],
  ],
  [
    "NotReadableError",
    ["storage", "The browser cannot read the files of this model on its disk; delete the model and download it again."],
  ],
  [
    "InvalidStateError",
    ["storage", "The browser has closed the files of this model; reload the page and download it again."],
  ],
  [
    "NotFoundError",
    ["unusable", "A file of this model has been deleted, perhaps in another tab; download the model again."],
  ],
]);

/** Runs `work`, whose DOMExceptions become `HubError`; a full disk stays what it is (see `isFull`). */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const [reason, message] = (cause instanceof DOMException && faults.get(cause.name)) || [];
    throw reason && message ? new HubError(reason, message, { cause }) : cause;
  }
}

/** The disk, or what the browser allows this origin of it. */
export const isFull = (error: unknown): boolean => error instanceof Error && error.name === "QuotaExceededError";
