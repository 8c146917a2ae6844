/** Row object → Conversation: the four row shapes that TRL, OpenAI and Alpaca files use. */
import { DataError, excerpt, shorten } from "./errors";
import type { Message, Role } from "./tokenizer";
import type { Conversation, RowOrigin } from "./types";

type Row = Readonly<Record<string, unknown>>;

interface Shape {
  /** The columns that make a row this shape. */
  readonly columns: readonly string[];
  convert(row: Row, origin: RowOrigin): Conversation;
}

/** In order of precedence: a row with the columns of two shapes is read as the first. */
const shapes: readonly Shape[] = [
  { columns: ["messages"], convert: fromMessages },
  { columns: ["prompt", "completion"], convert: fromPromptCompletion },
  { columns: ["instruction", "output"], convert: fromInstruction },
  { columns: ["text"], convert: fromText },
];
const knownShapes = '"messages"; "prompt" and "completion"; "instruction" and "output"; or "text"';
const roles: readonly string[] = ["system", "user", "assistant", "tool", "developer"] satisfies Role[];

/** One parsed row in canonical form. Throws `DataError` naming the line and the field. */
export function conversationFromRow(row: unknown, origin: RowOrigin): Conversation {
  if (!isRow(row)) {
    throw new DataError({
      ...origin,
      problem: `the row is ${excerpt(row)}, not an object`,
      remedy: `give an object with the columns ${knownShapes}`,
    });
  }
  // A null column counts only where no other shape fits: tables exported to JSON Lines have every column on every row.
  const shape =
    shapes.find(({ columns }) => columns.every((column) => present(row[column]))) ??
    shapes.find(({ columns }) => columns.every((column) => Object.hasOwn(row, column)));
  if (shape === undefined) {
    const keys = Object.keys(row);
    const found = keys.length === 0 ? "no columns" : `the columns ${shorten(keys.map((key) => `"${key}"`).join(", "))}`;
    throw new DataError({
      ...origin,
      problem: `the row has ${found}, which is no known shape`,
      remedy: `name them ${knownShapes}`,
    });
  }
  return shape.convert(row, origin);
}

function fromMessages(row: Row, origin: RowOrigin): Conversation {
  const messages = readMessages(row["messages"], "messages", origin);
  needTrainedTurn(messages, "messages", origin);
  return { kind: "messages", origin, messages, trainFrom: 0 };
}

function fromPromptCompletion(row: Row, origin: RowOrigin): Conversation {
  const { prompt, completion } = row;
  if (typeof prompt === "string" && typeof completion === "string") {
    return {
      kind: "completion",
      origin,
      prompt: readText(prompt, "prompt", origin),
      completion: needText(completion, "completion", origin),
    };
  }
  if (Array.isArray(prompt) && Array.isArray(completion)) {
    const context = readMessages(prompt, "prompt", origin);
    const answer = readMessages(completion, "completion", origin);
    needTrainedTurn(answer, "completion", origin);
    return { kind: "messages", origin, messages: [...context, ...answer], trainFrom: context.length };
  }
  const field = typeof prompt === "string" || Array.isArray(prompt) ? "completion" : "prompt";
  throw new DataError({
    ...origin,
    field,
    problem: `it is ${excerpt(row[field])}`,
    remedy: "make prompt and completion both strings or both lists of messages",
  });
}

/** The user turn is the instruction and, after a blank line, the input. */
function fromInstruction(row: Row, origin: RowOrigin): Conversation {
  const instruction = readText(row["instruction"], "instruction", origin);
  const input = optionalText(row["input"], "input", origin);
  const system = optionalText(row["system"], "system", origin);
  const content = [instruction, input].filter((part) => part !== "").join("\n\n");
  needText(content, "instruction", origin);
  const messages: Message[] = [
    { role: "user", content },
    { role: "assistant", content: needText(row["output"], "output", origin) },
  ];
  if (system !== "") messages.unshift({ role: "system", content: system });
  return { kind: "messages", origin, messages, trainFrom: 0 };
}

function fromText(row: Row, origin: RowOrigin): Conversation {
  return { kind: "text", origin, text: needText(row["text"], "text", origin) };
}

function readMessages(value: unknown, field: string, origin: RowOrigin): Message[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new DataError({
      ...origin,
      field,
      problem: `it is ${excerpt(value)}`,
      remedy: 'make it a list of messages such as {"role": "user", "content": "…"}',
    });
  }
  return value.map((message: unknown, index) => readMessage(message, `${field}[${index}]`, origin));
}

function readMessage(message: unknown, field: string, origin: RowOrigin): Message {
  if (!isRow(message)) {
    throw new DataError({
      ...origin,
      field,
      problem: `it is ${excerpt(message)}`,
      remedy: 'make it an object such as {"role": "user", "content": "…"}',
    });
  }
  const { role, content, weight } = message;
  if (!isRole(role)) {
    throw new DataError({
      ...origin,
      field: `${field}.role`,
      problem: `${role === undefined ? "it is missing" : `${excerpt(role)} is unknown`}`,
      remedy: `use one of ${roles.join(", ")}`,
    });
  }
  if (present(message["tool_calls"]) && !present(content)) {
    throw new DataError({
      ...origin,
      field: `${field}.tool_calls`,
      problem: "tool calls are not supported",
      remedy: "write the call as text in content or leave the row out",
    });
  }
  const text =
    role === "assistant"
      ? needText(content, `${field}.content`, origin)
      : readText(content, `${field}.content`, origin);
  if (weight === undefined || weight === null) return { role, content: text };
  if ((weight !== 0 && weight !== 1) || (weight === 1 && role !== "assistant")) {
    throw new DataError({
      ...origin,
      field: `${field}.weight`,
      problem: `it is ${excerpt(weight)}${weight === 1 ? ` on a ${role} message` : ""}`,
      remedy: "use 0 or 1, and 1 on assistant messages only",
    });
  }
  return role === "assistant" ? { role, content: text, weight } : { role, content: text };
}

function needTrainedTurn(messages: readonly Message[], field: string, origin: RowOrigin): void {
  const assistant = messages.filter(({ role }) => role === "assistant");
  if (assistant.some(({ weight }) => weight !== 0)) return;
  throw new DataError({
    ...origin,
    field,
    problem: assistant.length === 0 ? "there is no assistant message to learn" : "every assistant message has weight 0",
    remedy: 'give at least one message with "role": "assistant" that is to be learned, or leave the row out',
  });
}

function optionalText(value: unknown, field: string, origin: RowOrigin): string {
  return present(value) ? readText(value, field, origin) : "";
}

function needText(value: unknown, field: string, origin: RowOrigin): string {
  const text = readText(value, field, origin);
  if (text.trim() !== "") return text;
  throw new DataError({ ...origin, field, problem: "it is empty", remedy: "fill it in or leave the row out" });
}

function readText(value: unknown, field: string, origin: RowOrigin): string {
  if (typeof value !== "string") {
    throw new DataError({
      ...origin,
      field,
      problem: `it is ${excerpt(value)}, not a string`,
      remedy: "write it as text between quotes",
    });
  }
  // JSON can spell half a surrogate pair; no tokenizer has bytes for it.
  if (/\p{Surrogate}/u.test(value)) {
    const problem = "it holds half of a surrogate pair, which is no character";
    throw new DataError({ ...origin, field, problem, remedy: "correct the \\u escape" });
  }
  return value;
}

function present(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isRole(value: unknown): value is Role {
  return typeof value === "string" && roles.includes(value);
}
