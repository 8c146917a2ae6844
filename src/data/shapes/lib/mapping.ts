/** A row whose columns are called otherwise: renamed to the fields of a chosen shape, then read as that. */
import { DataError, shorten } from "../../errors";
import type { ColumnMapping } from "../../options";
import type { Conversation, RowOrigin } from "../../types";
import type { Row, RowShape } from "../types";
import { renamed } from "./renamed";

/** Columns that the mapping does not name are left out. Throws `DataError`, in the names of the file. */
export function convertMapped(row: Row, origin: RowOrigin, shape: RowShape, mapping: ColumnMapping): Conversation {
  const columns = new Map<string, string>();
  const fields: Record<string, unknown> = {};
  for (const { name, required } of shape.fields) {
    const column = Object.hasOwn(mapping.columns, name) ? mapping.columns[name] : undefined;
    if (column === undefined) {
      if (required) throw unmapped(name, shape, origin);
      continue;
    }
    columns.set(name, column);
    if (Object.hasOwn(row, column)) fields[name] = row[column];
    else if (required) throw missing(column, name, origin);
  }
  return renamed(columns, () => shape.convert(fields, origin));
}

function unmapped(field: string, shape: RowShape, origin: RowOrigin): DataError {
  const problem = `no column was chosen for "${field}" of the shape "${shape.label}"`;
  return new DataError({ ...origin, kind: "shape", problem, remedy: "choose one" });
}

function missing(column: string, field: string, origin: RowOrigin): DataError {
  return new DataError({
    ...origin,
    kind: "shape",
    problem: `the row has no column "${shorten(column)}", which was chosen for "${field}"`,
    remedy: "choose another column or leave the row out",
  });
}
