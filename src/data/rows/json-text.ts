/** A row's JSON text → its value, or the sentence that says where it is not JSON. */
import { DataError, shorten } from "../errors";
import { deepest, jsonFault } from "./json-fault";

/** Throws `DataError` (kind "syntax") with line and column in the file; `origin.line` is the line on which the text begins. */
export function parseJson(
  text: string,
  origin: { readonly file: string; readonly line: number },
  remedy: string,
): unknown {
  let value: unknown;
  let cause: unknown = null;
  try {
    value = JSON.parse(text);
    if (!mayBeTooDeep(text)) return value;
  } catch (error) {
    cause = error;
  }
  const fault = jsonFault(text);
  if (fault === null) {
    if (cause === null) return value;
    throw syntaxError(text, origin, { at: 0, what: "the parser refused it" }, remedy, cause);
  }
  throw syntaxError(text, origin, fault, remedy, cause);
}

/** As many opening brackets as the depth allows, wherever they are: only then is the depth worth counting. */
function mayBeTooDeep(text: string): boolean {
  if (text.length <= deepest) return false;
  let brackets = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // "[" and "{" differ in one bit.
    if ((code & ~0x20) === 0x5b && ++brackets > deepest) return true;
  }
  return false;
}

function syntaxError(
  text: string,
  origin: { readonly file: string; readonly line: number },
  fault: { readonly at: number; readonly what: string },
  remedy: string,
  cause: unknown,
): DataError {
  const lineStart = fault.at === 0 ? 0 : text.lastIndexOf("\n", fault.at - 1) + 1;
  let line = origin.line;
  for (let at = text.indexOf("\n"); at !== -1 && at < lineStart; at = text.indexOf("\n", at + 1)) line++;
  let column = 1;
  // The second half of a surrogate pair is no character.
  for (let at = lineStart; at < fault.at; at++) if ((text.charCodeAt(at) & 0xfc00) !== 0xdc00) column++;
  const lineEnd = text.indexOf("\n", lineStart);
  const shown = text.slice(lineStart, Math.min(lineEnd === -1 ? text.length : lineEnd, lineStart + 400)).trimStart();
  const problem = `not valid JSON at column ${column}: ${fault.what} (the line begins ${shorten(shown, 40)})`;
  return new DataError({ kind: "syntax", file: origin.file, line, column, problem, remedy }, { cause });
}
