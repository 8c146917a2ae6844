/** What every shape reads its fields with: a value of the right type, or a `DataError` that names it. */
import { DataError, excerpt } from "../../errors";
import type { RowOrigin } from "../../types";
import type { Row } from "../types";

/** Neither missing nor null: tables turned into JSON have every column on every row. */
export function present(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Missing, null or, as tables write it, an empty cell. */
export function blank(value: unknown): boolean {
  return !present(value) || (typeof value === "string" && value.trim() === "");
}

export function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** May be empty. */
export function readText(value: unknown, field: string, origin: RowOrigin): string {
  if (typeof value !== "string") {
    throw new DataError({
      ...origin,
      kind: present(value) ? "field" : "empty",
      field,
      problem: `it is ${excerpt(value)}, not a string`,
      remedy: "write it as text between quotes",
    });
  }
  // JSON can spell half a surrogate pair; no tokenizer has bytes for it.
  if (/\p{Surrogate}/u.test(value)) {
    const problem = "it holds half of a surrogate pair, which is no character";
    throw new DataError({ ...origin, kind: "encoding", field, problem, remedy: "correct the \\u escape" });
  }
  return value;
}

/** Holds more than white space. */
export function needText(value: unknown, field: string, origin: RowOrigin): string {
  const text = readText(value, field, origin);
  if (text.trim() !== "") return text;
  const remedy = "fill it in or leave the row out";
  throw new DataError({ ...origin, kind: "empty", field, problem: "it is empty", remedy });
}

/** "" where missing or null. */
export function optionalText(value: unknown, field: string, origin: RowOrigin): string {
  return present(value) ? readText(value, field, origin) : "";
}

/** A list or object that a table's cell holds as JSON text, parsed; any other value as it is. */
export function fromCell(value: unknown, field: string, origin: RowOrigin): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch (cause) {
    // str() of a list, which is what pandas writes into a CSV file.
    const isPython = /^\s*(\[\s*)?\{\s*'/.test(value);
    throw new DataError(
      {
        ...origin,
        field,
        problem: `${excerpt(value)} ${isPython ? "is a list as Python prints it, not JSON" : "is not valid JSON"}`,
        remedy: isPython ? "write the cell with json.dumps" : "write the cell as JSON text",
      },
      { cause },
    );
  }
}

/** A rated answer that the row says is not wanted must not be learned. KTO's `label`, LLaMA-Factory's `kto_tag`. */
export function refuseUnwanted(row: Row, field: "label" | "kto_tag", origin: RowOrigin): void {
  const value = row[field];
  if (value !== false && !(typeof value === "string" && /^\s*false\s*$/i.test(value))) return;
  throw new DataError({
    ...origin,
    kind: "no-answer",
    field,
    problem: "it is false, which marks an answer that is not wanted (KTO)",
    remedy: "leave such rows out to learn from the wanted answers",
  });
}
