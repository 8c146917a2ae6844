/** OpenAI's chat rows. */
import { describe } from "vitest";
import { adding, assistant, chat, place, system, table, user } from "../support/shape-table";

describe("messages", () => {
  const { tool, schema, call } = adding;
  const weights = [{ ...user, weight: 0 }, { ...assistant, weight: 0 }, user, { ...assistant, weight: 1 }];
  const called = { role: "assistant", content: "", tool_calls: [call] };
  table(
    [
      ["messages", { messages: [user, assistant], id: 3 }, chat([user, assistant])],
      ["weights", { messages: weights }, chat([user, { ...assistant, weight: 0 }, user, { ...assistant, weight: 1 }])],
      [
        "train flags",
        { messages: [{ ...user, train: false }, { ...assistant, train: false }, user, { ...assistant, train: true }] },
        chat([user, { ...assistant, weight: 0 }, user, { ...assistant, weight: 1 }]),
      ],
      [
        "null fields, as Parquet has them",
        {
          messages: [user, assistant].map((message) => ({
            ...message,
            name: null,
            weight: null,
            train: null,
            tool_calls: null,
            tool_call_id: null,
            function_call: null,
          })),
          tools: null,
          system: null,
        },
        chat([user, assistant]),
      ],
      [
        "JSON text in a table's cell",
        { messages: JSON.stringify([user, assistant]), tools: "" },
        chat([user, assistant]),
      ],
      [
        "a developer",
        { messages: [{ ...system, role: "developer" }, assistant] },
        chat([{ ...system, role: "developer" }, assistant]),
      ],
      [
        "names and reasoning",
        {
          messages: [
            { ...user, name: "Eve" },
            { ...assistant, reasoning_content: "Hm" },
          ],
        },
        chat([
          { ...user, name: "Eve" },
          { ...assistant, reasoning_content: "Hm" },
        ]),
      ],
      [
        "parts of text",
        {
          messages: [
            {
              role: "user",
              content: [
                { type: "text", text: "H" },
                { type: "text", text: "i" },
              ],
            },
            assistant,
          ],
        },
        chat([user, assistant]),
      ],
      ["a system column", { messages: [user, assistant], system: "Be short." }, chat([system, user, assistant])],
      [
        "the same system prompt twice",
        { messages: [system, assistant], system: "Be short." },
        chat([system, assistant]),
      ],
      ["an empty system column", { messages: [user, assistant], system: "" }, chat([user, assistant])],
      [
        "tool calls",
        {
          messages: [
            user,
            {
              role: "assistant",
              content: null,
              tool_calls: [{ id: "c1", type: "function", function: { name: "add", arguments: '{"a":1}' } }],
            },
            { role: "tool", tool_call_id: "c1", content: "2" },
            assistant,
          ],
          tools: [tool],
          parallel_tool_calls: false,
        },
        chat(
          [
            user,
            { ...called, tool_calls: [{ id: "c1", ...call }] },
            { role: "tool", tool_call_id: "c1", content: "2" },
            assistant,
          ],
          { tools: [tool] },
        ),
      ],
      [
        "bare functions and calls",
        {
          messages: [user, { role: "assistant", tool_calls: [{ name: "add", arguments: { a: 1 } }] }],
          tools: [schema],
        },
        chat([user, called], { tools: [tool] }),
      ],
      [
        "tools as JSON text",
        { messages: [user, assistant], tools: JSON.stringify([schema]) },
        chat([user, assistant], { tools: [tool] }),
      ],
      ["no tools", { messages: [user, assistant], tools: "[]" }, chat([user, assistant])],
      [
        "OpenAI's functions of old",
        {
          messages: [
            user,
            { role: "assistant", content: null, function_call: { name: "add", arguments: '{"a":1}' } },
            { role: "function", name: "add", content: "2" },
          ],
          functions: [schema],
        },
        chat([user, called, { role: "tool", name: "add", content: "2" }], { tools: [tool] }),
      ],
      [
        "arguments that are plain text",
        { messages: [user, { role: "assistant", tool_calls: [{ name: "sh", arguments: "{ls" }] }] },
        chat([user, { ...called, tool_calls: [{ type: "function", function: { name: "sh", arguments: "{ls" } }] }]),
      ],
      [
        "a call without arguments",
        { messages: [user, { role: "assistant", tool_calls: [{ name: "now" }] }] },
        chat([user, { ...called, tool_calls: [{ type: "function", function: { name: "now", arguments: {} } }] }]),
      ],
    ],
    [
      ["text", { messages: "hi" }, "field", `${place}, messages: it is "hi"; make it a list of messages such as`],
      ["an empty list", { messages: [] }, "empty", `${place}, messages: it is a list of 0; make it a list`],
      ["an object", { messages: {} }, "field", `${place}, messages: it is an object; make it a list`],
      [
        "a cell cut short",
        { messages: '[{"role": "us' },
        "field",
        `${place}, messages: "[{"role": "us" is not valid JSON;`,
      ],
      [
        "a cell as pandas writes it",
        { messages: "[{'role': 'user', 'content': 'Hi'}]" },
        "field",
        "is a list as Python prints it, not JSON; write the cell with json.dumps.",
      ],
      [
        "a message that is text",
        { messages: [user, "x"] },
        "field",
        `${place}, messages[1]: it is "x"; make it an object`,
      ],
      [
        "an unknown role",
        { messages: [user, assistant, { role: "bot", content: "x" }] },
        "field",
        `${place}, messages[2].role: "bot" is unknown; use one of system, user, assistant, tool, developer.`,
      ],
      ["no role", { messages: [{ content: "x" }] }, "field", `${place}, messages[0].role: it is missing; use one of`],
      [
        "a role from Object.prototype",
        { messages: [{ role: "constructor", content: "x" }] },
        "field",
        '"constructor" is unknown;',
      ],
      [
        "content that is no text",
        { messages: [{ role: "user", content: 4 }, assistant] },
        "field",
        `${place}, messages[0].content: it is 4, not a string; write it as text between quotes.`,
      ],
      [
        "no content",
        { messages: [{ role: "user" }, assistant] },
        "empty",
        "messages[0].content: it is missing, not a st",
      ],
      [
        "an empty answer",
        { messages: [user, { role: "assistant", content: " \n" }] },
        "empty",
        `${place}, messages[1].content: it is empty; fill it in or leave the row out.`,
      ],
      [
        "an image",
        { messages: [{ role: "user", content: [{ type: "image_url", image_url: {} }] }, assistant] },
        "field",
        `${place}, messages[0].content[0]: it is a part of type "image_url"; give only parts such as {"type": "text", "text": "…"} or leave the row out.`,
      ],
      [
        "a part that is text",
        { messages: [{ role: "user", content: ["Hi"] }, assistant] },
        "field",
        'messages[0].content[0]: it is "Hi"; give only parts',
      ],
      [
        "a part with a flag of its own",
        { messages: [user, { role: "assistant", content: [{ type: "text", text: "a", train: false }] }] },
        "field",
        'messages[1].content[0].train: parts of a message cannot be left out of the loss by themselves; take it out and give the whole message a "train".',
      ],
      [
        "spans with flags",
        { messages: [user, { ...assistant, train_detail: [{ begin_offset: 0, end_offset: 1, train: false }] }] },
        "field",
        "messages[1].train_detail: parts of a message cannot be left out of the loss by themselves;",
      ],
      [
        "a weight of 0.5",
        { messages: [user, { ...assistant, weight: 0.5 }] },
        "field",
        "messages[1].weight: it is 0.5; use 0 or 1, and 1 on assistant messages only.",
      ],
      [
        "a weight on a user",
        { messages: [{ ...user, weight: 1 }, assistant] },
        "field",
        "messages[0].weight: it is 1 on a user message; use",
      ],
      [
        "train on a user",
        { messages: [{ ...user, train: true }, assistant] },
        "field",
        "messages[0].train: it is true on a user message; use true or false, and true on assistant messages only.",
      ],
      [
        "a train flag that is text",
        { messages: [user, { ...assistant, train: "yes" }] },
        "field",
        'messages[1].train: it is "yes"; use true or false,',
      ],
      [
        "flags that disagree",
        { messages: [user, { ...assistant, weight: 1, train: false }] },
        "field",
        'messages[1].weight: it is 1 and "train" is false; leave one of them out.',
      ],
      [
        "a name that is no text",
        { messages: [{ ...user, name: 5 }, assistant] },
        "field",
        "messages[0].name: it is 5, not a string;",
      ],
      [
        "no answer",
        { messages: [user] },
        "no-answer",
        `${place}, messages: there is no assistant message to learn; give`,
      ],
      [
        "weights of 0",
        { messages: [user, { ...assistant, weight: 0 }] },
        "no-answer",
        "messages: every assistant message has weight 0; give at least one message with",
      ],
      [
        "two system prompts",
        { messages: [system, assistant], system: "Be long." },
        "field",
        `${place}, system: it says something else than the first message, whose role is system; leave one of them out.`,
      ],
      [
        "a user's tool calls",
        { messages: [{ ...user, tool_calls: [call] }, assistant] },
        "field",
        "messages[0].tool_calls: a user message makes a tool call; put it into an assistant message.",
      ],
      [
        "tool calls that are no list",
        { messages: [user, { role: "assistant", tool_calls: {} }] },
        "field",
        "messages[1].tool_calls: it is an object; make it a list of objects.",
      ],
      [
        "a call without a name",
        { messages: [user, { role: "assistant", tool_calls: [{}] }] },
        "field",
        `messages[1].tool_calls[0]: it is an object, not a function's call; write it as {"name": "…", "arguments": {…}}.`,
      ],
      [
        "half a character in a call",
        { messages: [user, { role: "assistant", tool_calls: [{ name: "a", arguments: '{"b":"\\ud83d"}' }] }] },
        "encoding",
        "messages[1].tool_calls[0].arguments: it holds half of a surrogate pair",
      ],
      [
        "a tool that is text",
        { messages: [user, assistant], tools: ["add"] },
        "field",
        `${place}, tools[0]: it is "add"; make it an object such as`,
      ],
      [
        "a tool that nests without end",
        { messages: [user, assistant], tools: JSON.parse(`[${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}]`) },
        "field",
        `${place}, tools[0]: it nests deeper than 64 levels; flatten it or leave the row out.`,
      ],
      [
        "an answer that is not wanted",
        { messages: [user, assistant], kto_tag: false },
        "no-answer",
        "kto_tag: it is false, which marks an answer that is not wanted (KTO); leave such rows out",
      ],
    ],
  );
});
