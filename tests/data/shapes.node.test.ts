/** Row shapes: what each is read as, and the sentence for each kind of bad row. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError, excerpt } from "../../src/data/errors";
import { conversationFromRow } from "../../src/data/shapes";

const origin = { file: "rows.jsonl", line: 7 };
const user = { role: "user", content: "Hi" };
const assistant = { role: "assistant", content: "Hello" };

describe("conversationFromRow", () => {
  const good: readonly (readonly [name: string, row: unknown, expected: object])[] = [
    ["messages", { messages: [user, assistant] }, { kind: "messages", messages: [user, assistant], trainFrom: 0 }],
    [
      "messages with weights and other fields",
      {
        messages: [{ ...user, weight: 0, name: "Eve" }, { ...assistant, weight: 0 }, user, { ...assistant, weight: 1 }],
        id: 3,
      },
      {
        kind: "messages",
        messages: [user, { ...assistant, weight: 0 }, user, { ...assistant, weight: 1 }],
        trainFrom: 0,
      },
    ],
    ["texts", { prompt: "a", completion: "b" }, { kind: "completion", prompt: "a", completion: "b" }],
    ["an empty prompt", { prompt: "", completion: "b" }, { kind: "completion", prompt: "", completion: "b" }],
    [
      "prompt and completion messages",
      { prompt: [assistant, user], completion: [assistant] },
      { kind: "messages", messages: [assistant, user, assistant], trainFrom: 2 },
    ],
    [
      "instruction, input and system",
      { instruction: "Add.", input: "1 + 1", system: "Be short.", output: "2" },
      {
        kind: "messages",
        messages: [
          { role: "system", content: "Be short." },
          { role: "user", content: "Add.\n\n1 + 1" },
          { role: "assistant", content: "2" },
        ],
        trainFrom: 0,
      },
    ],
    [
      "instruction with an input that is null",
      { instruction: "Add.", input: null, output: "2" },
      {
        kind: "messages",
        messages: [
          { role: "user", content: "Add." },
          { role: "assistant", content: "2" },
        ],
        trainFrom: 0,
      },
    ],
    ["text", { text: "Once", title: "x" }, { kind: "text", text: "Once" }],
    ["text beside null columns", { messages: null, text: "Once" }, { kind: "text", text: "Once" }],
    [
      "messages before text",
      { text: "x", messages: [user, assistant] },
      { kind: "messages", messages: [user, assistant], trainFrom: 0 },
    ],
  ];
  for (const [name, row, expected] of good) {
    it(`reads ${name}`, () => expect(conversationFromRow(row, origin)).toEqual({ ...expected, origin }));
  }

  const bad: readonly (readonly [name: string, row: unknown, sentence: string])[] = [
    ["a list", [1, 2], "rows.jsonl line 7: the row is a list of 2, not an object; give an object with the columns"],
    ["a number", 5, "rows.jsonl line 7: the row is 5, not an object;"],
    [
      "unknown columns",
      { question: "a", answer: "b" },
      'rows.jsonl line 7: the row has the columns "question", "answer", which is no known shape; name them "messages"; "prompt" and "completion"; "instruction" and "output"; or "text".',
    ],
    ["half a shape", { prompt: "a" }, 'the row has the columns "prompt", which is no known shape;'],
    ["no columns", {}, "rows.jsonl line 7: the row has no columns, which is no known shape;"],
    [
      "messages that are text",
      { messages: "hi" },
      'rows.jsonl line 7, messages: it is "hi"; make it a list of messages',
    ],
    ["no messages", { messages: [] }, "rows.jsonl line 7, messages: it is a list of 0; make it a list"],
    [
      "null where a shape needs a value",
      { text: null },
      "rows.jsonl line 7, text: it is null, not a string; write it as text",
    ],
    [
      "a message that is text",
      { messages: [user, "x"] },
      'rows.jsonl line 7, messages[1]: it is "x"; make it an object',
    ],
    [
      "an unknown role",
      { messages: [user, assistant, { role: "bot", content: "x" }] },
      'rows.jsonl line 7, messages[2].role: "bot" is unknown; use one of system, user, assistant, tool, developer.',
    ],
    ["no role", { messages: [{ content: "x" }] }, "rows.jsonl line 7, messages[0].role: it is missing; use one of"],
    [
      "a role from Object.prototype",
      { messages: [{ role: "constructor", content: "x" }] },
      '"constructor" is unknown;',
    ],
    [
      "content that is no text",
      { messages: [{ role: "user", content: 4 }, assistant] },
      "rows.jsonl line 7, messages[0].content: it is 4, not a string;",
    ],
    ["no content", { messages: [{ role: "user" }, assistant] }, "messages[0].content: it is missing, not a string;"],
    [
      "an empty answer",
      { messages: [user, { role: "assistant", content: " \n" }] },
      "rows.jsonl line 7, messages[1].content: it is empty; fill it in or leave the row out.",
    ],
    [
      "tool calls",
      { messages: [user, { role: "assistant", content: null, tool_calls: [{}] }] },
      "rows.jsonl line 7, messages[1].tool_calls: tool calls are not supported;",
    ],
    [
      "a weight of 0.5",
      { messages: [user, { ...assistant, weight: 0.5 }] },
      "messages[1].weight: it is 0.5; use 0 or 1",
    ],
    [
      "a weight on a user",
      { messages: [{ ...user, weight: 1 }, assistant] },
      "messages[0].weight: it is 1 on a user message; use",
    ],
    ["no answer", { messages: [user] }, "rows.jsonl line 7, messages: there is no assistant message to learn; give"],
    [
      "weights of 0",
      { messages: [user, { ...assistant, weight: 0 }] },
      "messages: every assistant message has weight 0; give",
    ],
    ["an empty completion", { prompt: "a", completion: "" }, "rows.jsonl line 7, completion: it is empty;"],
    [
      "a text prompt with listed answers",
      { prompt: "a", completion: [assistant] },
      "completion: it is a list of 1; make prompt and completion both",
    ],
    [
      "a prompt that is a number",
      { prompt: 1, completion: "a" },
      "rows.jsonl line 7, prompt: it is 1; make prompt and completion both",
    ],
    [
      "an answer without assistant",
      { prompt: [user], completion: [user] },
      "completion: there is no assistant message to learn;",
    ],
    ["a bad message in a prompt", { prompt: [{}], completion: [assistant] }, "prompt[0].role: it is missing;"],
    ["no instruction", { instruction: "", output: "a" }, "rows.jsonl line 7, instruction: it is empty;"],
    [
      "an output that is a list",
      { instruction: "a", output: [] },
      "rows.jsonl line 7, output: it is a list of 0, not a string;",
    ],
    [
      "an input that is an object",
      { instruction: "a", input: {}, output: "a" },
      "input: it is an object, not a string;",
    ],
    ["an empty text", { text: "" }, "rows.jsonl line 7, text: it is empty;"],
    [
      "half a character",
      { text: "\ud83d" },
      "rows.jsonl line 7, text: it holds half of a surrogate pair, which is no character;",
    ],
  ];
  for (const [name, row, sentence] of bad) {
    it(`refuses ${name}`, () => {
      expect(() => conversationFromRow(row, origin)).toThrow(DataError);
      expect(() => conversationFromRow(row, origin)).toThrow(sentence);
    });
  }

  it("answers any JSON value with a conversation or a DataError of one short line", () => {
    const word = fc.constantFrom(
      "messages",
      "prompt",
      "completion",
      "instruction",
      "output",
      "text",
      "role",
      "content",
      "weight",
      "user",
      "assistant",
    );
    const json = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: "small" },
        word,
        fc.constantFrom(null, 0, 1, true),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(word, tie("any"), { maxKeys: 4 }),
      ),
    })).any;
    fc.assert(
      fc.property(json, (row) => {
        try {
          expect(conversationFromRow(row, origin).origin).toBe(origin);
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          expect(error.message).toMatch(/^rows\.jsonl line 7[^\n]*\.$/);
          expect(error.message.length).toBeLessThan(400);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("excerpt", () => {
  it("stays within 60 characters on one line", () => {
    expect(excerpt("x".repeat(1000))).toHaveLength(60);
    expect(excerpt('"'.repeat(1000))).toHaveLength(60);
    expect(excerpt("a\n\u0000\tb")).toBe('"a b"');
  });

  it("sums up what is deeply nested", () => {
    expect(excerpt(JSON.parse("[".repeat(100_000) + "]".repeat(100_000)))).toBe("a list of 1");
  });
});
