/** Delimited tables: CSV, TSV and their relatives with semicolons or bars. The reader loads with the first such file. */
import { chooseSurvey, survey } from "./csv/survey";
import { headBytes, type SlicedFormat } from "./types";

const tableName = /\.(csv|tsv|tab|psv)$/i;

export const format: SlicedFormat = {
  id: "csv",
  label: "CSV or TSV",
  access: "sliced",
  match(head, name) {
    if (head.includes(0)) return 0;
    const named = tableName.test(name);
    if (/^\uFEFF?\s*[[{]/u.test(new TextDecoder("utf-8", { ignoreBOM: true }).decode(head.subarray(0, 1024)))) {
      return named ? 0.2 : 0;
    }
    if (named) return looksDelimited(head, ["\t", ",", ";", "|"], 2) ? 0.9 : 0.6;
    // Without the name only what prose never looks like: the same number of cells line after line, no space after delimiters.
    if (looksDelimited(head, ["\t"], 2)) return 0.55;
    return looksDelimited(head, [",", ";"], 3) && !spaced(head) ? 0.5 : 0;
  },
  async reader() {
    const { reader } = await import("./csv/reader");
    return reader;
  },
};

function looksDelimited(head: Uint8Array, delimiters: readonly string[], records: number): boolean {
  const complete = head.length < headBytes;
  const best = chooseSurvey(delimiters.map((delimiter) => survey(head, delimiter, complete)));
  return best !== null && best.share >= 0.95 && best.count >= records;
}

/** Whether a space follows most commas and semicolons, as in prose. */
function spaced(head: Uint8Array): boolean {
  let delimiters = 0;
  let spaces = 0;
  for (let i = 0; i < head.length; i++) {
    if (head[i] !== 0x2c && head[i] !== 0x3b) continue;
    delimiters++;
    if (head[i + 1] === 0x20 || head[i + 1] === 0x0a || head[i + 1] === 0x0d) spaces++;
  }
  return spaces * 2 > delimiters;
}
