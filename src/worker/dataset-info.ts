/** A dataset as the page shows it. */
import { type Dataset, inAllRows, planTraining } from "../data/dataset";
import { datasetFormats } from "../data/formats/index";
import type { DataOptions } from "../data/options";
import { refusalOf } from "../data/refusal";
import { headRows, type RowSource } from "../data/rows/types";
import { detectShape, rowShapes } from "../data/shapes/index";
import { readRow } from "../data/survey/read-row";
import { rowView } from "../data/survey/row-view";
import { chatTemplates, markerWarning } from "../data/templates/index";
import type { Recipe } from "../training/recipe";
import type { Choice, DatasetInfo, RowView } from "./protocol";

/** Rows of the dataset that the page shows first. */
const previewRows = 10;

export async function datasetInfo(dataset: Dataset, options: DataOptions, recipe: Recipe): Promise<DatasetInfo> {
  const { name, source, survey, reading, figures } = dataset;
  const head = await source.read(range(0, Math.min(headRows, source.rows)));
  const { shape, suggestion, columns } = detectShape(head.flatMap((raw) => ("error" in raw ? [] : [raw.value])));
  const { steps, stepsPerEpoch } = planTraining(dataset, recipe);
  return {
    name,
    bytes: source.bytes,
    files: source.files.map((file) => ({
      name: file.name,
      bytes: file.bytes,
      rows: file.rows,
      format: formatChoice(file.format),
    })),
    formats: offeredFormats(source).map(formatChoice),
    rows: source.rows,
    columns,
    shape: choiceOrNull(rowShapes.find(({ id }) => id === options.mapping?.shape) ?? shape),
    shapes: rowShapes.map(({ id, label, fields }) => ({
      id,
      label,
      fields: fields.map((field) => ({ name: field.name, label: field.label, required: field.required })),
    })),
    suggestion,
    templates: chatTemplates.map(choice),
    templateWarning: markerWarning(reading.tokenizer, options.template),
    surveyedRows: survey.sums.rows,
    exact: survey.exact,
    ...figures,
    histogram: survey.histogram,
    maxLength: reading.maxLength,
    problems: survey.problems.groups.map((group) => ({
      ...group,
      rows: inAllRows(dataset, group.rows),
      skipped: options.skip.includes(group.kind),
    })),
    notes: source.notes,
    refusal: refusalOf(dataset, options.skip)?.message ?? null,
    steps,
    stepsPerEpoch,
    preview: head.slice(0, previewRows).map((raw) => rowView(readRow(raw, reading), reading)),
  };
}

/** Rows by number, in this order. */
export async function rowViews({ source, reading }: Dataset, rows: readonly number[]): Promise<RowView[]> {
  return (await source.read(rows)).map((raw) => rowView(readRow(raw, reading), reading));
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

/** Those that may read every file, in the order of the first one's. */
function offeredFormats({ files }: RowSource): string[] {
  const [first, ...others] = files.map(({ candidates }) => candidates);
  return (first ?? []).filter((id) => others.every((candidates) => candidates.includes(id)));
}

const choice = ({ id, label }: Choice): Choice => ({ id, label });

const choiceOrNull = (found: Choice | null): Choice | null => found && choice(found);

function formatChoice(id: string): Choice {
  return { id, label: Object.values(datasetFormats).find((format) => format.id === id)?.label ?? id };
}
