/** What is stored of a run, and how records of earlier versions are brought up to date when they are read. */
import type { BaseModel } from "../../export/types";
import type { Adapter } from "../../training/adapter";
import { StudioError } from "../errors";
import type { RunId, RunLogEvent, RunSummary } from "../protocol";

export interface RunRecord {
  readonly summary: RunSummary;
  /** What exports need to know of the model, so that a kept run can be taken out without it. */
  readonly base: BaseModel;
  readonly adapter: Adapter;
  /** Jinja text of the chat template that the run was trained with; null or absent where it was the model's own. */
  readonly chatTemplate?: string | null;
  /** In the order of training. Runs of earlier releases have no sample answers in it. */
  readonly log: readonly RunLogEvent[];
}

/** A run lies in three rows, so that neither the list of runs nor the curve of one reads adapters. */
export const rowNames = ["summary", "payload", "log"] as const;
export type Row = (typeof rowNames)[number];

export interface Stored {
  readonly version: number;
  readonly value: unknown;
  /** On a summary: deleted by the user at this time (milliseconds since 1970), and gone for good soon after. */
  readonly deleted?: number;
}

/** Takes a row's value from version `to − 1` to version `to`. Never edit one that was released: add the next. */
export interface Migration {
  readonly to: number;
  readonly why: string;
  readonly summary: (value: unknown) => unknown;
  readonly payload: (value: unknown) => unknown;
  /** Where version `to − 1` had no such row, the value is that of its payload. */
  readonly log: (value: unknown) => unknown;
}

/** In order and without gaps, from 2 on: version 1 is what the first release wrote. */
export const migrations: readonly Migration[] = [
  {
    to: 2,
    why: "the log lay in the payload, so that drawing a curve read the adapter too",
    summary: (value) => value,
    payload: (value) => {
      if (!isObject(value)) return value;
      const { log: _, ...rest } = value;
      return rest;
    },
    log: (value) => (isObject(value) ? value["log"] : undefined),
  },
];

/** Versions below this one have no row for the log: their payload stands in for it. */
export const logRowSince = 2;

export const currentVersion = 1 + migrations.length;

/** Throws `StudioError` "storage" where the row is of a later version or is not one of ours. */
export function upgrade(row: Row, run: RunId, stored: unknown, steps: readonly Migration[] = migrations): unknown {
  const latest = 1 + steps.length;
  if (!isStored(stored) || stored.version < 1) {
    throw new StudioError(
      "storage",
      `The kept run ${run} cannot be read: its record is damaged. Delete it from the library.`,
      { run },
    );
  }
  if (stored.version > latest) {
    throw new StudioError("storage", `The kept run ${run} was written by a newer Tabtune; reload the page to get it.`, {
      run,
    });
  }
  let value = stored.value;
  for (const step of steps) {
    if (step.to > stored.version) value = step[row](value);
  }
  return value;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

export function isStored(value: unknown): value is Stored {
  return isObject(value) && "version" in value && Number.isInteger(value["version"]) && "value" in value;
}
