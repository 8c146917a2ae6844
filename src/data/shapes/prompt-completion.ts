/** TRL's {"prompt", "completion"}: two strings, tokenized as they are, or two lists of messages. Only the completion is learned. */
import { DataError, excerpt } from "../errors";
import type { Conversation, RowOrigin } from "../types";
import { chat, looksLikeMessages, needTrainedTurn, readMessages } from "./lib/chat";
import { blank, needText, readText, refuseUnwanted } from "./lib/fields";
import type { Row, RowShape } from "./types";

export const shape: RowShape = {
  id: "prompt-completion",
  label: "Prompt and completion",
  rank: 30,
  fields: [
    { name: "prompt", label: "Prompt", required: true, aliases: [] },
    { name: "completion", label: "Completion", required: true, aliases: [] },
    { name: "tools", label: "Tools", required: false, aliases: [] },
  ],
  convert,
};

function convert(row: Row, origin: RowOrigin): Conversation {
  refuseUnwanted(row, "label", origin);
  refuseUnwanted(row, "kto_tag", origin);
  const { prompt, completion } = row;
  const areLists = looksLikeMessages(prompt) && looksLikeMessages(completion);
  if (typeof prompt === "string" && typeof completion === "string" && !areLists) {
    refuseSystem(row, origin);
    return {
      kind: "completion",
      origin,
      prompt: readText(prompt, "prompt", origin),
      completion: needText(completion, "completion", origin),
    };
  }
  if (areLists) {
    const context = readMessages(prompt, "prompt", origin);
    const answer = readMessages(completion, "completion", origin);
    needTrainedTurn(answer, "completion", origin);
    return chat(row, [...context, ...answer], context.length, origin);
  }
  const field = typeof prompt === "string" || Array.isArray(prompt) ? "completion" : "prompt";
  throw new DataError({
    ...origin,
    kind: blank(row[field]) ? "empty" : "field",
    field,
    problem: `it is ${excerpt(row[field])}`,
    remedy: "make prompt and completion both strings or both lists of messages",
  });
}

/** A prompt that is plain text has no place for it, and to drop it would train on something else than the row says. */
function refuseSystem(row: Row, origin: RowOrigin): void {
  if (blank(row["system"])) return;
  throw new DataError({
    ...origin,
    field: "system",
    problem: "a prompt of plain text has no place for a system prompt",
    remedy: 'name the columns "system", "instruction" and "output", or write it into the prompt',
  });
}
