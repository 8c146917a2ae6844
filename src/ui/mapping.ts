/** What the mapping dialog reckons: where it begins, what is missing, and the first row read that way. */
import type { ColumnMapping, DatasetInfo, ShapeInfo } from "../worker/protocol";

/** What the rows are taken for: what the user said, else what the worker found; null where a mapping is needed. */
export function shapeLabel({ shape, shapes }: DatasetInfo, mapping: ColumnMapping | null): string | null {
  return shapes.find(({ id }) => id === mapping?.shape)?.label ?? shape?.label ?? null;
}

/** The columns fit no shape and nobody has said what they hold: there is nothing to tell of the rows but that. */
export const needsMapping = (info: DatasetInfo, mapping: ColumnMapping | null): boolean =>
  info.columns.length > 0 && shapeLabel(info, mapping) === null;

/** The wanted mapping, else the worker's guess, else columns that are called like the fields. */
export function startingMapping(info: DatasetInfo, wanted: ColumnMapping | null): ColumnMapping {
  const { suggestion } = info;
  const id = wanted?.shape ?? suggestion?.shape ?? info.shape?.id ?? info.shapes[0]?.id ?? "";
  const shape = info.shapes.find((each) => each.id === id);
  const columns: Record<string, string> = {};
  for (const { name } of shape?.fields ?? []) {
    const guess = suggestion?.shape === id ? suggestion.columns[name] : undefined;
    const column = wanted?.columns[name] ?? guess ?? (info.columns.includes(name) ? name : undefined);
    if (column !== undefined && info.columns.includes(column)) columns[name] = column;
  }
  return { shape: id, columns };
}

/** Labels of the required fields that have no column. */
export function missingFields(shape: ShapeInfo, mapping: ColumnMapping, columns: readonly string[]): string[] {
  const has = (name: string): boolean => columns.includes(mapping.columns[name] ?? "\0");
  return shape.fields.filter(({ name, required }) => required && !has(name)).map(({ label }) => label);
}

/** The mapped fields with the first row's cells. */
export function readRow(
  info: DatasetInfo,
  shape: ShapeInfo,
  mapping: ColumnMapping,
): readonly { readonly label: string; readonly value: string }[] {
  const cells = info.preview[0]?.cells;
  if (cells === undefined) return [];
  return shape.fields.flatMap(({ name, label }) => {
    const column = mapping.columns[name];
    return column === undefined ? [] : [{ label, value: cells[column] ?? "" }];
  });
}
