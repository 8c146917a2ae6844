/** Alpaca's {"instruction", "input", "output"}, with LLaMA-Factory's `system` and `history`. */
import type { Message } from "../tokenizer";
import type { Conversation, RowOrigin } from "../types";
import { chat, readHistory } from "./lib/chat";
import { blank, needText, optionalText, readText, refuseUnwanted } from "./lib/fields";
import type { Row, RowShape } from "./types";

export const shape: RowShape = {
  id: "instruction",
  label: "Instruction and answer (Alpaca)",
  rank: 40,
  fields: [
    {
      name: "instruction",
      label: "Question or instruction",
      required: true,
      aliases: [
        "question",
        "query",
        "ask",
        "prompt",
        "problem",
        "request",
        "user",
        "human",
        "user_message",
        "input",
        "source",
        "article",
        "document",
        "dialogue",
        "src",
      ],
    },
    {
      name: "output",
      label: "Answer",
      required: true,
      aliases: [
        "answer",
        "response",
        "completion",
        "reply",
        "solution",
        "assistant",
        "gpt",
        "assistant_message",
        "target",
        "summary",
        "highlights",
        "translation",
        "tgt",
        "answers",
      ],
    },
    {
      name: "input",
      label: "Input or context",
      required: false,
      aliases: ["context", "passage", "background", "additional_input"],
    },
    { name: "system", label: "System prompt", required: false, aliases: ["system_prompt", "system_message"] },
    { name: "history", label: "Earlier questions and answers", required: false, aliases: [] },
    { name: "tools", label: "Tools", required: false, aliases: ["functions"] },
  ],
  convert,
};

/** The user turn is the instruction and, after a blank line, the input. */
function convert(row: Row, origin: RowOrigin): Conversation {
  refuseUnwanted(row, "kto_tag", origin);
  const instruction = readText(row["instruction"], "instruction", origin);
  const input = optionalText(row["input"], "input", origin);
  const content = [instruction, input].filter((part) => part !== "").join("\n\n");
  needText(content, "instruction", origin);
  // Templates in the manner of Alpaca have a section of its own for the input.
  const asked: Message = { role: "user", content, ...(instruction === "" || input === "" ? {} : { input }) };
  const turn: readonly Message[] = [asked, { role: "assistant", content: needText(row["output"], "output", origin) }];
  const history = blank(row["history"]) ? [] : readHistory(row["history"], "history", origin);
  return chat(row, [...history, ...turn], 0, origin);
}
