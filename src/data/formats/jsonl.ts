/** JSON Lines: one JSON object per line, UTF-8. */
import { DataError, shorten } from "../errors";
import { conversationFromRow } from "../shapes";
import type { Conversation } from "../types";
import type { DatasetFormat } from "./types";

/** A longer line is a file without line breaks, not a row: it is refused before it fills the memory. */
const longestLine = 32 * 1024 * 1024;
const lineFeed = 0x0a;

export const format: DatasetFormat = {
  id: "jsonl",
  label: "JSON Lines",
  match(head, name) {
    if (head.includes(0)) return 0;
    const opensObject = /^\uFEFF?\s*\{/u.test(new TextDecoder("utf-8", { ignoreBOM: true }).decode(head));
    return (/\.(jsonl|ndjson)$/i.test(name) ? 0.6 : 0) + (opensObject ? 0.4 : 0);
  },
  async *read(blob, name, onBytes): AsyncGenerator<Conversation> {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let line = 0;
    for await (const { bytes, end } of readLines(blob, name)) {
      line++;
      let text: string;
      try {
        text = decoder.decode(bytes);
      } catch (cause) {
        const problem = "the line is not valid UTF-8";
        throw new DataError({ file: name, line, problem, remedy: "save the file with UTF-8 encoding" }, { cause });
      }
      onBytes?.(end);
      if (text.trim() === "") continue;
      yield conversationFromRow(parseLine(text, name, line), { file: name, line });
    }
  },
};

function parseLine(text: string, file: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const column = errorColumn(cause);
    const problem = `not valid JSON${column === null ? "" : ` at column ${column}`} (the line begins ${shorten(text.trim(), 40)})`;
    const remedy = 'every line must hold one whole JSON object, such as {"prompt": "…", "completion": "…"}';
    throw new DataError({ file, line, problem, remedy }, { cause });
  }
}

/** Engines name the place in their message or not at all: "… at position 12", "… line 1 column 13 …". */
function errorColumn(cause: unknown): number | null {
  const message = cause instanceof Error ? cause.message : "";
  const position = /\bposition (\d+)/.exec(message)?.[1];
  if (position !== undefined) return Number(position) + 1;
  const column = /\bcolumn (\d+)/.exec(message)?.[1];
  return column === undefined ? null : Number(column);
}

/** The file's lines without their line feed; `end` is the offset in the file after the line. */
async function* readLines(blob: Blob, file: string): AsyncGenerator<{ bytes: Uint8Array; end: number }> {
  const reader = blob.stream().getReader();
  let pieces: Uint8Array[] = [];
  let pending = 0;
  let end = 0;
  let line = 1;
  try {
    for (;;) {
      const chunk = await reader.read().catch((cause: unknown) => {
        const problem = "the file cannot be read";
        throw new DataError({ file, problem, remedy: "check that it still exists and choose it again" }, { cause });
      });
      if (chunk.done) break;
      let start = 0;
      while (start < chunk.value.length) {
        const at = chunk.value.indexOf(lineFeed, start);
        const stop = at === -1 ? chunk.value.length : at;
        pending += stop - start;
        if (pending > longestLine) {
          const problem = `the line is longer than ${longestLine / 1024 / 1024} MB`;
          throw new DataError({ file, line, problem, remedy: "put one JSON object on each line" });
        }
        pieces.push(chunk.value.subarray(start, stop));
        start = stop;
        if (at === -1) break;
        start++;
        end += pending + 1;
        yield { bytes: join(pieces, pending), end };
        line++;
        pieces = [];
        pending = 0;
      }
    }
    if (pending > 0) yield { bytes: join(pieces, pending), end: end + pending };
  } finally {
    // Also reached when the consumer stops early: the stream must let go of the file.
    await reader.cancel().catch(() => undefined);
  }
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
