/** Every dataset format of this folder, and those that suit a file. */
import { DataError, shorten } from "../errors";
import type { DatasetFormat } from "./types";

const modules = import.meta.glob<DatasetFormat>(["./*.ts", "!./index.ts", "!./types.ts"], {
  eager: true,
  import: "format",
});

/** Path → format, in the order of the paths. */
export const datasetFormats: Readonly<Record<string, DatasetFormat>> = modules;

/** A format that matches less surely is offered but never chosen by itself. */
const sureEnough = 0.2;

export interface RankedFormat {
  readonly format: DatasetFormat;
  /** Above 0, at most 1. */
  readonly score: number;
}

/** The formats that may read a file, best first. `head`: its first `headBytes`, decompressed, in UTF-8. */
export function rankFormats(head: Uint8Array, name: string): readonly RankedFormat[] {
  return Object.values(datasetFormats)
    .map((format) => ({ format, score: format.match(head, name) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
}

/** The format with this id, or the first of `ranked`. Throws `DataError` for a file that is empty or that no format knows. */
export function chooseFormat(
  id: string | null,
  ranked: readonly RankedFormat[],
  head: Uint8Array,
  name: string,
): DatasetFormat {
  if (head.length === 0) {
    throw new DataError({ file: name, problem: "the file is empty", remedy: "choose a file with at least one row" });
  }
  if (id !== null) {
    const format = Object.values(datasetFormats).find((candidate) => candidate.id === id);
    if (format !== undefined) return format;
    throw new DataError({ file: name, problem: `there is no dataset format "${id}"`, remedy: `use ${knownIds()}` });
  }
  if (head.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d))) {
    throw new DataError({ file: name, problem: "the file has no rows", remedy: "choose a file with at least one row" });
  }
  const [best] = ranked;
  if (best === undefined || best.score < sureEnough) throw new DataError({ file: name, ...unknownFile(head) });
  return best.format;
}

function knownIds(): string {
  return Object.values(datasetFormats)
    .map((format) => format.id)
    .join(", ");
}

/** First bytes → what such a file is. */
const foreign: readonly (readonly [bytes: readonly number[], what: string, remedy: string])[] = [
  [[0x50, 0x4b, 3, 4], "a ZIP archive or an Office document", "unpack it, or save its table as CSV"],
  [[0x25, 0x50, 0x44, 0x46], "a PDF document", "save its text as a .txt file"],
  [[0x28, 0xb5, 0x2f, 0xfd], "compressed with Zstandard", "unpack it, or compress it with gzip"],
  [[0x42, 0x5a, 0x68], "compressed with bzip2", "unpack it, or compress it with gzip"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "compressed with xz", "unpack it, or compress it with gzip"],
  [[0x37, 0x7a, 0xbc, 0xaf], "a 7-Zip archive", "unpack it"],
  [[0x41, 0x52, 0x52, 0x4f, 0x57, 0x31], "an Arrow file", "save it as Parquet"],
];

function unknownFile(head: Uint8Array): { readonly problem: string; readonly remedy: string } {
  for (const [bytes, what, remedy] of foreign) {
    if (bytes.every((byte, index) => head[index] === byte)) return { problem: `the file is ${what}`, remedy };
  }
  const known = Object.values(datasetFormats)
    .map((format) => format.label)
    .join(", ");
  const remedy = `give one of the known formats (${known}), for example a .jsonl file with one JSON object per line`;
  if (head.includes(0)) return { problem: "the file is binary and in no known dataset format", remedy };
  const start = shorten(new TextDecoder().decode(head.subarray(0, 1_000)).trim());
  return { problem: `the file is in no known dataset format (it begins ${start})`, remedy };
}
