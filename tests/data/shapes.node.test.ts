/** Row shapes other than chats and tokens: what each is read as, and the sentence and kind for each bad row. */
import { describe, expect, it } from "vitest";
import { excerpt } from "../../src/data/errors";
import { rowShapes } from "../../src/data/shapes/index";
import { adding, assistant, chat, place, system, table, user } from "../support/shape-table";

describe("rowShapes", () => {
  it("are one per file, by rank, with their own names", () => {
    const files = Object.keys(import.meta.glob("../../src/data/shapes/*.ts")).map((path) =>
      path.slice(path.lastIndexOf("/") + 1, -3),
    );
    expect(rowShapes.map(({ id }) => id).sort()).toEqual(
      files.filter((file) => file !== "index" && file !== "types").sort(),
    );
    const ranks = rowShapes.map(({ rank }) => rank);
    expect(ranks).toEqual([...new Set(ranks)].sort((a, b) => a - b));
    for (const { fields } of rowShapes) {
      expect(fields.some(({ required }) => required)).toBe(true);
      for (const { aliases } of fields) expect(aliases).toEqual(aliases.map((alias) => alias.toLowerCase()));
    }
  });
});

describe("any row", () => {
  table(
    [
      ["text beside null columns", { messages: null, text: "Once" }, { kind: "text", text: "Once" }],
      ["messages before text", { text: "x", messages: [user, assistant] }, chat([user, assistant])],
      ["text before token ids", { text: "x", input_ids: [1, 2] }, { kind: "text", text: "x" }],
      ["a list of messages by itself", [user, assistant], chat([user, assistant])],
    ],
    [
      [
        "a list",
        [1, 2],
        "shape",
        `${place}: the row is a list of 2, not an object; give an object with the columns "me`,
      ],
      ["a number", 5, "shape", `${place}: the row is 5, not an object;`],
      ["a text", "Once", "shape", `${place}: the row is "Once", not an object;`],
      [
        "unknown columns",
        { question: "a", answer: "b" },
        "shape",
        `${place}: the row has the columns "question", "answer", which is no known shape; choose which column is what, or name them "messages"; "conversations"; "prompt" and "completion"; "instruction" and "output"; "instruction" and "instances"; "chosen"; "text" and "label"; "text"; or "input_ids".`,
      ],
      ["half a shape", { prompt: "a" }, "shape", 'the row has the columns "prompt", which is no known shape;'],
      ["no columns", {}, "shape", `${place}: the row has no columns, which is no known shape;`],
      [
        "half a character",
        { text: "\ud83d" },
        "encoding",
        `${place}, text: it holds half of a surrogate pair, which is`,
      ],
    ],
  );
});

describe("prompt and completion", () => {
  table(
    [
      ["texts", { prompt: "a", completion: "b" }, { kind: "completion", prompt: "a", completion: "b" }],
      ["an empty prompt", { prompt: "", completion: "b" }, { kind: "completion", prompt: "", completion: "b" }],
      [
        "messages",
        { prompt: [assistant, user], completion: [assistant], tools: [adding.tool] },
        chat([assistant, user, assistant], { trainFrom: 2, tools: [adding.tool] }),
      ],
      [
        "messages in a table's cells",
        { prompt: JSON.stringify([user]), completion: JSON.stringify([assistant]), system: "Be short." },
        chat([system, user, assistant], { trainFrom: 2 }),
      ],
      [
        "texts that are JSON",
        { prompt: '[{"a": 1}]', completion: "[{]" },
        { kind: "completion", prompt: '[{"a": 1}]', completion: "[{]" },
      ],
      [
        "a wanted answer",
        { prompt: "a", completion: "b", label: true },
        { kind: "completion", prompt: "a", completion: "b" },
      ],
    ],
    [
      [
        "an empty completion",
        { prompt: "a", completion: "" },
        "empty",
        `${place}, completion: it is empty; fill it in`,
      ],
      [
        "no completion",
        { prompt: "a", completion: null },
        "empty",
        `${place}, completion: it is null; make prompt and co`,
      ],
      [
        "a text prompt with listed answers",
        { prompt: "a", completion: [assistant] },
        "field",
        "completion: it is a list of 1; make prompt and completion both strings or both lists of messages.",
      ],
      [
        "a number",
        { prompt: 1, completion: "a" },
        "field",
        `${place}, prompt: it is 1; make prompt and completion both`,
      ],
      [
        "an answer without assistant",
        { prompt: [user], completion: [user] },
        "no-answer",
        "completion: there is no assistant message to learn;",
      ],
      ["a bad message", { prompt: [{}], completion: [assistant] }, "field", "prompt[0].role: it is missing;"],
      [
        "an answer that is not wanted",
        { prompt: "a", completion: "b", label: "False" },
        "no-answer",
        `${place}, label: it is false, which marks an answer that is not wanted (KTO); leave such rows out to learn from the wanted answers.`,
      ],
      [
        "a system prompt without a chat",
        { prompt: "a", completion: "b", system: "c" },
        "field",
        `${place}, system: a prompt of plain text has no place for a system prompt; name the columns "system", "instruction" and "output", or write it into the prompt.`,
      ],
    ],
  );
});

describe("instruction", () => {
  const sum = { role: "user", content: "Add.\n\n1 + 1", input: "1 + 1" };
  const two = { role: "assistant", content: "2" };
  const history = [
    ["Hi", "Hello"],
    ["", "Well?"],
  ];
  table(
    [
      [
        "input and system",
        { instruction: "Add.", input: "1 + 1", system: "Be short.", output: "2" },
        chat([system, sum, two]),
      ],
      [
        "null columns",
        { instruction: "Add.", input: null, output: "2", history: null },
        chat([{ role: "user", content: "Add." }, two]),
      ],
      [
        "empty cells",
        { instruction: "Add.", input: "", output: "2", system: "", history: "" },
        chat([{ role: "user", content: "Add." }, two]),
      ],
      [
        "an input alone",
        { instruction: "", input: "1 + 1", output: "2" },
        chat([{ role: "user", content: "1 + 1" }, two]),
      ],
      ...[history, JSON.stringify(history)].map(
        (value) =>
          [
            `history as ${typeof value}`,
            { system: "Be short.", instruction: "Add.", input: "1 + 1", output: "2", history: value },
            chat([system, user, assistant, { ...user, content: "" }, { ...assistant, content: "Well?" }, sum, two]),
          ] as const,
      ),
      [
        "a wanted and an unwanted answer beside the output",
        { instruction: "Add.", input: "1 + 1", output: "2", chosen: "2", rejected: "3" },
        chat([sum, two]),
      ],
      [
        "an instance of Self-Instruct",
        { id: "a", instruction: "Add.", instances: [{ input: "1 + 1", output: "2" }] },
        chat([sum, two]),
      ],
    ],
    [
      ["no instruction", { instruction: "", output: "a" }, "empty", `${place}, instruction: it is empty;`],
      ["no output", { instruction: "a", output: "" }, "empty", `${place}, output: it is empty;`],
      ["a null output", { instruction: "a", output: null }, "empty", `${place}, output: it is null, not a string;`],
      ["a list", { instruction: "a", output: [] }, "field", `${place}, output: it is a list of 0, not a string;`],
      ["an object", { instruction: "a", input: {}, output: "a" }, "field", "input: it is an object, not a string;"],
      [
        "a history of texts",
        { instruction: "a", output: "a", history: ["a"] },
        "field",
        `${place}, history[0]: it is "a"; make it a list of pairs such as [["question", "answer"]].`,
      ],
      [
        "a history that is text",
        { instruction: "a", output: "a", history: "a" },
        "field",
        `history: it is "a"; make it`,
      ],
      [
        "an empty answer",
        { instruction: "a", output: "a", history: [["a", ""]] },
        "empty",
        "history[0][1]: it is empty;",
      ],
      [
        "an answer that is not wanted",
        { instruction: "a", output: "a", kto_tag: "false" },
        "no-answer",
        "kto_tag: it is false,",
      ],
      [
        "several instances",
        { instruction: "a", instances: [{}, {}] },
        "field",
        `${place}, instances: it is a list of 2, and a row gives one example; make it a list of one {"input", "output"}, with a row for each instance.`,
      ],
      [
        "no instance",
        { instruction: "a", instances: [] },
        "no-answer",
        "instances: it is a list of 0, and a row gives one",
      ],
      [
        "an instance without output",
        { instruction: "a", instances: [{}] },
        "empty",
        "instances[0].output: it is missing, not",
      ],
    ],
  );
});

describe("chosen", () => {
  const pair =
    'the row is a preference pair ("chosen" and "rejected"), and the training here learns from single answers';
  table(
    [
      ["prompt and answer", { prompt: "a", chosen: "b" }, { kind: "completion", prompt: "a", completion: "b" }],
      ["lists", { prompt: [user], chosen: [assistant], rejected: null }, chat([user, assistant], { trainFrom: 1 })],
      ["a whole conversation", { chosen: [user, assistant] }, chat([user, assistant])],
      ["a whole conversation beside its prompt", { prompt: "Hi", chosen: [user, assistant] }, chat([user, assistant])],
      ["an answer beside its prompt", { prompt: "Hi", chosen: [system, assistant] }, chat([system, user, assistant])],
      ["a text", { chosen: "Human: a" }, { kind: "text", text: "Human: a" }],
      ["cells", { prompt: "Hi", chosen: JSON.stringify([assistant]), rejected: "" }, chat([user, assistant])],
    ],
    [
      [
        "a pair",
        { prompt: "a", chosen: "b", rejected: "c" },
        "shape",
        `${place}: ${pair}; leave out the column "rejected" to learn the chosen answers.`,
      ],
      ["a pair of lists", { chosen: [user, assistant], rejected: [user] }, "shape", pair],
      ["an empty answer", { prompt: "a", chosen: "" }, "empty", `${place}, chosen: it is empty;`],
      ["an answer of nobody's", { prompt: "a", chosen: [user] }, "no-answer", "chosen: there is no assistant message"],
    ],
  );
});

describe("text, with and without label", () => {
  const labelled = (label: string) =>
    chat([
      { role: "user", content: "Once" },
      { role: "assistant", content: label },
    ]);
  table(
    [
      ["text", { text: "Once", title: "x" }, { kind: "text", text: "Once" }],
      ["a part of a text", { text: "Once", continues: true }, { kind: "text", text: "Once", continues: true }],
      ["a name", { text: "Once", label: "tale" }, labelled("tale")],
      ["a number", { text: "Once", label: 0 }, labelled("0")],
      ["a number's text", { text: "Once", label: "0" }, labelled("0")],
      ["a truth value", { text: "Once", label: false }, labelled("false")],
    ],
    [
      ["an empty text", { text: "" }, "empty", `${place}, text: it is empty;`],
      ["null", { text: null }, "empty", `${place}, text: it is null, not a string; write it as text between quotes.`],
      ["an empty labelled text", { text: " ", label: 1 }, "empty", `${place}, text: it is empty;`],
      ...["", null].map(
        (label) =>
          [
            `the label ${label === null ? "null" : "of an empty cell"}`,
            { text: "Once", label },
            "no-answer",
            `${place}, label: the text has no label; fill it in or leave the row out, or leave the column out to learn the texts themselves.`,
          ] as const,
      ),
      [
        "a list of labels",
        { text: "Once", label: ["a"] },
        "field",
        `${place}, label: it is a list of 1, not a name or number; write it as text between quotes or as a number.`,
      ],
    ],
  );
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
