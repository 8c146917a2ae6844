/** Which shape a dataset has, the guess where it has none, and rows read through a mapping. */
import { describe, expect, it } from "vitest";
import type { ColumnMapping } from "../../src/data/options";
import { conversationFromRow, detectShape } from "../../src/data/shapes/index";
import { assistant, chat, origin, place, refusalOf, user } from "../support/shape-table";

const turns = [
  { from: "human", value: "Hi" },
  { from: "gpt", value: "Hello" },
];

describe("detectShape", () => {
  const direct: readonly (readonly [shape: string, rows: readonly unknown[]])[] = [
    ["messages", [{ messages: [user, assistant] }]],
    ["messages", [[user, assistant]]],
    ["conversations", [{ id: 1, conversations: turns }]],
    ["instruction", [{ instruction: "a", input: "", output: "b", text: "ab" }]],
    ["self-instruct", [{ instruction: "a", instances: [{ input: "", output: "b" }] }]],
    ["prompt-completion", [{ prompt: "a", completion: "b" }]],
    ["chosen", [{ prompt: "a", chosen: "b", rejected: "c" }]],
    ["text-label", [{ text: "a", label: 1 }]],
    ["text", [{ text: "a", sentiment: 1 }]],
    ["tokens", [{ input_ids: [1, 2], labels: [1, 2] }]],
    ["text", [{ text: "a" }, { prompt: "a", completion: "b" }, { text: "b" }, 5]],
    ["prompt-completion", [{ text: "a" }, { prompt: "a", completion: "b" }]],
    ["text", [{ messages: null, text: "a" }]],
  ];
  it.each(direct)("finds %s", (shape, rows) => {
    expect(detectShape(rows)).toMatchObject({ shape: { id: shape }, suggestion: null });
  });

  it("lets no row that lacks its answer become a text", () => {
    const text = "Below is an instruction. ### Response:";
    const lacking: readonly (readonly [row: object, sentence: string])[] = [
      [{ instruction: "i", input: "", output: null, text }, "output: it is null"],
      [{ instruction: null, output: "o", text }, "instruction: it is null"],
      [{ prompt: "p", completion: null, text }, "completion: it is null"],
      [{ prompt: null, completion: null, instruction: "i", output: null }, "output: it is null"],
    ];
    for (const [row, sentence] of lacking) {
      const error = refusalOf(row, null);
      expect(error.message).toContain(`${place}, ${sentence}`);
      expect(error.kind).toBe("empty");
    }
    const read: readonly (readonly [row: object, kind: string])[] = [
      [{ instruction: null, input: null, output: null, text }, "text"],
      [{ messages: null, prompt: null, completion: null, text }, "text"],
      // The columns that are filled belong to the other shape as well.
      [{ instruction: "i", output: null, instances: [{ input: "", output: "o" }] }, "messages"],
      [{ prompt: "p", completion: null, chosen: "c" }, "completion"],
    ];
    for (const [row, kind] of read) expect(conversationFromRow(row, origin, null).kind).toBe(kind);
  });

  it("names the columns in the order in which they appear", () => {
    expect(detectShape([{ b: 1, a: 1 }, [user], { a: 1, c: 1 }, 5]).columns).toEqual(["b", "a", "c"]);
    expect(detectShape([]).columns).toEqual([]);
  });

  const guessed: readonly (readonly [name: string, rows: readonly object[], suggestion: object | null])[] = [
    ["question/answer", [{ question: "a", answer: "b" }], { instruction: "question", output: "answer" }],
    ["Question/Answer", [{ Question: "a", Answer: "b" }], { instruction: "Question", output: "Answer" }],
    ["query/response", [{ query: "a", response: "b" }], { instruction: "query", output: "response" }],
    ["input/target", [{ input: "a", target: "b" }], { instruction: "input", output: "target" }],
    ["input/output", [{ output: "a", input: "b", source: "c" }], { instruction: "input", output: "output" }],
    ["article/summary", [{ article: "a", summary: "b" }], { instruction: "article", output: "summary" }],
    ["source/target", [{ source: "a", target: "b" }], { instruction: "source", output: "target" }],
    [
      "instruction/context/response",
      [{ instruction: "a", context: "b", response: "c", category: "d" }],
      { instruction: "instruction", input: "context", output: "response" },
    ],
    [
      "prompt/System Prompt/response",
      [{ prompt: "a", "System Prompt": "b", response: "c", score: 0.5 }],
      { instruction: "prompt", system: "System Prompt", output: "response" },
    ],
    ["sentence/label", [{ sentence: "a", label: 1 }], { text: "sentence", label: "label" }],
    ["review/sentiment", [{ review: "a", sentiment: "good" }], { text: "review", label: "sentiment" }],
    ["dialogue", [{ dialogue: turns }], { messages: "dialogue" }],
    ["conversation", [{ conversation: JSON.stringify(turns) }], { conversations: "conversation" }],
    ["content", [{ title: 3, content: "a" }], { text: "content" }],
    ["tokens", [{ tokens: [1, 2] }], { input_ids: "tokens" }],
    ["two columns of text", [{ "column 1": "a", "column 2": "b" }], { instruction: "column 1", output: "column 2" }],
    ["two columns beside an id", [{ id: "x", en: "a", de: "b", n: 1 }], { instruction: "en", output: "de" }],
    [
      "a column that repeats itself",
      ["ham", "ham", "spam", "ham"].map((kind, row) => ({ "column 1": kind, "column 2": `text ${row}` })),
      { text: "column 2", label: "column 1" },
    ],
    ["one column of text", [{ "column 1": "a" }], { text: "column 1" }],
    ["one column of text among others", [{ category: "a", turns: ["b"] }], null],
    ["three columns of text", [{ a: "a", b: "b", c: "c" }], null],
    ["usual names with other values", [{ question: ["a"], answer: { text: "b" } }], null],
    ["no columns", [{}], null],
    ["names from Object.prototype", [{ constructor: "a", valueOf: 1 }], null],
  ];
  it.each(guessed)("guesses %s", (_, rows, columns) => {
    const { shape, suggestion } = detectShape(rows);
    expect(shape).toBeNull();
    expect(suggestion?.columns ?? null).toEqual(columns);
    for (const row of suggestion === null ? [] : rows) conversationFromRow(row, origin, suggestion);
  });
});

describe("a mapping", () => {
  const mapping: ColumnMapping = {
    shape: "instruction",
    columns: { instruction: "q", output: "a b", input: "context" },
  };

  it("renames columns and leaves out the others", () => {
    const row = { q: "Hi", "a b": "Hello", output: "no", system: "no", kto_tag: false };
    expect(conversationFromRow(row, origin, mapping)).toEqual({ ...chat([user, assistant]), origin });
  });

  it("takes precedence over the shape that the row has", () => {
    const row = { text: "Hi", prompt: "Hello" };
    const columns = { instruction: "text", output: "prompt" };
    const read = conversationFromRow(row, origin, { shape: "instruction", columns });
    expect(read).toEqual({ ...chat([user, assistant]), origin });
  });

  it("learns the chosen answers of pairs", () => {
    const row = { prompt: "a", chosen: "b", rejected: "c" };
    const columns = { prompt: "prompt", chosen: "chosen" };
    expect(conversationFromRow(row, origin, { shape: "chosen", columns })).toMatchObject({ completion: "b" });
  });

  const bad: readonly (readonly [name: string, row: unknown, mapping: ColumnMapping, sentence: string])[] = [
    [
      "a row without the column",
      { q: "Hi" },
      mapping,
      `${place}: the row has no column "a b", which was chosen for "output"; choose another column or leave the row out.`,
    ],
    [
      "a column of Object.prototype",
      {},
      { shape: "text", columns: { text: "constructor" } },
      'no column "constructor"',
    ],
    ["an empty cell", { q: "Hi", "a b": "" }, mapping, `${place}, a b: it is empty; fill it in or leave the row out.`],
    [
      "a wrong message",
      { list: [user, {}] },
      { shape: "messages", columns: { messages: "list" } },
      `${place}, list[1].role: it is missing;`,
    ],
    [
      "a field without column",
      { q: "Hi" },
      { shape: "instruction", columns: { instruction: "q" } },
      `${place}: no column was chosen for "output" of the shape "Instruction and answer (Alpaca)"; choose one.`,
    ],
    [
      "an unknown shape",
      {},
      { shape: "toString", columns: {} },
      `${place}: there is no shape "toString"; choose one of messages, conversations, prompt-completion, instruction, `,
    ],
    [
      "a row that is no object",
      "Hi",
      mapping,
      `${place}: the row is "Hi", not an object; give an object with the colu`,
    ],
  ];
  it.each(bad)("refuses %s", (_, row, chosen, sentence) => {
    expect(refusalOf(row, chosen).message).toContain(sentence);
  });
});
