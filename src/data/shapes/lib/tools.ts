/** Tools and tool calls, in OpenAI's form whatever form the row has: templates of all models know that one. */
import { DataError, excerpt } from "../../errors";
import type { RowOrigin } from "../../types";
import { blank, fromCell, isRow, readText } from "./fields";

/** A JSON schema nests a few levels; a template would overflow the stack on a hostile one. */
const deepest = 64;

/** Tools of a row (a list or its JSON text); undefined where it has none. Bare functions are wrapped. */
export function readTools(value: unknown, field: string, origin: RowOrigin): readonly unknown[] | undefined {
  if (blank(value)) return undefined;
  const tools = readList(value, field, origin);
  if (tools.length === 0) return undefined;
  return tools.map((tool, index) => {
    const place = `${field}[${index}]`;
    if (!isRow(tool)) {
      throw new DataError({
        ...origin,
        field: place,
        problem: `it is ${excerpt(tool)}`,
        remedy: 'make it an object such as {"type": "function", "function": {"name": "…", "parameters": {…}}}',
      });
    }
    checkJson(tool, place, origin, deepest);
    return typeof tool["name"] === "string" && !isRow(tool["function"]) ? { type: "function", function: tool } : tool;
  });
}

/** Calls of an assistant message, arguments parsed where they are an object's JSON text; empty where it makes none. */
export function readToolCalls(value: unknown, field: string, origin: RowOrigin): readonly unknown[] {
  if (blank(value)) return [];
  return readList(value, field, origin).map((call, index) => readCall(call, `${field}[${index}]`, origin));
}

/** ShareGPT's `function_call` turn: one call or a list of them, as JSON text. */
export function readCallTurn(value: unknown, field: string, origin: RowOrigin): readonly unknown[] {
  const calls = fromCell(value, field, origin);
  if (isRow(calls)) return [readCall(calls, field, origin)];
  if (Array.isArray(calls) && calls.length > 0) {
    return calls.map((call: unknown, index) => readCall(call, `${field}[${index}]`, origin));
  }
  throw wrongCall(calls, field, origin);
}

/** `{ name, arguments }`, alone or inside `function`. */
export function readCall(call: unknown, field: string, origin: RowOrigin): unknown {
  if (!isRow(call)) throw wrongCall(call, field, origin);
  checkJson(call, field, origin, deepest);
  const inner = isRow(call["function"]) ? call["function"] : call;
  const { name } = inner;
  if (typeof name !== "string" || name.trim() === "") throw wrongCall(call, field, origin);
  const parsed = { ...inner, arguments: readArguments(inner["arguments"], `${field}.arguments`, origin) };
  return inner === call ? { type: "function", function: parsed } : { ...call, function: parsed };
}

function readArguments(value: unknown, field: string, origin: RowOrigin): unknown {
  if (value === undefined || value === null) return {};
  if (typeof value !== "string" || !value.trim().startsWith("{")) return value;
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    // Arguments of a custom tool are any text.
    return value;
  }
  checkJson(parsed, field, origin, deepest);
  return parsed;
}

function readList(value: unknown, field: string, origin: RowOrigin): readonly unknown[] {
  const list = fromCell(value, field, origin);
  if (Array.isArray(list)) return list;
  throw new DataError({ ...origin, field, problem: `it is ${excerpt(list)}`, remedy: "make it a list of objects" });
}

function wrongCall(value: unknown, field: string, origin: RowOrigin): DataError {
  return new DataError({
    ...origin,
    field,
    problem: `it is ${excerpt(value)}, not a function's call`,
    remedy: 'write it as {"name": "…", "arguments": {…}}',
  });
}

/** Every string is text and nothing nests deeper than `depth`. */
function checkJson(value: unknown, field: string, origin: RowOrigin, depth: number): void {
  if (typeof value === "string") readText(value, field, origin);
  if (typeof value !== "object" || value === null) return;
  if (depth === 0) {
    const problem = `it nests deeper than ${deepest} levels`;
    throw new DataError({ ...origin, field, problem, remedy: "flatten it or leave the row out" });
  }
  for (const [key, inner] of Object.entries(value)) {
    readText(key, field, origin);
    checkJson(inner, field, origin, depth - 1);
  }
}
