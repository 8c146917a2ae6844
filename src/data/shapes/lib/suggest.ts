/** A guess which columns hold what, for rows that fit no shape as they are. */
import { DataError } from "../../errors";
import type { ColumnMapping } from "../../options";
import type { Row, RowShape, ShapeField } from "../types";
import { convertMapped } from "./mapping";

const nowhere = { file: "", line: 0 };
/** Columns that number or place a row and teach nothing. */
const bookkeeping = /^(id|idx|index|uuid|guid|key|url|date|time|timestamp|unnamed: 0|.*_id)?$/i;
/** Longest text that passes for a label, and in how many of the rows it may differ from all others. */
const longestLabel = 40;
const mostLabels = 0.5;

/** The first shape by rank whose required fields have columns by usual names; else by what the columns hold; else null. */
export function suggestMapping(
  shapes: readonly RowShape[],
  rows: readonly Row[],
  columns: readonly string[],
): ColumnMapping | null {
  for (const shape of shapes) {
    const mapping = byName(shape, columns);
    if (mapping !== null && fits(shape, mapping, rows)) return mapping;
  }
  const candidates = byContent(rows, columns);
  const shape = shapes.find(({ id }) => id === candidates?.shape);
  return candidates !== null && shape !== undefined && fits(shape, candidates, rows) ? candidates : null;
}

function byName(shape: RowShape, columns: readonly string[]): ColumnMapping | null {
  const free = new Map(columns.map((column) => [plain(column), column]));
  const found: Record<string, string> = {};
  const required = shape.fields.filter((field) => field.required);
  for (const field of [...required, ...shape.fields.filter((other) => !other.required)]) {
    const name = [field.name, ...field.aliases].find((alias) => free.has(alias));
    const column = name === undefined ? undefined : free.get(name);
    if (name === undefined || column === undefined) {
      if (field.required) return null;
      continue;
    }
    found[field.name] = column;
    free.delete(name);
  }
  return { shape: shape.id, columns: found };
}

/** One column, of text: documents. Two of text: question and answer in this order, or text and label where one repeats itself. */
function byContent(rows: readonly Row[], columns: readonly string[]): ColumnMapping | null {
  const telling = columns.filter((column) => !bookkeeping.test(column));
  const texts = telling.filter((column) => rows.every((row) => isText(row, column)));
  const [first, second] = texts;
  if (first === undefined || texts.length > 2) return null;
  if (second === undefined) return telling.length === 1 ? { shape: "text", columns: { text: first } } : null;
  const label = [second, first].find((column) => isLabel(rows, column));
  if (label === undefined) return { shape: "instruction", columns: { instruction: first, output: second } };
  return { shape: "text-label", columns: { text: label === first ? second : first, label } };
}

function isText(row: Row, column: string): boolean {
  return Object.hasOwn(row, column) && typeof row[column] === "string";
}

function isLabel(rows: readonly Row[], column: string): boolean {
  const values = rows.map((row) => `${row[column]}`);
  return values.every((value) => value.length <= longestLabel) && new Set(values).size <= values.length * mostLabels;
}

/** At least half of the rows can be read so. */
function fits(shape: RowShape, mapping: ColumnMapping, rows: readonly Row[]): boolean {
  const readable = rows.filter((row) => {
    try {
      convertMapped(row, nowhere, shape, mapping);
      return true;
    } catch (error) {
      if (error instanceof DataError) return false;
      throw error;
    }
  });
  return readable.length * 2 >= rows.length && readable.length > 0;
}

/** As aliases are written: "System Prompt" is system_prompt. */
function plain(column: string): ShapeField["name"] {
  return column
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, "_");
}
