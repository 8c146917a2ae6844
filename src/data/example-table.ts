/** Tokenized rows as planning sees them: their sizes at once, their tokens on demand. */
import { IndexFault } from "./errors";
import { countTargets } from "./packed-batch";
import type { TokenizedExample } from "./types";

export interface ExampleTable {
  readonly count: number;
  /** Tokens of an example. */
  length(example: number): number;
  /** Labels of an example. */
  targets(example: number): number;
  /** In the order asked for. Throws `DataError` when a file cannot be read any more. */
  load(examples: ArrayLike<number>): Promise<readonly TokenizedExample[]>;
}

/** A table of examples that are in memory already. */
export function tableOf(examples: readonly TokenizedExample[]): ExampleTable {
  const at = (index: number): TokenizedExample => {
    const example = examples[index];
    if (example === undefined) throw new IndexFault(index, examples.length);
    return example;
  };
  return {
    count: examples.length,
    length: (index) => at(index).ids.length,
    targets: (index) => countTargets(at(index)),
    load: async (wanted) => Array.from(wanted, at),
  };
}

/** Some examples of a table, in this order, as a table of their own. */
export function partOf(table: ExampleTable, examples: Uint32Array<ArrayBuffer>): ExampleTable {
  const at = (index: number): number => {
    const example = examples[index];
    if (example === undefined) throw new IndexFault(index, examples.length);
    return example;
  };
  return {
    count: examples.length,
    length: (index) => table.length(at(index)),
    targets: (index) => table.targets(at(index)),
    load: (wanted) => table.load(Array.from(wanted, at)),
  };
}
