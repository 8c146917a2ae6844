/** The pages of a row group, checked by their headers before they are decoded: sizes, counts, and that they stay inside. */
import type { PageHeader, RowGroup } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { FormatFault } from "./fault";
import { chunkRange, largestGroup, mostValues } from "./footer";
import { checkStruct } from "./thrift";

/** Throws `FormatFault`, or what hyparquet throws for a header. */
export async function checkPages(blob: Blob, group: RowGroup): Promise<void> {
  const total = { bytes: 0, values: 0 };
  for (const { meta_data: meta } of group.columns) {
    if (meta === undefined) continue;
    const { start, end } = chunkRange(meta);
    const bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
    addPages(bytes, meta.path_in_schema.join("."), total);
    if (total.bytes > largestGroup || total.values > mostValues) {
      throw new FormatFault("the pages of one of its row groups are larger than announced");
    }
  }
}

function addPages(bytes: Uint8Array<ArrayBuffer>, name: string, total: { bytes: number; values: number }): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let offset = 0;
  // As hyparquet does: a last single byte is no page.
  while (offset < bytes.length - 1) {
    const reader = { view, offset };
    checkStruct(bytes, offset);
    const header = parquetHeader(reader);
    offset = reader.offset + header.compressed_page_size;
    const values = offset <= bytes.length ? soundValues(header) : null;
    if (values === null) throw new FormatFault(`a page of column "${name}" has impossible sizes`);
    total.bytes += header.uncompressed_page_size;
    total.values += values;
  }
}

/** How many values the page announces; null where a size is missing or cannot be: hyparquet would compute with it. */
function soundValues(header: PageHeader): number | null {
  const { compressed_page_size: compressed, uncompressed_page_size: uncompressed } = header;
  if (!inRange(compressed, largestGroup) || !inRange(uncompressed, largestGroup)) return null;
  switch (header.type) {
    case "DICTIONARY_PAGE": {
      const entries = header.dictionary_page_header?.num_values;
      // An entry takes a bit or more.
      return inRange(entries, uncompressed * 8) ? 0 : null;
    }
    case "DATA_PAGE": {
      const page = header.data_page_header;
      return page?.encoding !== undefined && inRange(page.num_values, mostValues) ? page.num_values : null;
    }
    case "DATA_PAGE_V2": {
      const page = header.data_page_header_v2;
      if (page?.encoding === undefined || !inRange(page.num_values, mostValues)) return null;
      if (!inRange(page.num_nulls, page.num_values) || !inRange(page.num_rows, page.num_values)) return null;
      const room = Math.min(compressed, uncompressed);
      const { definition_levels_byte_length: definition, repetition_levels_byte_length: repetition } = page;
      if (!inRange(definition, room) || !inRange(repetition, room - definition)) return null;
      return page.num_values;
    }
    default:
      return null;
  }
}

function inRange(value: number | undefined, limit: number): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= limit;
}
