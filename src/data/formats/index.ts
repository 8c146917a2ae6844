/** Every dataset format of this folder, and the one that suits a file. */
import { DataError, shorten } from "../errors";
import { type DatasetFormat, headBytes } from "./types";

const modules = import.meta.glob<DatasetFormat>(["./*.ts", "!./index.ts", "!./types.ts"], {
  eager: true,
  import: "format",
});

/** Path → format, in the order of the paths. */
export const datasetFormats: Readonly<Record<string, DatasetFormat>> = modules;

/** The format that matches best. Throws `DataError` for a file that is empty, cannot be read or that no format knows. */
export async function chooseFormat(blob: Blob, name: string): Promise<DatasetFormat> {
  if (blob.size === 0) {
    throw new DataError({ file: name, problem: "the file is empty", remedy: "choose a file with at least one row" });
  }
  let head: Uint8Array;
  try {
    head = new Uint8Array(await blob.slice(0, headBytes).arrayBuffer());
  } catch (cause) {
    const problem = "the file cannot be read";
    throw new DataError({ file: name, problem, remedy: "check that it still exists and choose it again" }, { cause });
  }
  let best: DatasetFormat | null = null;
  let bestScore = 0;
  for (const candidate of Object.values(datasetFormats)) {
    const score = candidate.match(head, name);
    if (score > bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  if (best === null) throw new DataError({ file: name, ...unknownFile(head) });
  return best;
}

function unknownFile(head: Uint8Array): { readonly problem: string; readonly remedy: string } {
  const [first, second] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { problem: "the file is in UTF-16", remedy: "save it with UTF-8 encoding" };
  }
  const known = Object.values(datasetFormats)
    .map((format) => format.label)
    .join(", ");
  const remedy = `give one of the known formats (${known}), for example a .jsonl file with one JSON object per line`;
  if (head.includes(0)) return { problem: "the file is binary and in no known dataset format", remedy };
  const start = shorten(new TextDecoder().decode(head).trim());
  return { problem: `the file is in no known dataset format (it begins ${start})`, remedy };
}
