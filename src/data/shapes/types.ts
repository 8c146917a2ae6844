/** What a row shape is. One file per shape in this folder; `index.ts` collects them. */
import type { Conversation, RowOrigin } from "../types";

export type Row = Readonly<Record<string, unknown>>;

export interface ShapeField {
  readonly name: string;
  /** For the mapping dialog: "Question or instruction". */
  readonly label: string;
  readonly required: boolean;
  /** Column names that this field is usually called by, most usual first, lower case; its own name is always one. */
  readonly aliases: readonly string[];
}

export interface RowShape {
  /** The file's name without `.ts`. */
  readonly id: string;
  /** As a person knows it: "Instruction and answer (Alpaca)". */
  readonly label: string;
  /** A row that fits two shapes is read as the one with the lower rank. */
  readonly rank: number;
  readonly fields: readonly ShapeField[];
  /** Throws `DataError` naming line and field. Fields are the row's keys (a mapping has renamed the columns before). */
  convert(row: Row, origin: RowOrigin): Conversation;
}
