/** JSON Lines: one JSON value per line. Blank lines, CRLF and a comma at a line's end are let pass. */
import { parseJson } from "../rows/json-text";
import { headBytes, noContext, type RowScanner, type RowSink, type SlicedFormat } from "./types";

const lineFeed = 0x0a;
const remedy = 'every line must hold one whole JSON object, such as {"prompt": "…", "completion": "…"}';
/** Lines of the head that `match` tries to parse. */
const triedLines = 5;

export const format: SlicedFormat = {
  id: "jsonl",
  label: "JSON Lines",
  access: "sliced",
  match(head, name) {
    if (head.includes(0)) return 0;
    const named = /\.(jsonl|ndjson|jsonlines)$/i.test(name);
    const text = new TextDecoder().decode(head);
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    const cut = head.length >= headBytes && !text.endsWith("\n");
    const whole = (cut ? lines.slice(0, -1) : lines).slice(0, triedLines);
    const opensObject = /^\s*\{\s*["}]/.test(text);
    if (whole.length === 0) return opensObject ? (named ? 0.8 : 0.5) : named ? 0.2 : 0;
    const values = whole.map(tryParse);
    const objects = values.filter((value) => typeof value === "object" && value !== null && !Array.isArray(value));
    const lists = values.filter(Array.isArray);
    // A list over several lines or in one is the JSON format's; a list on every line is not.
    if (/^\s*\[/.test(text) && lists.length < Math.max(2, values.length)) return named ? 0.1 : 0;
    const share = (objects.length + lists.length) / values.length;
    if (share === 0) return named ? 0.3 : 0;
    return 0.7 * share + (named ? 0.25 : 0);
  },
  reader: async () => ({
    scanner: () => new LineScanner(),
    parse: (text, _context, origin) => parseJson(withoutComma(text), origin, remedy),
  }),
};

/** Every line that is not blank is a row. */
class LineScanner implements RowScanner {
  readonly context = noContext;
  #offset = 0;
  #line = 1;
  #lineStart = 0;
  #blank = true;

  feed(chunk: Uint8Array, sink: RowSink): void {
    const base = this.#offset;
    let at = 0;
    while (at < chunk.length) {
      if (this.#blank) {
        const byte = chunk[at];
        if (byte === lineFeed) {
          this.#next(base + ++at);
          continue;
        }
        if (byte === 0x20 || byte === 0x09 || byte === 0x0d) {
          at++;
          continue;
        }
        this.#blank = false;
      }
      const end = chunk.indexOf(lineFeed, at);
      if (end === -1) break;
      sink(this.#lineStart, base + end, this.#line);
      at = end + 1;
      this.#next(base + at);
    }
    this.#offset = base + chunk.length;
  }

  finish(sink: RowSink): void {
    if (!this.#blank) sink(this.#lineStart, this.#offset, this.#line);
    this.#blank = true;
  }

  #next(start: number): void {
    this.#line++;
    this.#lineStart = start;
    this.#blank = true;
  }
}

/** Also without a byte order mark: files put one after another keep theirs. */
function withoutComma(text: string): string {
  const trimmed = text.charCodeAt(0) === 0xfeff ? text.slice(1).trimEnd() : text.trimEnd();
  return trimmed.endsWith(",") ? trimmed.slice(0, -1) : trimmed;
}

function tryParse(line: string): unknown {
  try {
    return JSON.parse(withoutComma(line));
  } catch {
    return undefined;
  }
}
