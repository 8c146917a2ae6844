/** Says how far reading is, now and then gives other events of the thread their turn, and stops when told to. */

/** Milliseconds of work between two reports. */
const interval = 50;

export class Progress {
  /** Rows found so far, of all files. */
  rows = 0;
  readonly #total: number;
  readonly #signal: AbortSignal | null;
  readonly #report: ((done: number, total: number, rows: number) => void) | undefined;
  #before = 0;
  #reported = performance.now();

  constructor(
    total: number,
    signal: AbortSignal | null,
    report: ((done: number, total: number, rows: number) => void) | undefined,
  ) {
    this.#total = total;
    this.#signal = signal;
    this.#report = report;
  }

  /** `done`: bytes of the current file. Throws the signal's reason when aborted. */
  async at(done: number): Promise<void> {
    this.#signal?.throwIfAborted();
    if (performance.now() - this.#reported < interval) return;
    this.#report?.(Math.min(this.#before + done, this.#total), this.#total, this.rows);
    // Messages of the page, an abort above all, wait for this.
    await new Promise((resolve) => setTimeout(resolve));
    this.#signal?.throwIfAborted();
    this.#reported = performance.now();
  }

  /** The current file is done. */
  next(bytes: number): void {
    this.#before += bytes;
  }

  finish(): void {
    this.#report?.(this.#total, this.#total, this.rows);
  }
}
