/** Row borders of a delimited table, chunk by chunk; the first bytes decide how it is written. */
import { DataError } from "../../errors";
import { type FileContext, headBytes, noContext, type RowScanner, type RowSink } from "../types";
import { chooseDialect, maxColumns } from "./dialect";
import { RecordWalker } from "./records";

/** A longer record is an unclosed quotation mark or no table at all. */
const longestRecord = 32 * 1024 * 1024;

export class CsvScanner implements RowScanner {
  readonly #file: string;
  #context: FileContext = noContext;
  #walker: RecordWalker | null = null;
  #headerPending = false;
  /** What was fed before the dialect is known. */
  #head: Uint8Array[] = [];
  #headLength = 0;
  #enough = headBytes;

  constructor(file: string) {
    this.#file = file;
  }

  get context(): FileContext {
    return this.#context;
  }

  feed(chunk: Uint8Array, sink: RowSink): void {
    if (this.#walker !== null) {
      this.#walk(this.#walker, chunk, sink);
      return;
    }
    // A copy: the caller may use its buffer again.
    this.#head.push(new Uint8Array(chunk));
    this.#headLength += chunk.length;
    if (this.#headLength < this.#enough) return;
    if (this.#begin(false, sink)) return;
    this.#enough = this.#headLength * 2;
    if (this.#headLength > longestRecord) throw this.#tooLong(1, null);
  }

  finish(sink: RowSink): void {
    if (this.#walker === null) this.#begin(true, sink);
    this.#walker?.finish(this.#toRow(sink));
  }

  #begin(complete: boolean, sink: RowSink): boolean {
    const head = new Uint8Array(this.#headLength);
    let length = 0;
    for (const piece of this.#head) {
      head.set(piece, length);
      length += piece.length;
    }
    const dialect = chooseDialect(head, complete, this.#file);
    if (dialect === null) return false;
    const { columns, delimiter, quotes } = dialect;
    this.#context = { columns, delimiter, quotes };
    this.#headerPending = dialect.header;
    this.#head = [];
    this.#walker = new RecordWalker(delimiter.charCodeAt(0), quotes, dialect.skip, dialect.line);
    this.#walk(this.#walker, head.subarray(dialect.skip), sink);
    return true;
  }

  #walk(walker: RecordWalker, chunk: Uint8Array, sink: RowSink): void {
    walker.feed(chunk, this.#toRow(sink));
    if (walker.pending > longestRecord) throw this.#tooLong(walker.startLine, walker.openQuoteLine);
  }

  #toRow(sink: RowSink) {
    return (start: number, end: number, line: number, cells: number): void => {
      if (this.#headerPending) {
        this.#headerPending = false;
        return;
      }
      if (end - start > longestRecord) throw this.#tooLong(line, null);
      if (cells > maxColumns) {
        const problem = `the record has ${cells} cells`;
        const remedy = `give a table of at most ${maxColumns} columns and quote cells that contain the delimiter`;
        throw new DataError({ kind: "file", file: this.#file, line, problem, remedy });
      }
      sink(start, end, line);
    };
  }

  #tooLong(line: number, openQuote: number | null): DataError {
    const size = `${longestRecord / 1024 / 1024} MB`;
    if (openQuote === null) {
      const problem = `the record is longer than ${size}`;
      return new DataError({ kind: "file", file: this.#file, line, problem, remedy: "put one record on each line" });
    }
    const problem = `the quotation mark opened here is not closed within ${size}`;
    const remedy = 'close it, or write "" for a mark inside a cell';
    return new DataError({ kind: "file", file: this.#file, line: openQuote, problem, remedy });
  }
}
