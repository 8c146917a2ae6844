/** The export targets, one file each beside this one. */
import { peft } from "./peft";
import type { ExportTarget } from "./types";

export const exportTargets: ReadonlyMap<string, ExportTarget> = new Map([peft].map((target) => [target.id, target]));
