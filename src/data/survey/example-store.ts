/** Every example's size, and the tokens of as many as fit; the others are read and tokenized again when they are asked for. */
import { DataError } from "../errors";
import type { ExampleTable } from "../example-table";
import { countTargets } from "../packed-batch";
import type { RowSource } from "../rows/types";
import type { TokenizedExample } from "../types";
import { uint32Column } from "./column";
import type { Reading } from "./read-row";
import { readRows } from "./row-reader";

/** Bytes of tokens that stay in memory: all of them for nearly every dataset that people train on in a tab. */
const cacheBytes = 64 * 1024 * 1024;
/** Bytes of an example's objects beside its tokens, roughly. */
const exampleBytes = 300;

export class ExampleStore implements ExampleTable {
  readonly #source: RowSource;
  readonly #reading: Reading;
  readonly #rows = uint32Column();
  readonly #lengths = uint32Column();
  readonly #targets = uint32Column();
  readonly #cached: TokenizedExample[] = [];
  #room: number;

  /** `room`: bytes of tokens that may stay. */
  constructor(source: RowSource, reading: Reading, room = cacheBytes) {
    this.#source = source;
    this.#reading = reading;
    this.#room = room;
  }

  get count(): number {
    return this.#rows.count;
  }

  /** The examples of one row, next to each other. */
  add(row: number, examples: readonly TokenizedExample[]): void {
    for (const example of examples) {
      this.#rows.push(row);
      this.#lengths.push(example.ids.length);
      this.#targets.push(countTargets(example));
      // The first ones stay: a random order has no favourites, and nothing is ever moved.
      this.#room -= 5 * example.ids.length + exampleBytes;
      if (this.#room >= 0) this.#cached.push(example);
      else this.#room = -1;
    }
  }

  row(example: number): number {
    return this.#rows.at(example);
  }

  length(example: number): number {
    return this.#lengths.at(example);
  }

  targets(example: number): number {
    return this.#targets.at(example);
  }

  async load(examples: ArrayLike<number>): Promise<readonly TokenizedExample[]> {
    const wanted = Array.from(examples);
    const missing = [...new Set(wanted.filter((index) => !this.#cached[index]).map((index) => this.row(index)))];
    if (missing.length === 0) return wanted.map((index) => this.#known(index, this.#cached[index]));
    const read = new Map<number, readonly TokenizedExample[]>();
    const rows = missing.sort((a, b) => a - b);
    for await (const { raw, examples: parts } of readRows(this.#source, rows, this.#reading)) read.set(raw.row, parts);
    return wanted.map((index) => {
      return this.#known(index, this.#cached[index] ?? read.get(this.row(index))?.[this.#part(index)]);
    });
  }

  /** Which part of its row the example is. */
  #part(example: number): number {
    let first = example;
    while (first > 0 && this.row(first - 1) === this.row(example)) first--;
    return example - first;
  }

  #known(example: number, found: TokenizedExample | undefined): TokenizedExample {
    if (found?.ids.length === this.length(example)) return found;
    const { name: file } = this.#source.files.findLast(({ firstRow }) => firstRow <= this.row(example)) ?? {
      name: "?",
    };
    throw new DataError({
      file,
      problem: `row ${this.row(example) + 1} of the dataset is no longer what it was when the file was read`,
      remedy: "choose the file again",
    });
  }
}
