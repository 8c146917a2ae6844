/** Files in memory → a dataset that was looked at, with the small golden tokenizer. Node only. */
import { type Dataset, openDataset, readingOf } from "../../src/data/dataset";
import { type DataOptions, dataDefaults } from "../../src/data/options";
import { openRows } from "../../src/data/rows/open-rows";
import type { DataFile } from "../../src/data/rows/types";
import type { Reading } from "../../src/data/survey/read-row";
import { type SurveyLimits, type SurveyOptions, surveyLimits } from "../../src/data/survey/survey";
import { goldenTokenizer } from "./data-tokenizer";
import { openDefaults } from "./rows";

export interface LookOptions extends Partial<DataOptions>, Pick<SurveyOptions, "onProgress" | "signal"> {
  readonly maxLength?: number;
  readonly seed?: number;
  /** Name in the golden file, or text. */
  readonly chatTemplate?: string | null;
  readonly limits?: Partial<SurveyLimits>;
  readonly unknownToken?: Reading["unknownToken"];
}

/** So small that every dataset is looked at by a sample and streamed. */
export const sampled: Partial<SurveyLimits> = { bytes: 0 };

export async function look(files: readonly DataFile[] | string, options: LookOptions = {}): Promise<Dataset> {
  const list = typeof files === "string" ? [{ name: "rows.jsonl", blob: new Blob([files]) }] : files;
  const { maxLength = 512, seed = 1, chatTemplate = "chatml", limits, unknownToken, signal, onProgress } = options;
  const chosen = { ...dataDefaults, ...options };
  const tokenizer = await goldenTokenizer(chatTemplate);
  const reading = readingOf(tokenizer, chosen, maxLength, unknownToken);
  const source = await openRows(list, { ...openDefaults, format: chosen.format, signal: signal ?? null });
  const [first] = list;
  return openDataset(list.length === 1 && first ? first.name : `${list.length} files`, source, reading, {
    evalShare: chosen.evalShare,
    seed,
    signal: signal ?? null,
    ...(onProgress ? { onProgress } : {}),
    limits: { ...surveyLimits, ...limits },
  });
}

export const jsonLines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** Token ids and labels of every example that the survey found. */
export async function examplesOf({ survey }: Dataset) {
  const examples = await survey.store.load(Array.from({ length: survey.store.count }, (_, index) => index));
  return examples.map(({ ids, counted }) => ({ ids: [...ids], counted: [...counted] }));
}
