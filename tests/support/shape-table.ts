/** Tables of rows: what each is read as, or the sentence and kind of its refusal. */
import { expect, it } from "vitest";
import { DataError, type ProblemKind } from "../../src/data/errors";
import type { ColumnMapping } from "../../src/data/options";
import { conversationFromRow } from "../../src/data/shapes/index";

export const origin = { file: "rows.jsonl", line: 7 };
export const place = "rows.jsonl line 7";
export const user = { role: "user", content: "Hi" };
export const assistant = { role: "assistant", content: "Hello" };
export const system = { role: "system", content: "Be short." };

const schema = { name: "add", parameters: { type: "object", properties: { a: { type: "number" } } } };
/** A tool as OpenAI writes it, the function in it, and an assistant's call of it. */
export const adding = {
  tool: { type: "function", function: schema },
  schema,
  call: { type: "function", function: { name: "add", arguments: { a: 1 } } },
};

export const chat = (messages: readonly unknown[], rest: object = {}) => ({
  kind: "messages",
  messages,
  trainFrom: 0,
  ...rest,
});

type Good = readonly (readonly [name: string, row: unknown, expected: object])[];
type Bad = readonly (readonly [name: string, row: unknown, kind: ProblemKind, sentence: string])[];

export function table(good: Good, bad: Bad): void {
  it.each(good)("reads %s", (_, row, expected) => {
    expect(conversationFromRow(row, origin, null)).toEqual({ ...expected, origin });
  });
  it.each(bad)("refuses %s", (_, row, kind, sentence) => {
    const error = refusalOf(row, null);
    expect(error.message).toContain(sentence);
    expect(error.kind).toBe(kind);
  });
}

export function refusalOf(row: unknown, mapping: ColumnMapping | null): DataError {
  try {
    conversationFromRow(row, origin, mapping);
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  return expect.fail(`was read: ${JSON.stringify(row)}`);
}
