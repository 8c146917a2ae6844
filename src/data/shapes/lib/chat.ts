/** A list of messages with what stands in columns beside it → Conversation. */
import { DataError, excerpt } from "../../errors";
import type { Message } from "../../tokenizer";
import type { Conversation, RowOrigin } from "../../types";
import type { Row } from "../types";
import { fromCell, isRow, needText, optionalText, readText, refuseUnwanted } from "./fields";
import { readMessage } from "./message";
import { readTools } from "./tools";

/** The row's `field` holds the messages; `system`, `tools` and `functions` may stand beside it. */
export function chatRow(row: Row, field: string, origin: RowOrigin): Conversation {
  refuseUnwanted(row, "kto_tag", origin);
  const messages = readMessages(row[field], field, origin);
  needTrainedTurn(messages, field, origin);
  return chat(row, messages, 0, origin);
}

export function chat(row: Row, messages: readonly Message[], trainFrom: number, origin: RowOrigin): Conversation {
  const all = withSystem(row, messages, origin);
  const tools = readTools(row["tools"], "tools", origin) ?? readTools(row["functions"], "functions", origin);
  const context = trainFrom === 0 ? 0 : trainFrom + all.length - messages.length;
  return { kind: "messages", origin, messages: all, trainFrom: context, ...(tools === undefined ? {} : { tools }) };
}

/** A list or its JSON text. */
export function readMessages(value: unknown, field: string, origin: RowOrigin): Message[] {
  const list = fromCell(value, field, origin);
  if (!Array.isArray(list) || list.length === 0) {
    throw new DataError({
      ...origin,
      kind: Array.isArray(list) ? "empty" : "field",
      field,
      problem: `it is ${excerpt(list)}`,
      remedy: 'make it a list of messages such as {"role": "user", "content": "…"}',
    });
  }
  return list.map((message: unknown, index) => readMessage(message, `${field}[${index}]`, origin));
}

/** A list of messages, also as the JSON text that a table's cell holds. */
export function looksLikeMessages(value: unknown): boolean {
  if (typeof value !== "string") return Array.isArray(value);
  if (!/^\s*\[\s*\{/.test(value)) return false;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) && list.every((message) => isRow(message) && ("role" in message || "from" in message));
  } catch {
    return false;
  }
}

export function needTrainedTurn(messages: readonly Message[], field: string, origin: RowOrigin): void {
  const assistant = messages.filter(({ role }) => role === "assistant");
  if (assistant.some(({ weight }) => weight !== 0)) return;
  throw new DataError({
    ...origin,
    kind: "no-answer",
    field,
    problem: assistant.length === 0 ? "there is no assistant message to learn" : "every assistant message has weight 0",
    remedy: 'give at least one message with "role": "assistant" that is to be learned, or leave the row out',
  });
}

/** Earlier questions and answers, as Alpaca-like rows keep them: [[question, answer], …] or its JSON text. */
export function readHistory(value: unknown, field: string, origin: RowOrigin): Message[] {
  const list = fromCell(value, field, origin);
  if (!Array.isArray(list)) throw wrongHistory(list, field, origin);
  return list.flatMap((turn: unknown, index): Message[] => {
    const place = `${field}[${index}]`;
    if (!Array.isArray(turn) || turn.length !== 2) throw wrongHistory(turn, place, origin);
    return [
      { role: "user", content: readText(turn[0], `${place}[0]`, origin) },
      { role: "assistant", content: needText(turn[1], `${place}[1]`, origin) },
    ];
  });
}

function wrongHistory(value: unknown, field: string, origin: RowOrigin): DataError {
  const remedy = 'make it a list of pairs such as [["question", "answer"]]';
  return new DataError({ ...origin, field, problem: `it is ${excerpt(value)}`, remedy });
}

function withSystem(row: Row, messages: readonly Message[], origin: RowOrigin): readonly Message[] {
  const system = optionalText(row["system"], "system", origin);
  const [first] = messages;
  if (system.trim() === "" || (first?.role === "system" && first.content === system)) return messages;
  if (first?.role !== "system" && first?.role !== "developer")
    return [{ role: "system", content: system }, ...messages];
  throw new DataError({
    ...origin,
    field: "system",
    problem: `it says something else than the first message, whose role is ${first.role}`,
    remedy: "leave one of them out",
  });
}
