/** Every row shape of this folder, the one that a row has, and the row as a conversation. */
import { DataError, excerpt, shorten } from "../errors";
import type { ColumnMapping } from "../options";
import type { Conversation, RowOrigin } from "../types";
import { isRow, present } from "./lib/fields";
import { convertMapped } from "./lib/mapping";
import { suggestMapping } from "./lib/suggest";
import type { Row, RowShape } from "./types";

const modules = import.meta.glob<RowShape>(["./*.ts", "!./index.ts", "!./types.ts"], { eager: true, import: "shape" });
/** Columns that are looked at or named: a hostile row may have a million. */
const mostColumns = 500;
const mostNamed = 20;

/** By rank. */
export const rowShapes: readonly RowShape[] = Object.values(modules).sort((a, b) => a.rank - b.rank);

/** One parsed row in canonical form, as the mapping says or, where it is null, as the row's columns say. Throws `DataError`. */
export function conversationFromRow(value: unknown, origin: RowOrigin, mapping: ColumnMapping | null): Conversation {
  const row = asRow(value);
  if (row === null) {
    throw new DataError({
      ...origin,
      kind: "shape",
      problem: `the row is ${excerpt(value)}, not an object`,
      remedy: `give an object with the columns ${knownShapes()}`,
    });
  }
  if (mapping !== null) return convertMapped(row, origin, shapeOf(mapping, origin), mapping);
  const shape = fittingShape(row);
  if (shape === null) throw unknownShape(row, origin);
  return shape.convert(row, origin);
}

export interface DetectedShape {
  /** The one that most rows have; null where none has any. */
  readonly shape: RowShape | null;
  /** A guess where `shape` is null. */
  readonly suggestion: ColumnMapping | null;
  /** In the order in which they first appear. */
  readonly columns: readonly string[];
}

/** From a dataset's first rows. */
export function detectShape(values: readonly unknown[]): DetectedShape {
  const rows = values.map(asRow).filter((row) => row !== null);
  const counts = new Map<RowShape, number>();
  for (const row of rows) {
    const shape = fittingShape(row);
    if (shape !== null) counts.set(shape, (counts.get(shape) ?? 0) + 1);
  }
  const columns = [...new Set(values.filter(isRow).flatMap((row) => Object.keys(row).slice(0, mostColumns)))];
  const shape = rowShapes.reduce<RowShape | null>(
    (best, next) => ((counts.get(next) ?? 0) > (best === null ? 0 : (counts.get(best) ?? 0)) ? next : best),
    null,
  );
  return { shape, suggestion: shape === null ? suggestMapping(rowShapes, rows, columns) : null, columns };
}

/** A list of messages may be a row by itself. */
function asRow(value: unknown): Row | null {
  if (isRow(value)) return value;
  return Array.isArray(value) && isRow(value[0]) ? { messages: value } : null;
}

/**
 * Tables turned into JSON have every column on every row, so a shape whose required columns are all null does not count where
 * another one fits. One that has some of them filled does where the other would not read what they hold: a row that lacks its
 * answer must not become a text.
 */
function fittingShape(row: Row): RowShape | null {
  const named = rowShapes.filter(({ fields }) =>
    fields.every(({ name, required }) => !required || Object.hasOwn(row, name)),
  );
  const filled = named.find((shape) => filledColumns(shape, row).length === requiredColumns(shape).length);
  const isRead = (column: string) => filled?.fields.some(({ name }) => name === column) === true;
  const begun = named.find((shape) => !filledColumns(shape, row).every(isRead));
  if (begun !== undefined && (filled === undefined || begun.rank < filled.rank)) return begun;
  return filled ?? named[0] ?? null;
}

function requiredColumns({ fields }: RowShape): readonly string[] {
  return fields.filter(({ required }) => required).map(({ name }) => name);
}

function filledColumns(shape: RowShape, row: Row): readonly string[] {
  return requiredColumns(shape).filter((name) => present(row[name]));
}

function shapeOf(mapping: ColumnMapping, origin: RowOrigin): RowShape {
  const shape = rowShapes.find(({ id }) => id === mapping.shape);
  if (shape !== undefined) return shape;
  const ids = rowShapes.map(({ id }) => id).join(", ");
  throw new DataError({
    ...origin,
    kind: "shape",
    problem: `there is no shape ${excerpt(mapping.shape)}`,
    remedy: `choose one of ${ids}`,
  });
}

function unknownShape(row: Row, origin: RowOrigin): DataError {
  const keys = Object.keys(row);
  const names = keys.slice(0, mostNamed).map((key) => `"${shorten(key)}"`);
  const found = keys.length === 0 ? "no columns" : `the columns ${shorten(names.join(", "))}`;
  return new DataError({
    ...origin,
    kind: "shape",
    problem: `the row has ${found}, which is no known shape`,
    remedy: `choose which column is what, or name them ${knownShapes()}`,
  });
}

function knownShapes(): string {
  const shapes = rowShapes.map(({ fields }) =>
    fields.flatMap(({ name, required }) => (required ? [`"${name}"`] : [])).join(" and "),
  );
  return `${shapes.slice(0, -1).join("; ")}; or ${shapes.at(-1)}`;
}
