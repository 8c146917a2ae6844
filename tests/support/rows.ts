/** Files in memory → rows, for tests of everything that reads datasets. */
import { datasetFormats } from "../../src/data/formats/index";
import type { SlicedFormat, SlicedReader } from "../../src/data/formats/types";
import { memorySpool } from "../../src/data/rows/memory-spool";
import { openRows } from "../../src/data/rows/open-rows";
import type { DataFile, OpenRowsOptions, RawRow } from "../../src/data/rows/types";

export interface ScannedRow {
  readonly text: string;
  readonly line: number;
  readonly continues: boolean;
}

/** What a reader's scanner makes of bytes that come cut at `cuts`. */
export function scan(reader: SlicedReader, bytes: Uint8Array, cuts: readonly number[] = []): ScannedRow[] {
  const rows: ScannedRow[] = [];
  const sink = (start: number, end: number, line: number, continues = false) => {
    rows.push({ text: new TextDecoder().decode(bytes.subarray(start, end)), line, continues });
  };
  const scanner = reader.scanner("rows");
  const ends = [...cuts].sort((a, b) => a - b);
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    scanner.feed(bytes.slice(from, end), sink);
    from = end;
  }
  scanner.finish(sink);
  return rows;
}

export function slicedFormat(id: string): SlicedFormat {
  const format = Object.values(datasetFormats).find((candidate) => candidate.id === id);
  if (format?.access !== "sliced") throw new RangeError(`no sliced format ${id}`);
  return format;
}

export const openDefaults: OpenRowsOptions = { format: null, spool: memorySpool(), cache: null, signal: null };

/** All rows of the files. */
export async function rowsOf(
  files: readonly DataFile[] | Blob | string,
  options: Partial<OpenRowsOptions> = {},
  name = "rows.jsonl",
): Promise<RawRow[]> {
  const list = files instanceof Blob || typeof files === "string" ? [{ name, blob: new Blob([files]) }] : files;
  const source = await openRows(list, { ...openDefaults, ...options });
  return source.read(Array.from({ length: source.rows }, (_, row) => row));
}

/** The rows' values, an error's sentence where a row has none. */
export function valuesOf(rows: readonly RawRow[]): unknown[] {
  return rows.map((row) => ("error" in row ? row.error.message : row.value));
}

export async function gzip(content: BlobPart): Promise<Blob> {
  return new Response(new Blob([content]).stream().pipeThrough(new CompressionStream("gzip"))).blob();
}
