/** Rows that cannot be trained, grouped by kind, each kind with its first few. */
import { type DataError, type ProblemKind, problemKinds, shorten } from "../errors";
import type { RawRow } from "../rows/types";
import { cellText } from "./cell-text";
import type { ReadRow } from "./read-row";

const fewExamples = 5;
const excerptLength = 200;

export interface ProblemExample {
  readonly row: number;
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly field: string | null;
  /** The whole sentence. */
  readonly message: string;
  /** The row's beginning, as the file has it. */
  readonly excerpt: string;
}

interface Group {
  rows: number;
  readonly first: DataError;
  readonly examples: ProblemExample[];
}

export class Problems {
  readonly #groups = new Map<ProblemKind, Group>();

  /** Rows have to come in ascending order for the examples to be the first ones. */
  add({ raw, problem }: ReadRow): void {
    if (!problem) return;
    let group = this.#groups.get(problem.kind);
    if (!group) {
      group = { rows: 0, first: problem, examples: [] };
      this.#groups.set(problem.kind, group);
    }
    group.rows++;
    if (group.examples.length >= fewExamples) return;
    const { file, line, column, field, message } = problem;
    group.examples.push({ row: raw.row, file, line, column, field, message, excerpt: excerptOf(raw) });
  }

  /** By falling count of rows. */
  get groups(): readonly {
    readonly kind: ProblemKind;
    readonly rows: number;
    readonly examples: readonly ProblemExample[];
  }[] {
    return [...this.#groups]
      .map(([kind, { rows, examples }]) => ({ kind, rows, examples }))
      .sort((a, b) => b.rows - a.rows || problemKinds.indexOf(a.kind) - problemKinds.indexOf(b.kind));
  }

  /** The problem of the first row whose kind is not skipped, and how many rows have such problems. */
  unskipped(skip: readonly string[]): { readonly first: DataError; readonly rows: number } | null {
    const groups = [...this.#groups].filter(([kind]) => !skip.includes(kind)).map(([, group]) => group);
    const first = groups.reduce<Group | null>(
      (least, group) => (least && rowOf(least) <= rowOf(group) ? least : group),
      null,
    );
    return first && { first: first.first, rows: groups.reduce((sum, { rows }) => sum + rows, 0) };
  }
}

const rowOf = (group: Group): number => group.examples[0]?.row ?? 0;

function excerptOf(raw: RawRow): string {
  return shorten("error" in raw ? (raw.text ?? "") : cellText(raw.value, excerptLength), excerptLength);
}
