/** A Parquet file's metadata, checked against the file before anything is read by it. */
import { type FileMetaData, parquetMetadata, parquetSchema, type RowGroup, type SchemaTree } from "hyparquet";
import { FormatFault } from "./fault";
import { checkStruct } from "./thrift";

const largestFooter = 64 * 1024 * 1024;
const mostColumns = 1000;
const mostSchemaElements = 4000;
const deepestColumn = 32;
/** Uncompressed bytes and values of one row group, which is decoded as a whole. */
export const largestGroup = 1024 * 1024 * 1024;
export const mostValues = 64 * 1024 * 1024;
const smallerGroups = "write it again with smaller row groups, for example of 10,000 rows";

/** Throws `FormatFault`, or what hyparquet throws. */
export async function readFooter(blob: Blob): Promise<FileMetaData> {
  if (blob.size < 12) throw new FormatFault("it is too short to be a Parquet file");
  const tail = new DataView(await blob.slice(blob.size - 8).arrayBuffer());
  const magic = tail.getUint32(4, true);
  if (magic === 0x45524150) throw new FormatFault("it is encrypted", "write it again without encryption");
  if (magic !== 0x31524150) {
    throw new FormatFault("it does not end like a Parquet file, so its end is missing", "download or copy it again");
  }
  const length = tail.getUint32(0, true);
  if (length > blob.size - 12) throw new FormatFault(`its metadata of ${length} bytes does not fit in it`);
  if (length > largestFooter) {
    throw new FormatFault(
      `its metadata of ${length} bytes is larger than ${largestFooter / 1024 / 1024} MB`,
      smallerGroups,
    );
  }
  const bytes = await blob.slice(blob.size - 8 - length).arrayBuffer();
  checkStruct(new Uint8Array(bytes, 0, length), 0);
  const metadata = parquetMetadata(bytes);
  const leaves = checkSchema(metadata);
  checkGroups(metadata, leaves, blob.size);
  return metadata;
}

/** The paths of all columns that hold values. */
function checkSchema(metadata: FileMetaData): Set<string> {
  const { schema } = metadata;
  if (schema.length > mostSchemaElements) {
    throw new FormatFault(`it has ${schema.length} columns and fields`, `keep at most ${mostColumns} columns`);
  }
  for (const element of schema) {
    // Some writers give only the newer of the two annotations; hyparquet goes by the older.
    const logical = element.logical_type;
    if (element.converted_type !== undefined || logical === undefined) continue;
    if (["LIST", "MAP", "DATE", "JSON"].includes(logical.type)) {
      element.converted_type = logical.type as "LIST" | "MAP" | "DATE" | "JSON";
    } else if (logical.type === "DECIMAL") {
      element.converted_type = "DECIMAL";
      element.scale ??= logical.scale;
    }
  }
  const { children } = parquetSchema(metadata);
  if (children.length > mostColumns) {
    throw new FormatFault(`it has ${children.length} columns`, `keep at most ${mostColumns}`);
  }
  const names = new Set<string>();
  const leaves = new Set<string>();
  for (const column of children) {
    const { name } = column.element;
    if (names.has(name)) throw new FormatFault(`two of its columns are named "${name}"`, "rename one of them");
    names.add(name);
    addLeaves(column, leaves);
  }
  return leaves;
}

function addLeaves(node: SchemaTree, leaves: Set<string>): void {
  if (node.path.length > deepestColumn) {
    throw new FormatFault(`a column is nested deeper than ${deepestColumn} levels`);
  }
  if (node.children.length === 0) leaves.add(pathKey(node.path));
  for (const child of node.children) addLeaves(child, leaves);
}

function pathKey(path: readonly string[]): string {
  return path.join("\0");
}

function checkGroups(metadata: FileMetaData, leaves: ReadonlySet<string>, size: number): void {
  let rows = 0n;
  for (const group of metadata.row_groups) {
    rows += group.num_rows;
    if (group.num_rows < 0n) throw new FormatFault(`one of its row groups has ${group.num_rows} rows`);
    checkGroup(group, leaves, size);
  }
  // Some writers leave the sum at 0.
  if (rows !== metadata.num_rows && metadata.num_rows !== 0n) {
    throw new FormatFault(`it announces ${metadata.num_rows} rows, but its row groups have ${rows}`);
  }
}

function checkGroup(group: RowGroup, leaves: ReadonlySet<string>, size: number): void {
  let bytes = 0n;
  let values = 0n;
  if (group.columns.some(({ meta_data: meta }) => meta === undefined)) {
    throw new FormatFault("it is encrypted", "write it again without encryption");
  }
  const paths = group.columns.map(({ meta_data: meta }) => pathKey(meta?.path_in_schema ?? []));
  if (new Set(paths).size !== paths.length || !paths.every((path) => leaves.has(path))) {
    throw new FormatFault("the columns of its row groups are not those of its schema");
  }
  for (const { meta_data: meta, file_path: path } of group.columns) {
    if (path !== undefined) throw new FormatFault("its columns lie in other files", "give those files instead");
    if (meta === undefined) continue;
    const { start, end } = chunkRange(meta);
    if (!(start >= 0 && start <= end && end <= size)) {
      throw new FormatFault(`bytes ${start} to ${end} of column "${meta.path_in_schema.join(".")}" lie outside of it`);
    }
    if (meta.total_uncompressed_size < 0n || meta.num_values < 0n) {
      throw new FormatFault(`column "${meta.path_in_schema.join(".")}" has a negative size`);
    }
    bytes += meta.total_uncompressed_size;
    values += meta.num_values;
  }
  if (bytes > BigInt(largestGroup)) {
    throw new FormatFault(`one of its row groups takes ${bytes} bytes, more than ${largestGroup}`, smallerGroups);
  }
  // Rows too: a group without columns has no values.
  if (values > BigInt(mostValues) || group.num_rows > BigInt(mostValues)) {
    throw new FormatFault(`one of its row groups has more than ${mostValues} values`, smallerGroups);
  }
}

type ColumnMeta = NonNullable<RowGroup["columns"][number]["meta_data"]>;

/** The bytes of the file with a column's pages in one row group. */
export function chunkRange(meta: ColumnMeta): { readonly start: number; readonly end: number } {
  // Zero and absent both mean: no dictionary.
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
  return { start, end: start + Number(meta.total_compressed_size) };
}
