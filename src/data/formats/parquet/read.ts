/** Parquet's rows, row group by row group. Every count and offset in the file is checked before memory is taken for it. */
import { type DecodedArray, type FileMetaData, parquetRead, parquetSchema, type RowGroup } from "hyparquet";
import { DataError, shorten } from "../../errors";
import type { SpooledFormat, SpooledRow } from "../types";
import { cellValue, mayHoldBytes, parsers } from "./cells";
import { loadCompressors } from "./compressors";
import { FormatFault } from "./fault";
import { readFooter } from "./footer";
import { checkPages } from "./pages";

/** As `SpooledFormat.rows`. */
export async function* readParquet(
  ...[blob, name, signal, onNote]: Parameters<SpooledFormat["rows"]>
): AsyncGenerator<SpooledRow> {
  const file = name;
  const guard = guarded(file);
  const metadata = await guard(() => readFooter(blob));
  const compressors = await loadCompressors();
  const columns = parquetSchema(metadata).children.map((node) => ({
    name: node.element.name,
    flat: node.children.length === 0 && node.element.repetition_type !== "REPEATED",
    binary: mayHoldBytes(node),
  }));
  const noted = new Set<string>();
  let line = 0;
  for (const group of metadata.row_groups) {
    signal?.throwIfAborted();
    const rows = Number(group.num_rows);
    if (rows === 0) continue;
    const cursors = await guard(async () => {
      await checkPages(blob, group);
      const chunks = await readGroup(blob, metadata, group, compressors);
      return columns.map(({ name: column }) => new Cursor(chunks.get(column) ?? [], column, rows));
    });
    const size = groupBytes(group);
    for (let row = 0; row < rows; row++) {
      if (row % 1024 === 0) signal?.throwIfAborted();
      line++;
      const bytes = Math.floor((size * (row + 1)) / rows) - Math.floor((size * row) / rows);
      const cells: [string, unknown][] = [];
      let error: DataError | null = null;
      for (const [index, { name: column, binary, flat }] of columns.entries()) {
        const cell = cursors[index]?.next();
        if (flat && cell === undefined) throw damaged(file, `column "${column}" points outside of its dictionary`);
        try {
          cells.push([column, cellValue(cell, onBinary)]);
        } catch (cause) {
          error = unreadable(file, line, column, cause);
        }
        function onBinary() {
          if (!binary) error = notText(file, line, column);
          else if (!noted.has(column)) {
            noted.add(column);
            onNote?.(`${file}: column "${shorten(column)}" holds bytes that are no text; they are left out as null.`);
          }
        }
      }
      if (error === null) yield { value: Object.fromEntries(cells), line, bytes };
      else yield { value: null, error, line, bytes };
    }
  }
}

/** A group's cells, column by column, in the chunks they were decoded in. */
async function readGroup(
  blob: Blob,
  metadata: FileMetaData,
  group: RowGroup,
  compressors: Awaited<ReturnType<typeof loadCompressors>>,
): Promise<Map<string, DecodedArray[]>> {
  const chunks = new Map<string, DecodedArray[]>();
  await parquetRead({
    file: { byteLength: blob.size, slice: (start, end) => blob.slice(start, end).arrayBuffer() },
    metadata: { ...metadata, row_groups: [group], num_rows: group.num_rows },
    compressors,
    parsers,
    onChunk({ columnName, columnData }) {
      const list = chunks.get(columnName);
      if (list === undefined) chunks.set(columnName, [columnData]);
      else list.push(columnData);
    },
  });
  return chunks;
}

class Cursor {
  readonly #chunks: readonly DecodedArray[];
  #chunk = 0;
  #index = 0;

  constructor(chunks: readonly DecodedArray[], column: string, rows: number) {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (length !== rows) throw new FormatFault(`column "${column}" has ${length} rows where ${rows} are announced`);
    this.#chunks = chunks;
  }

  next(): unknown {
    for (;;) {
      const chunk = this.#chunks[this.#chunk];
      if (chunk === undefined) return undefined;
      if (this.#index < chunk.length) return chunk[this.#index++];
      this.#chunk++;
      this.#index = 0;
    }
  }
}

function groupBytes(group: RowGroup): number {
  let bytes = 0;
  for (const { meta_data: meta } of group.columns) bytes += Number(meta?.total_compressed_size ?? 0);
  return bytes;
}

/** Whatever goes wrong inside becomes one sentence with the file's name. */
function guarded(file: string) {
  return async <T>(read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (cause) {
      if (cause instanceof FormatFault) {
        throw new DataError({
          file,
          problem: `the Parquet file cannot be read: ${cause.message}`,
          remedy: cause.remedy,
        });
      }
      throw damaged(file, cause instanceof Error ? cause.message : String(cause), cause);
    }
  };
}

function damaged(file: string, what: string, cause?: unknown): DataError {
  const problem = `the Parquet file cannot be read: ${shorten(what, 120)}`;
  return new DataError({ file, problem, remedy: "write the file again or save it as JSON Lines" }, { cause });
}

function notText(file: string, line: number, column: string): DataError {
  const problem = `column "${shorten(column)}" is marked as text but is not valid UTF-8`;
  return new DataError({ kind: "encoding", file, line, problem, remedy: "write the column as UTF-8" });
}

function unreadable(file: string, line: number, column: string, cause: unknown): DataError {
  const problem = `column "${shorten(column)}" is nested too deeply`;
  return new DataError({ kind: "syntax", file, line, problem, remedy: "write it with fewer levels" }, { cause });
}
