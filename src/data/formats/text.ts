/** Plain text and Markdown: documents between lines `<|endoftext|>`, or passages of about 2,000 characters. */
import { PassageScanner, separator } from "../rows/passage-scanner";
import type { SlicedFormat } from "./types";

const textName = /\.(txt|text|md|markdown|rst|tex|log)$/i;
/** Names that promise another format: their text is taken for prose only when asked for. */
const otherName = /\.(jsonl?|ndjson|jsonlines|csv|tsv|ya?ml|parquet|xml|html?)$/i;

export const format: SlicedFormat = {
  id: "text",
  label: "Plain text",
  access: "sliced",
  match(head, name) {
    if (head.length === 0 || head.some((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b)))
      return 0;
    if (otherName.test(name)) return 0.05;
    if (textName.test(name)) return 0.6;
    if (!isUtf8(head)) return 0;
    return new TextDecoder().decode(head).includes(`\n${separator}`) ? 0.5 : 0.2;
  },
  reader: async () => ({
    scanner: () => new PassageScanner(),
    parse: (text, _context, _origin, continues, continued) => ({
      text,
      ...(continues === true ? { continues } : {}),
      ...(continued === true ? { continued } : {}),
    }),
  }),
};

/** The head may end inside a character. */
function isUtf8(head: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}
