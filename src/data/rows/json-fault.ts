/** Where a text stops being JSON. Engines word this differently or not at all, so a text that one refused is read again here. */

/** Deeper values are refused: code that walks a row would run out of stack. */
export const deepest = 512;

export interface JsonFault {
  /** Index in the text, in UTF-16 units. */
  readonly at: number;
  /** Completes "not valid JSON: …". */
  readonly what: string;
}

/** Null where the text is JSON (RFC 8259) and nested no deeper than `deepest`. Needs no stack. */
export function jsonFault(text: string): JsonFault | null {
  const open: ("{" | "[")[] = [];
  let at = 0;
  /** What may come next: a value, a key, a colon, a comma or closing bracket. */
  let expected: "value" | "value or ]" | "key" | "key or }" | "colon" | "more" = "value";
  for (;;) {
    while (isSpace(text.charCodeAt(at))) at++;
    const char = text[at];
    if (char === undefined) {
      return open.length === 0 && expected === "more" ? null : { at, what: "it ends too early" };
    }
    const inside = open.at(-1);
    if (expected === "colon") {
      if (char !== ":") return unexpected(text, at);
      at++;
      expected = "value";
    } else if (expected === "more" && char === "," && inside !== undefined) {
      at++;
      expected = inside === "{" ? "key" : "value";
    } else if (char === "}" && inside === "{" && (expected === "more" || expected === "key or }")) {
      open.pop();
      at++;
      expected = "more";
    } else if (char === "]" && inside === "[" && (expected === "more" || expected === "value or ]")) {
      open.pop();
      at++;
      expected = "more";
    } else if (expected === "key" || expected === "key or }") {
      if (char !== '"') return unexpected(text, at);
      const end = stringEnd(text, at);
      if (typeof end !== "number") return end;
      at = end;
      expected = "colon";
    } else if (expected === "more") {
      return unexpected(text, at);
    } else if (char === "{" || char === "[") {
      if (open.length === deepest) return { at, what: `it is nested more than ${deepest} levels deep` };
      open.push(char);
      at++;
      expected = char === "{" ? "key or }" : "value or ]";
    } else {
      const end = char === '"' ? stringEnd(text, at) : scalarEnd(text, at);
      if (typeof end !== "number") return end;
      at = end;
      expected = "more";
    }
  }
}

function stringEnd(text: string, start: number): number | JsonFault {
  for (let at = start + 1; ; at++) {
    const code = text.charCodeAt(at);
    if (Number.isNaN(code)) return { at: start, what: "a string has no closing quote" };
    if (code === 0x22) return at + 1;
    if (code < 0x20) return { at, what: "a control character or line break stands inside a string" };
    if (code !== 0x5c) continue;
    const known = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
    known.lastIndex = at;
    if (!known.test(text)) return { at, what: "a backslash begins no known escape" };
    at = known.lastIndex - 1;
  }
}

function scalarEnd(text: string, start: number): number | JsonFault {
  const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
  scalar.lastIndex = start;
  return scalar.test(text) ? scalar.lastIndex : unexpected(text, start);
}

function unexpected(text: string, at: number): JsonFault {
  const word = /[A-Za-z]{1,20}/y;
  word.lastIndex = at;
  const found = word.exec(text)?.[0] ?? String.fromCodePoint(text.codePointAt(at) ?? 0);
  const shown = /[\p{Cc}\p{Cf}\p{Z}]/u.test(found) ? `U+${hex(found)}` : found;
  return { at, what: `unexpected ${shown}` };
}

function hex(char: string): string {
  return (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

/** JSON's own white space: nothing else that looks like it. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
