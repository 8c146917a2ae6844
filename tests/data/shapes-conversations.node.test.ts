/** ShareGPT's chat rows. */
import { describe } from "vitest";
import { adding, assistant, chat, place, system, table, user } from "../support/shape-table";

describe("conversations", () => {
  const { tool, schema, call } = adding;
  const turns = [
    { from: "system", value: "Be short." },
    { from: "human", value: "Hi" },
    { from: "function_call", value: '{"name": "add", "arguments": {"a": 1}}' },
    { from: "observation", value: "2" },
    { from: "gpt", value: "Hello" },
  ];
  const called = { role: "assistant", content: "", tool_calls: [call] };
  const read = [system, user, called, { role: "tool", content: "2" }, assistant];
  const says = (from: string, value = "x") => ({ from, value });
  table(
    [
      ["ShareGPT's turns", { id: "1", conversations: turns }, chat(read)],
      [
        "every speaker",
        {
          conversations: ["user", "chatgpt", "tool", "function_response", "tool_response", "assistant"].map((from) =>
            says(from),
          ),
        },
        chat(["user", "assistant", "tool", "tool", "tool", "assistant"].map((role) => ({ role, content: "x" }))),
      ],
      ["role and content", { conversations: [user, assistant] }, chat([user, assistant])],
      [
        "weights",
        { conversations: [says("human"), { ...says("gpt"), weight: 0 }, says("gpt", "y")] },
        chat([
          { role: "user", content: "x" },
          { role: "assistant", content: "x", weight: 0 },
          { role: "assistant", content: "y" },
        ]),
      ],
      [
        "columns for system prompt and tools",
        { system: "Be short.", conversations: turns.slice(1), tools: JSON.stringify([schema]) },
        chat(read, { tools: [tool] }),
      ],
      ["a table's cell", { system: "", conversations: JSON.stringify(turns), tools: "[]" }, chat(read)],
      [
        "several calls at once",
        { conversations: [says("human"), says("tool_call", '[{"name":"a"},{"name":"b","arguments":"{}"}]')] },
        chat([
          { role: "user", content: "x" },
          {
            role: "assistant",
            content: "",
            tool_calls: ["a", "b"].map((name) => ({ type: "function", function: { name, arguments: {} } })),
          },
        ]),
      ],
    ],
    [
      [
        "an unknown speaker",
        { conversations: [says("alien")] },
        "field",
        `${place}, conversations[0].from: "alien" is unknown; use one of`,
      ],
      ["no speaker", { conversations: [{ value: "x" }] }, "field", `${place}, conversations[0].role: it is missing;`],
      [
        "an empty answer",
        { conversations: [says("human"), says("gpt", "")] },
        "empty",
        `${place}, conversations[1].value: it is empty; fill it in`,
      ],
      [
        "a call that is no JSON",
        { conversations: [says("human"), says("function_call", "add(1)")] },
        "field",
        `conversations[1].value: it is "add(1)", not a function's call;`,
      ],
      [
        "a call cut short",
        { conversations: [says("human"), says("function_call", '{"name": "a"')] },
        "field",
        'conversations[1].value: "{"name": "a"" is not valid JSON;',
      ],
      [
        "questions only",
        { conversations: [says("human")] },
        "no-answer",
        "conversations: there is no assistant message",
      ],
    ],
  );
});
