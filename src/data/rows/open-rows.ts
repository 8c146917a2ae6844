/** Files → numbered rows. One pass indexes a file of any size; afterwards any row is one slice of the disk. */
import { DataError } from "../errors";
import { chooseFormat, rankFormats } from "../formats/index";
import {
  type FileContext,
  headBytes,
  noContext,
  type SlicedFormat,
  type SlicedReader,
  type SpooledFormat,
} from "../formats/types";
import { piecesOf } from "./bytes";
import { cachedIndex, cacheKey, keepIndex } from "./index-cache";
import { markLength, type PlainFile, plainFile } from "./plain-file";
import { Progress } from "./progress";
import { type IndexedFile, readRows, rowSize } from "./read-rows";
import { RowIndex } from "./row-index";
import { parseSpooled, spoolRows } from "./spool-rows";
import { type DataFile, headRows, type OpenRowsOptions, type RawRow, type RowSource, type SourceFile } from "./types";

/** 8 bytes each: a file with more would fill the memory with its index alone. */
const mostRows = 200_000_000;
const defaultMaxBytes = 16 * 1024 ** 3;
/** The head is shown with fewer than `headRows` rows once this much of a file has been read. */
const patience = 16 * 1024 * 1024;

/** Throws `DataError` for a file that cannot be read or is in no known format, and the signal's reason when aborted. */
export async function openRows(files: readonly DataFile[], options: OpenRowsOptions): Promise<RowSource> {
  const opening = new Opening(files, options);
  try {
    for (const file of files) await opening.open(file);
    return await opening.source();
  } catch (error) {
    await opening.discard();
    throw error;
  }
}

class Opening {
  readonly #options: OpenRowsOptions;
  readonly #bytes: number;
  readonly #progress: Progress;
  readonly #indexed: IndexedFile[] = [];
  readonly #files: SourceFile[] = [];
  readonly #spooled: { discard(): Promise<void> }[] = [];
  readonly #notes: string[] = [];
  #headShown = false;

  constructor(files: readonly DataFile[], options: OpenRowsOptions) {
    this.#options = options;
    this.#bytes = files.reduce((sum, { blob }) => sum + blob.size, 0);
    this.#progress = new Progress(this.#bytes, options.signal, options.onProgress);
  }

  async open(file: DataFile): Promise<void> {
    this.#options.signal?.throwIfAborted();
    // Bytes are counted once, however often they are gone through.
    let share = 0;
    const plain = await plainFile(file, {
      spool: this.#options.spool,
      maxBytes: this.#options.maxBytes ?? defaultMaxBytes,
      onBytes: (done) => {
        share = 0.5;
        return this.#progress.at(done * share);
      },
      onStart: (start, name) => this.#showStart(start, name, file.name),
    });
    if (plain.spooled !== null) this.#spooled.push(plain.spooled);
    const ranked = rankFormats(plain.head, plain.name);
    const format = chooseFormat(this.#options.format, ranked, plain.head, file.name);
    const firstRow = this.#progress.rows;
    const scale = (1 - share) * (plain.blob.size === 0 ? 0 : file.blob.size / plain.blob.size);
    const tick = (done: number) => this.#progress.at(file.blob.size * share + done * scale);
    const context =
      format.access === "sliced"
        ? await this.#slice(file, plain, format, tick)
        : await this.#spool(file, plain, format, tick);
    this.#progress.next(file.blob.size);
    this.#files.push({
      name: file.name,
      bytes: file.blob.size,
      firstRow,
      rows: this.#progress.rows - firstRow,
      format: format.id,
      candidates: ranked.map((candidate) => candidate.format.id),
      context,
    });
    await this.#showHead(false);
  }

  async source(): Promise<RowSource> {
    const rows = this.#progress.rows;
    const [first] = this.#files;
    if (rows === 0) {
      const remedy = "choose a file with at least one row";
      throw new DataError({ file: first?.name ?? "the dataset", problem: "the file has no rows", remedy });
    }
    await this.#showHead(true);
    this.#progress.finish();
    return {
      rows,
      bytes: this.#bytes,
      files: this.#files,
      notes: this.#notes,
      size: (row) => rowSize(this.#indexed, row),
      read: (wanted) => readRows(this.#indexed, wanted),
      close: () => this.discard(),
    };
  }

  async discard(): Promise<void> {
    for (const file of this.#spooled.splice(0)) await file.discard();
  }

  async #slice(
    file: DataFile,
    plain: PlainFile,
    format: SlicedFormat,
    tick: (done: number) => Promise<void>,
  ): Promise<FileContext> {
    const { name } = file;
    const cache = plain.spooled === null ? this.#options.cache : null;
    const key = await cacheKey(cache, file, plain.head, format.id);
    const known = cache !== null && key !== null ? await cachedIndex(cache, key, plain.blob.size) : null;
    const reader = await format.reader();
    if (known !== null) {
      this.#checkRows(name, known.index.rows);
      this.#indexed.push(indexedFile(name, plain.blob, known.index, this.#progress.rows, reader, () => known.context));
      this.#progress.rows += known.index.rows;
      return known.context;
    }
    const index = new RowIndex();
    const firstRow = this.#progress.rows;
    const scanner = reader.scanner(name);
    this.#indexed.push(indexedFile(name, plain.blob, index, firstRow, reader, () => scanner.context));
    const sink = indexSink(name, index);
    let done = 0;
    for await (const bytes of piecesOf(plain.blob, name)) {
      scanner.feed(bytes, sink);
      done += bytes.length;
      this.#progress.rows = firstRow + index.rows;
      this.#checkRows(name, 0);
      await tick(done);
      if (done < plain.blob.size) await this.#showHead(done >= patience);
    }
    scanner.finish(sink);
    this.#progress.rows = firstRow + index.rows;
    if (cache !== null && key !== null) await keepIndex(cache, key, { index, context: scanner.context });
    return scanner.context;
  }

  async #spool(
    file: DataFile,
    plain: PlainFile,
    format: SpooledFormat,
    tick: (done: number) => Promise<void>,
  ): Promise<FileContext> {
    const firstRow = this.#progress.rows;
    const { blob, index, spooled } = await spoolRows(plain.blob, file.name, format, {
      spool: this.#options.spool,
      maxBytes: this.#options.maxBytes ?? defaultMaxBytes,
      signal: this.#options.signal,
      onRows: async (done, rows) => {
        this.#progress.rows = firstRow + rows;
        this.#checkRows(file.name, 0);
        await tick(done);
      },
      onHead: (rows) => {
        if (firstRow === 0) this.#emitHead(rows);
      },
      onNote: (sentence) => this.#notes.push(sentence),
    });
    this.#spooled.push(spooled);
    this.#progress.rows = firstRow + index.rows;
    this.#indexed.push({ name: file.name, blob, index, firstRow, lineBreaks: "lf", parse: parseSpooled });
    return noContext;
  }

  #checkRows(file: string, more: number): void {
    if (this.#progress.rows + more <= mostRows) return;
    const problem = `the dataset has more than ${mostRows / 1e6} million rows`;
    throw new DataError({ file, problem, remedy: "split it" });
  }

  /** The rows of a compressed file's beginning, before the rest is unpacked. */
  async #showStart(blob: Blob, plainName: string, name: string): Promise<void> {
    if (this.#headShown || this.#options.onHead === undefined || this.#progress.rows > 0) return;
    const whole = new Uint8Array(await blob.arrayBuffer());
    const bytes = whole.subarray(markLength(whole));
    const ranked = rankFormats(bytes.subarray(0, headBytes), plainName);
    const format = chooseFormat(this.#options.format, ranked, bytes, name);
    if (format.access !== "sliced") return;
    const index = new RowIndex();
    const reader = await format.reader();
    const scanner = reader.scanner(name);
    scanner.feed(bytes, indexSink(name, index));
    const file = indexedFile(name, new Blob([bytes]), index, 0, reader, () => scanner.context);
    if (index.rows > 0) this.#emitHead(await readRows([file], firstRows(index.rows)));
  }

  /** `anyway`: also with fewer rows than could be shown. */
  async #showHead(anyway: boolean): Promise<void> {
    const { rows } = this.#progress;
    if (this.#headShown || this.#options.onHead === undefined || rows === 0) return;
    if (rows < headRows && !anyway) return;
    this.#emitHead(await readRows(this.#indexed, firstRows(rows)));
  }

  #emitHead(rows: readonly RawRow[]): void {
    if (this.#headShown) return;
    this.#headShown = true;
    this.#options.onHead?.(rows);
  }
}

function indexedFile(
  name: string,
  blob: Blob,
  index: RowIndex,
  firstRow: number,
  reader: SlicedReader,
  context: () => FileContext,
): IndexedFile {
  const parse: IndexedFile["parse"] = (text, origin, ...around) => reader.parse(text, context(), origin, ...around);
  return { name, blob, index, firstRow, lineBreaks: reader.lineBreaks ?? "lf", parse };
}

function indexSink(file: string, index: RowIndex) {
  return (start: number, end: number, line: number, continues?: boolean): void => {
    if (index.add(start, end, line, continues)) return;
    const problem = "the rows before this line take more than 4 GB for 64 of them";
    const remedy = "check that the file is in the format it was taken for";
    throw new DataError({ kind: "syntax", file, line, problem, remedy });
  };
}

function firstRows(rows: number): number[] {
  return Array.from({ length: Math.min(rows, headRows) }, (_, row) => row);
}
