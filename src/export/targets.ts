/** Every export target of this folder, by id. */
import { AdapterError } from "./errors";
import { peft } from "./peft";
import type { ExportTarget } from "./types";

const targets: readonly ExportTarget[] = [peft];

/** Throws `AdapterError` listing the known targets. */
export function exportTarget(id: string): ExportTarget {
  const target = targets.find((candidate) => candidate.id === id);
  if (!target) {
    throw new AdapterError(
      `There is no export target "${id}"; choose from ${targets.map((candidate) => candidate.id).join(", ")}.`,
    );
  }
  return target;
}
