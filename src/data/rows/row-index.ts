/** Where every row of a file lies: 8 bytes a row, and the exact line number of any of them. */
import { DataError } from "../errors";
import type { LineBreaks } from "../formats/types";
import { countLines, readSlice } from "./bytes";

/** Rows that share one base offset and one base line. */
const blockRows = 64;
/** Rows of one set of typed arrays; the first set grows up to this. */
const chunkRows = 65_536;
const smallestChunk = 1_024;
/** Bit 31 of a stored length says that the document goes on in the next row. */
const continuesBit = 0x8000_0000;
/** Longer rows are stored with this length: far beyond what anyone reads. */
const longestLength = 0x7fff_ffff;
const version = 1;

interface Chunk {
  /** [rows, 2]: start less the block's base, length with `continuesBit`. */
  readonly spans: Uint32Array<ArrayBuffer>;
  /** [blocks, 2]: offset and line of the block's first row. */
  readonly bases: Float64Array<ArrayBuffer>;
  /** [blocks]: 1 where row i of the block is on line base + i, as in most files. */
  readonly steady: Uint8Array<ArrayBuffer>;
  /** [rows], or null where lines can be counted in the file. */
  readonly lines: Uint32Array<ArrayBuffer> | null;
}

export interface RowIndexData {
  readonly version: number;
  readonly rows: number;
  readonly chunks: readonly Chunk[];
}

export interface RowSpan {
  readonly start: number;
  readonly end: number;
  readonly continues: boolean;
}

export class RowIndex {
  #rows = 0;
  #chunks: Chunk[] = [];
  #last: Chunk;
  readonly #keepLines: boolean;

  /** `keepLines`: lines are stored (4 bytes more a row) because the bytes that are indexed are not those of the file. */
  constructor(options: { readonly keepLines?: boolean } = {}) {
    this.#keepLines = options.keepLines ?? false;
    this.#last = makeChunk(smallestChunk, this.#keepLines);
    this.#chunks.push(this.#last);
  }

  get rows(): number {
    return this.#rows;
  }

  /** False where the row cannot be stored: 64 rows in a row span more than 4 GB. */
  add(start: number, end: number, line: number, continues = false): boolean {
    const at = this.#rows % chunkRows;
    this.#reserve(at);
    const { spans, bases, steady, lines } = this.#last;
    const block = Math.floor(at / blockRows);
    const inBlock = at % blockRows;
    if (inBlock === 0) {
      bases[2 * block] = start;
      bases[2 * block + 1] = line;
      steady[block] = 1;
    } else if (line !== (bases[2 * block + 1] ?? 0) + inBlock) {
      steady[block] = 0;
    }
    const relative = start - (bases[2 * block] ?? 0);
    if (relative > 0xffff_ffff) return false;
    spans[2 * at] = relative;
    spans[2 * at + 1] = Math.min(end - start, longestLength) + (continues ? continuesBit : 0);
    if (lines !== null) lines[at] = Math.min(line, 0xffff_ffff);
    this.#rows++;
    return true;
  }

  span(row: number): RowSpan {
    const { chunk, at, block } = this.#place(row);
    const start = (chunk.bases[2 * block] ?? 0) + (chunk.spans[2 * at] ?? 0);
    const stored = chunk.spans[2 * at + 1] ?? 0;
    const continues = stored >= continuesBit;
    return { start, end: start + (continues ? stored - continuesBit : stored), continues };
  }

  /** The 1-based line where it is known without reading the file. */
  knownLine(row: number): number | null {
    const { chunk, at, block } = this.#place(row);
    if (chunk.lines !== null) return chunk.lines[at] ?? null;
    const inBlock = at % blockRows;
    if (inBlock > 0 && chunk.steady[block] !== 1) return null;
    return (chunk.bases[2 * block + 1] ?? 0) + inBlock;
  }

  /** The nearest place before the row whose line is known. */
  anchor(row: number): { readonly offset: number; readonly line: number } {
    const { chunk, block } = this.#place(row);
    return { offset: chunk.bases[2 * block] ?? 0, line: chunk.bases[2 * block + 1] ?? 1 };
  }

  /** The 1-based line on which the row begins; counts the line breaks since the last known one where it must. */
  async line(row: number, blob: Blob, file: string, breaks: LineBreaks = "lf"): Promise<number> {
    const known = this.knownLine(row);
    if (known !== null) return known;
    const { start } = this.span(row);
    const anchor = this.anchor(row);
    let line = anchor.line;
    const piece = 4 * 1024 * 1024;
    for (let offset = anchor.offset; offset < start; ) {
      const bytes = await readSlice(blob, offset, Math.min(offset + piece, start), file);
      // A carriage return at the end is counted with the next piece: a line feed may follow.
      const parted = offset + bytes.length < start && bytes.length > 1 && bytes.at(-1) === 0x0d ? 1 : 0;
      line += countLines(bytes, 0, bytes.length - parted, breaks);
      offset += bytes.length - parted;
    }
    return line;
  }

  /** For the index cache; structured-cloneable. */
  toData(): RowIndexData {
    const used = this.#rows - chunkRows * (this.#chunks.length - 1);
    const blocks = Math.ceil(used / blockRows);
    const { spans, bases, steady, lines } = this.#last;
    const last: Chunk = {
      spans: spans.slice(0, 2 * used),
      bases: bases.slice(0, 2 * blocks),
      steady: steady.slice(0, blocks),
      lines: lines?.slice(0, used) ?? null,
    };
    return { version, rows: this.#rows, chunks: [...this.#chunks.slice(0, -1), last] };
  }

  /** Null where the data is no index of a file with this many bytes: what was cached may have been tampered with. */
  static fromData(data: unknown, bytes: number): RowIndex | null {
    if (!isRecord(data) || data["version"] !== version) return null;
    const { rows, chunks } = data;
    // A row has at least one byte, which bounds everything that follows.
    if (typeof rows !== "number" || !Number.isSafeInteger(rows) || rows < 1 || rows > bytes) return null;
    if (!Array.isArray(chunks) || chunks.length !== Math.ceil(rows / chunkRows)) return null;
    const checked: Chunk[] = [];
    let state = { end: 0, line: 1 };
    for (const [index, chunk] of chunks.entries()) {
      const count = Math.min(chunkRows, rows - index * chunkRows);
      if (!isChunk(chunk, count)) return null;
      const next = checkChunk(chunk, count, state, bytes);
      if (next === null) return null;
      state = next;
      checked.push(chunk);
    }
    const index = new RowIndex();
    const last = checked.at(-1);
    if (last === undefined) return null;
    index.#rows = rows;
    index.#chunks = checked;
    index.#last = last;
    return index;
  }

  #place(row: number): { readonly chunk: Chunk; readonly at: number; readonly block: number } {
    const chunk = row < this.#rows ? this.#chunks[Math.floor(row / chunkRows)] : undefined;
    if (chunk === undefined) throw noSuchRow(row, this.#rows);
    const at = row % chunkRows;
    return { chunk, at, block: Math.floor(at / blockRows) };
  }

  #reserve(at: number): void {
    const capacity = this.#last.spans.length / 2;
    if (at === 0 && this.#rows > 0) {
      this.#last = makeChunk(chunkRows, this.#keepLines);
      this.#chunks.push(this.#last);
    } else if (at >= capacity) {
      const larger = makeChunk(capacity * 2, this.#keepLines);
      larger.spans.set(this.#last.spans);
      larger.bases.set(this.#last.bases);
      larger.steady.set(this.#last.steady);
      if (this.#last.lines !== null) larger.lines?.set(this.#last.lines);
      this.#last = larger;
      this.#chunks[this.#chunks.length - 1] = larger;
    }
  }
}

export function noSuchRow(row: number, rows: number): DataError {
  return new DataError({
    file: "the dataset",
    problem: `there is no row ${row}`,
    remedy: `ask for one of 0 to ${rows - 1}`,
  });
}

function makeChunk(rows: number, keepLines: boolean): Chunk {
  return {
    spans: new Uint32Array(2 * rows),
    bases: new Float64Array((2 * rows) / blockRows),
    steady: new Uint8Array(rows / blockRows),
    lines: keepLines ? new Uint32Array(rows) : null,
  };
}

/** Only indexes without stored lines are cached. */
function isChunk(value: unknown, rows: number): value is Chunk {
  if (!isRecord(value)) return false;
  const { spans, bases, steady, lines } = value;
  const blocks = Math.ceil(rows / blockRows);
  return (
    spans instanceof Uint32Array &&
    spans.length === 2 * rows &&
    bases instanceof Float64Array &&
    bases.length === 2 * blocks &&
    steady instanceof Uint8Array &&
    steady.length === blocks &&
    lines === null
  );
}

/** Rows ascend inside the file, and lines with them; null where they do not. */
function checkChunk(chunk: Chunk, rows: number, state: { end: number; line: number }, bytes: number) {
  let { end, line } = state;
  for (let at = 0; at < rows; at++) {
    const block = Math.floor(at / blockRows);
    const base = chunk.bases[2 * block] ?? Number.NaN;
    if (at % blockRows === 0) {
      const baseLine = chunk.bases[2 * block + 1] ?? Number.NaN;
      if (!Number.isSafeInteger(base) || !Number.isSafeInteger(baseLine) || baseLine < line) return null;
      line = baseLine;
    }
    const start = base + (chunk.spans[2 * at] ?? 0);
    const length = (chunk.spans[2 * at + 1] ?? 0) & longestLength;
    if (start < end || length === 0 || start + length > bytes) return null;
    end = start + length;
  }
  return { end, line };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
