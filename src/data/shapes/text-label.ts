/** Classification: {"text", "label"}. The text is the user's turn, the label the answer. */
import { DataError, excerpt } from "../errors";
import type { Message } from "../tokenizer";
import type { Conversation, RowOrigin } from "../types";
import { blank, needText, readText } from "./lib/fields";
import type { Row, RowShape } from "./types";

export const shape: RowShape = {
  id: "text-label",
  label: "Text and label (classification)",
  rank: 70,
  fields: [
    {
      name: "text",
      label: "Text",
      required: true,
      aliases: [
        "sentence",
        "review",
        "tweet",
        "comment",
        "message",
        "utterance",
        "headline",
        "title",
        "content",
        "sms",
      ],
    },
    {
      name: "label",
      label: "Label",
      required: true,
      aliases: ["sentiment", "category", "class", "labels", "emotion", "intent", "topic", "rating", "stars"],
    },
  ],
  convert,
};

function convert(row: Row, origin: RowOrigin): Conversation {
  const { label } = row;
  const text = needText(row["text"], "text", origin);
  if (blank(label)) throw noLabel(origin);
  if (typeof label !== "string" && typeof label !== "number" && typeof label !== "boolean") {
    throw new DataError({
      ...origin,
      field: "label",
      problem: `it is ${excerpt(label)}, not a name or number`,
      remedy: "write it as text between quotes or as a number",
    });
  }
  const messages: readonly Message[] = [
    { role: "user", content: text },
    { role: "assistant", content: readText(String(label), "label", origin) },
  ];
  return { kind: "messages", origin, messages, trainFrom: 0 };
}

export function noLabel(origin: RowOrigin): DataError {
  return new DataError({
    ...origin,
    kind: "no-answer",
    field: "label",
    problem: "the text has no label",
    remedy: "fill it in or leave the row out, or leave the column out to learn the texts themselves",
  });
}
