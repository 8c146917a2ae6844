/** JSON: a list of rows, a list of rows inside one object, or one object after another over any number of lines. */
import { DataError } from "../errors";
import { JsonScanner } from "../rows/json-scanner";
import { parseJson } from "../rows/json-text";
import { headBytes, type SlicedFormat } from "./types";

/** Rows of the head that `match` tries to parse. */
const triedRows = 3;

export const format: SlicedFormat = {
  id: "json",
  label: "JSON",
  access: "sliced",
  match(head, name) {
    if (head.includes(0)) return 0;
    const named = /\.json$/i.test(name);
    const text = new TextDecoder().decode(head);
    if (!/^\s*(?:\{\s*["}]|\[\s*["{[\]\d-])/.test(text)) return named ? 0.2 : 0;
    const share = parsedShare(head, name);
    if (share === null) return named ? 0.2 : 0;
    const base = oneALine(text, head.length >= headBytes) ? 0.3 : 0.7 * share + 0.1;
    return base * (named ? 1 : 0.8) + (named ? 0.15 : 0);
  },
  reader: async () => ({
    scanner: (name) => new JsonScanner(name),
    parse: (text, _context, origin) => parseJson(text, origin, "correct the row or leave it out"),
  }),
};

/** How many of the head's first rows can be parsed; 1 where the head ends before a row does, null where it is no JSON file. */
function parsedShare(head: Uint8Array, name: string): number | null {
  const rows: string[] = [];
  const decoder = new TextDecoder();
  const take = (start: number, end: number) => {
    if (rows.length < triedRows) rows.push(decoder.decode(head.subarray(start, end)));
  };
  const scanner = new JsonScanner(name);
  try {
    scanner.feed(head, take);
    if (head.length < headBytes) scanner.finish(take);
  } catch (error) {
    if (error instanceof DataError) return rows.length > 0 ? 0.5 : null;
    throw error;
  }
  if (rows.length === 0) return 1;
  return rows.filter(parses).length / rows.length;
}

/** JSON Lines: more than one line, and the first two are values of their own. */
function oneALine(text: string, cut: boolean): boolean {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const whole = cut ? lines.slice(0, -1) : lines;
  return whole.length > 1 && whole.slice(0, 2).every(parses);
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
