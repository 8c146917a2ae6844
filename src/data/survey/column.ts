/** A list of numbers that grows, a few bytes each: what the survey keeps of every row. */
import { IndexFault } from "../errors";

interface Numbers<A> {
  readonly length: number;
  [index: number]: number;
  set(values: ArrayLike<number>): void;
  slice(start: number, end: number): A;
}

export class Column<A extends Numbers<A>> {
  readonly #make: (size: number) => A;
  #values: A;
  #count = 0;

  constructor(make: (size: number) => A) {
    this.#make = make;
    this.#values = make(1024);
  }

  get count(): number {
    return this.#count;
  }

  push(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = this.#make(2 * this.#count);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count++] = value;
  }

  /** Throws `IndexFault` beyond the end. */
  at(index: number): number {
    const value = index < this.#count ? this.#values[index] : undefined;
    if (value === undefined) throw new IndexFault(index, this.#count);
    return value;
  }

  /** A copy without spare room. */
  values(): A {
    return this.#values.slice(0, this.#count);
  }
}

export const uint32Column = () => new Column((size) => new Uint32Array(size));
export const uint8Column = () => new Column((size) => new Uint8Array(size));
export const float64Column = () => new Column((size) => new Float64Array(size));
