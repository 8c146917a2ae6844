/** One message of a chat: OpenAI's {role, content} or ShareGPT's {from, value}. */
import { DataError, excerpt } from "../../errors";
import type { Message, Role } from "../../tokenizer";
import type { RowOrigin } from "../../types";
import type { Row } from "../types";
import { blank, isRow, needText, present, readText } from "./fields";
import { readCall, readCallTurn, readToolCalls } from "./tools";
import { readWeight } from "./weight";

/** OpenAI's roles, and what ShareGPT, LLaMA-Factory and ms-swift call them. */
const roles: ReadonlyMap<unknown, Role> = new Map<unknown, Role>([
  ["system", "system"],
  ["developer", "developer"],
  ["user", "user"],
  ["human", "user"],
  ["assistant", "assistant"],
  ["gpt", "assistant"],
  ["chatgpt", "assistant"],
  ["model", "assistant"],
  ["function_call", "assistant"],
  ["tool_call", "assistant"],
  ["tool", "tool"],
  ["function", "tool"],
  ["observation", "tool"],
  ["function_response", "tool"],
  ["tool_response", "tool"],
]);
const usualRoles = "system, user, assistant, tool, developer";

export function readMessage(message: unknown, field: string, origin: RowOrigin): Message {
  if (!isRow(message)) {
    throw new DataError({
      ...origin,
      field,
      problem: `it is ${excerpt(message)}`,
      remedy: 'make it an object such as {"role": "user", "content": "…"}',
    });
  }
  const roleKey = usedKey(message, "role", "from");
  const contentKey = usedKey(message, "content", "value");
  const speaker = message[roleKey];
  const role = readRole(speaker, `${field}.${roleKey}`, origin);
  const place = `${field}.${contentKey}`;
  const content = joined(message[contentKey], place, origin);
  const isCall = speaker === "function_call" || speaker === "tool_call";
  const calls = isCall ? readCallTurn(content, place, origin) : readCalls(message, role, field, origin);
  const optional = (key: string): string | undefined =>
    blank(message[key]) ? undefined : readText(message[key], `${field}.${key}`, origin);
  const callId = optional("tool_call_id");
  const name = optional("name");
  const reasoning = role === "assistant" ? optional("reasoning_content") : undefined;
  const weight = readWeight(message, role, field, origin);
  return {
    role,
    content: isCall ? "" : readContent(content, role, calls.length > 0, place, origin),
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    ...(callId === undefined ? {} : { tool_call_id: callId }),
    ...(name === undefined ? {} : { name }),
    ...(role !== "assistant" || weight === undefined ? {} : { weight }),
  };
}

function usedKey(message: Row, usual: string, other: string): string {
  return !present(message[usual]) && Object.hasOwn(message, other) ? other : usual;
}

function readRole(speaker: unknown, field: string, origin: RowOrigin): Role {
  const role = roles.get(speaker);
  if (role !== undefined) return role;
  throw new DataError({
    ...origin,
    field,
    problem: present(speaker) ? `${excerpt(speaker)} is unknown` : "it is missing",
    remedy: `use one of ${usualRoles}`,
  });
}

/** Only an answer must not be empty, unless it calls a tool. */
function readContent(content: unknown, role: Role, hasCalls: boolean, field: string, origin: RowOrigin): string {
  if (hasCalls && !present(content)) return "";
  return role === "assistant" && !hasCalls ? needText(content, field, origin) : readText(content, field, origin);
}

/** OpenAI's list of text parts as one text; anything else as it is. */
function joined(content: unknown, field: string, origin: RowOrigin): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((part: unknown, index) => readPart(part, `${field}[${index}]`, origin)).join("");
}

function readPart(part: unknown, field: string, origin: RowOrigin): string {
  if (!isRow(part) || part["type"] !== "text") {
    throw new DataError({
      ...origin,
      field,
      problem: `it is ${isRow(part) ? `a part of type ${excerpt(part["type"])}` : excerpt(part)}`,
      remedy: 'give only parts such as {"type": "text", "text": "…"} or leave the row out',
    });
  }
  for (const key of ["train", "weight"]) {
    if (!present(part[key])) continue;
    throw new DataError({
      ...origin,
      field: `${field}.${key}`,
      problem: "parts of a message cannot be left out of the loss by themselves",
      remedy: `take it out and give the whole message a "${key}"`,
    });
  }
  return readText(part["text"], `${field}.text`, origin);
}

function readCalls(message: Row, role: Role, field: string, origin: RowOrigin): readonly unknown[] {
  const { tool_calls, function_call } = message;
  const calls = readToolCalls(tool_calls, `${field}.tool_calls`, origin);
  // What OpenAI's files had before tools.
  const all = blank(function_call) ? calls : [...calls, readCall(function_call, `${field}.function_call`, origin)];
  if (all.length === 0 || role === "assistant") return all;
  throw new DataError({
    ...origin,
    field: `${field}.${calls.length > 0 ? "tool_calls" : "function_call"}`,
    problem: `a ${role} message makes a tool call`,
    remedy: "put it into an assistant message",
  });
}
