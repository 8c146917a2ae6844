/** The wanted answers of preference data: {"prompt", "chosen"}. With "rejected" beside it a row is a pair, which is for another training. */
import { DataError } from "../errors";
import type { Message } from "../tokenizer";
import type { Conversation, RowOrigin } from "../types";
import { chat, looksLikeMessages, needTrainedTurn, readMessages } from "./lib/chat";
import { blank, needText, present } from "./lib/fields";
import { renamed } from "./lib/renamed";
import { shape as promptCompletion } from "./prompt-completion";
import type { Row, RowShape } from "./types";

export const shape: RowShape = {
  id: "chosen",
  label: "Chosen answers (preference data)",
  rank: 60,
  fields: [
    { name: "chosen", label: "Chosen answer", required: true, aliases: [] },
    { name: "prompt", label: "Prompt", required: false, aliases: [] },
  ],
  convert,
};

function convert(row: Row, origin: RowOrigin): Conversation {
  const { prompt, chosen } = row;
  if (!blank(row["rejected"])) {
    throw new DataError({
      ...origin,
      kind: "shape",
      problem:
        'the row is a preference pair ("chosen" and "rejected"), and the training here learns from single answers',
      remedy: 'leave out the column "rejected" to learn the chosen answers',
    });
  }
  const isList = looksLikeMessages(chosen);
  if (present(prompt) && (!isList || looksLikeMessages(prompt))) {
    const names = new Map([["completion", "chosen"]]);
    return renamed(names, () => promptCompletion.convert({ ...row, completion: chosen }, origin));
  }
  if (!isList) return { kind: "text", origin, text: needText(chosen, "chosen", origin) };
  return chat(row, withPrompt(row, origin), 0, origin);
}

/** Beside a prompt that is text, the list holds the whole conversation or the answer alone. */
function withPrompt({ prompt, chosen }: Row, origin: RowOrigin): readonly Message[] {
  const messages = readMessages(chosen, "chosen", origin);
  needTrainedTurn(messages, "chosen", origin);
  const start = messages.findIndex(({ role }) => role !== "system" && role !== "developer");
  if (!present(prompt) || messages[start]?.role !== "assistant") return messages;
  const question: Message = { role: "user", content: needText(prompt, "prompt", origin) };
  return messages.toSpliced(start, 0, question);
}
