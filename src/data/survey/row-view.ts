/** One row in all its views, for people: cells, turns, and the tokens that the model will see. */

import { trainedTurns } from "../tokenize";
import type { Role } from "../tokenizer";
import type { Conversation } from "../types";
import { cellText, cut } from "./cell-text";
import type { Reading, ReadRow } from "./read-row";

const textLength = 4000;
const mostCells = 200;
/** Tokens of a view: those of one long row. A row split into many parts shows the first ones. */
const mostTokens = 4096;

export interface Turn {
  readonly role: Role | "text" | "prompt" | "completion";
  readonly content: string;
  readonly trained: boolean;
}

export interface RowView {
  /** Number in the dataset, from 0. */
  readonly row: number;
  readonly file: string;
  readonly line: number;
  /** Column → text of the cell; one entry named "" where the row is no object. */
  readonly cells: Readonly<Record<string, string>>;
  /** The row as turns; null where it could not be read. */
  readonly turns: readonly Turn[] | null;
  /** As trained; of a split row the parts one after another. Empty where the row has a problem. */
  readonly tokens: readonly { readonly id: number; readonly text: string; readonly counted: boolean }[];
  /** Tokens before the policy for long rows. */
  readonly length: number;
  readonly problem: string | null;
}

export function rowView(read: ReadRow, { tokenizer, lossOn, maxLength }: Reading): RowView {
  const { raw, conversation, examples, length, problem } = read;
  const most = Math.max(maxLength, mostTokens);
  const tokens: { readonly id: number; readonly text: string; readonly counted: boolean }[] = [];
  for (const { ids, counted } of examples) {
    for (let index = 0; index < ids.length && tokens.length < most; index++) {
      const id = ids[index] ?? 0;
      tokens.push({ id, text: tokenizer.decode([id]), counted: counted[index] === 1 });
    }
  }
  return {
    row: raw.row,
    file: raw.origin.file,
    line: raw.origin.line,
    cells: "error" in raw ? { "": cut(raw.text ?? "", textLength) } : cellsOf(raw.value),
    turns: conversation && turnsOf(conversation, trainedTurns(conversation, lossOn), (ids) => tokenizer.decode(ids)),
    tokens,
    length,
    problem: problem?.message ?? null,
  };
}

function cellsOf(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { "": cellText(value, textLength) };
  const entries = Object.entries(value).slice(0, mostCells);
  return Object.fromEntries(entries.map(([column, cell]) => [column, cellText(cell, textLength)]));
}

function turnsOf(
  conversation: Conversation,
  trained: readonly boolean[],
  decode: (ids: ArrayLike<number>) => string,
): Turn[] {
  const turn = (role: Turn["role"], content: string, index: number): Turn => ({
    role,
    content: cut(content, textLength),
    trained: trained[index] ?? false,
  });
  switch (conversation.kind) {
    case "messages":
      return conversation.messages.map(({ role, content, tool_calls: calls }, index) => {
        const called = calls && calls.length > 0 ? cellText(calls, textLength) : "";
        return turn(role, content === "" ? called : content + (called && `\n${called}`), index);
      });
    case "completion":
      return [turn("prompt", conversation.prompt, 0), turn("completion", conversation.completion, 1)];
    case "text":
      return [turn("text", conversation.text, 0)];
    case "tokens":
      return [turn("text", decode(conversation.ids.slice(0, mostTokens)), 0)];
  }
}
