/**
 * Where records begin and end in the bytes of a delimited table (RFC 4180). A cell is quoted when its first byte is a
 * quotation mark; inside, "" stands for one mark and line breaks belong to the cell. LF, CR LF and CR all end a record.
 */

/** What the quotation marks of a record are like. */
export const quoting = { none: 0, sound: 1, malformed: 2, open: 3 } as const;

/** Bytes [start, end) without the line break, the 1-based line of `start`, how many cells, and one of `quoting`. */
export type RecordSink = (start: number, end: number, line: number, cells: number, marks: number) => void;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;
const space = 0x20;

// The state before the next byte.
const recordStart = 0;
const cellStart = 1;
const plain = 2;
const quoted = 3;
/** After a quotation mark inside a quoted cell: the cell's end, or the first half of "". */
const closed = 4;
/** Only spaces so far in this record. */
const blank = 5;
/** Only spaces so far after the closing mark of a cell. */
const trailing = 6;

export class RecordWalker {
  readonly #delimiter: number;
  readonly #quotes: boolean;
  #state = recordStart;
  #offset: number;
  #line: number;
  #start = 0;
  #startLine = 1;
  #quoteLine = 0;
  #cells = 1;
  #marks: number = quoting.none;
  #afterReturn = false;

  /** `offset` and `line`: of the first byte that will be fed. */
  constructor(delimiter: number, quotes: boolean, offset = 0, line = 1) {
    this.#delimiter = delimiter;
    this.#quotes = quotes;
    this.#offset = offset;
    this.#line = line;
  }

  /** Bytes of the record that has not ended yet. */
  get pending(): number {
    return this.#state === recordStart ? 0 : this.#offset - this.#start;
  }

  get startLine(): number {
    return this.#startLine;
  }

  /** Line of the quotation mark that is open now; null outside a quoted cell. */
  get openQuoteLine(): number | null {
    return this.#state === quoted ? this.#quoteLine : null;
  }

  feed(chunk: Uint8Array, sink: RecordSink): void {
    const delimiter = this.#delimiter;
    const quotes = this.#quotes;
    const base = this.#offset;
    let state = this.#state;
    let line = this.#line;
    let afterReturn = this.#afterReturn;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0;
      if (byte === lineFeed || byte === carriageReturn) {
        const secondHalf = byte === lineFeed && afterReturn;
        afterReturn = byte === carriageReturn;
        if (!secondHalf) line++;
        if (state === quoted || (secondHalf && state === recordStart)) continue;
        if (state !== recordStart && state !== blank) {
          sink(this.#start, base + i, this.#startLine, this.#cells, this.#marks);
        }
        state = recordStart;
        continue;
      }
      afterReturn = false;
      if (state === quoted) {
        if (byte === quote) state = closed;
        continue;
      }
      if (state === plain) {
        if (byte === delimiter) {
          this.#cells++;
          state = cellStart;
        }
        continue;
      }
      if (state === recordStart) {
        this.#start = base + i;
        this.#startLine = line;
        this.#cells = 1;
        this.#marks = quoting.none;
      }
      if (byte === delimiter) {
        this.#cells++;
        state = cellStart;
      } else if (state === closed) {
        if (byte === quote) {
          state = quoted;
        } else if (byte === space) {
          state = trailing;
        } else {
          this.#marks = quoting.malformed;
          state = plain;
        }
      } else if (state === trailing) {
        if (byte !== space) {
          this.#marks = quoting.malformed;
          state = plain;
        }
      } else if (state === blank) {
        if (byte !== space) state = plain;
      } else if (byte === quote && quotes) {
        if (this.#marks === quoting.none) this.#marks = quoting.sound;
        this.#quoteLine = line;
        state = quoted;
      } else {
        state = byte === space && state === recordStart ? blank : plain;
      }
    }
    this.#offset = base + chunk.length;
    this.#state = state;
    this.#line = line;
    this.#afterReturn = afterReturn;
  }

  finish(sink: RecordSink): void {
    if (this.#state !== recordStart && this.#state !== blank) {
      const marks = this.#state === quoted ? quoting.open : this.#marks;
      sink(this.#start, this.#offset, this.#startLine, this.#cells, marks);
    }
    this.#state = recordStart;
  }
}
