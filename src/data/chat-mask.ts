/**
 * Chat rows: the tokens of the rendered conversation, and which of them are an assistant turn. The mask comes from the
 * conversation's structure: the template renders the list up to each turn, and the tokens in common with the whole say where
 * the turn lies. Marker texts are never searched for, so no content can forge a turn.
 */
import { DataError } from "./errors";
import { commonPrefix, type Labelled, refusal } from "./labelled";
import type { Message, Tokenizer } from "./tokenizer";
import type { Conversation, RowOrigin } from "./types";

type Chat = Extract<Conversation, { kind: "messages" }>;

/**
 * A turn is counted from the end of the generation prompt to its end-of-turn token. Rows of prompt and completion messages
 * are counted to the very end, template's final newline included, as TRL does it. Turns that begin beyond `maxLength` are
 * not looked at.
 */
export function chatTokens(chat: Chat, tokenizer: Tokenizer, maxLength: number): Labelled {
  const { messages, origin, trainFrom } = chat;
  if (!tokenizer.hasChatTemplate) {
    throw new DataError({
      ...origin,
      problem: "the row is a chat but the model has no chat template",
      remedy:
        'use a model with one (chat_template in its tokenizer_config.json) or rows with "prompt" and "completion" as plain strings, or "text"',
    });
  }
  // The template writes BOS itself where the model wants one.
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });
  const whole = render(tokenizer, messages, false, origin);
  const ids = encode(whole);
  const counted = new Uint8Array(ids.length);
  for (const [index, message] of messages.entries()) {
    if (index < trainFrom || message.role !== "assistant" || message.weight === 0) continue;
    const start = commonPrefix(encode(render(tokenizer, messages.slice(0, index), true, origin)), ids);
    if (start >= maxLength) {
      // Counted all the same: the caller tells a row that lost its turns from one that never had any.
      counted.fill(1, start);
      break;
    }
    counted.fill(1, start, turnEnd(index, start));
  }
  return { ids, counted };

  function turnEnd(index: number, start: number): number {
    const isLast = index === messages.length - 1;
    if (isLast && trainFrom > 0) return ids.length;
    const upTo = isLast ? whole : render(tokenizer, messages.slice(0, index + 1), false, origin);
    if (!whole.startsWith(upTo)) {
      throw new DataError({
        ...origin,
        field: `messages[${index}]`,
        problem:
          "the chat template writes this turn differently when more messages follow, so its tokens cannot be told apart",
        remedy: 'split the conversation into rows of "prompt" (messages) and "completion" (the answer to learn)',
      });
    }
    const end = isLast ? ids.length : commonPrefix(encode(upTo), ids);
    return withoutTrailingSpace(ids, start, end, tokenizer);
  }
}

/** `end` moved back over white space that follows the turn's last special token: the template's, not the turn's. */
function withoutTrailingSpace(ids: readonly number[], start: number, end: number, tokenizer: Tokenizer): number {
  for (let index = end - 1; index >= start; index--) {
    const id = ids[index] ?? 0;
    if (id === tokenizer.eosTokenId || tokenizer.decode([id], { skipSpecialTokens: true }) === "") return index + 1;
    if (tokenizer.decode([id]).trim() !== "") return end;
  }
  return end;
}

function render(
  tokenizer: Tokenizer,
  messages: readonly Message[],
  addGenerationPrompt: boolean,
  origin: RowOrigin,
): string {
  try {
    return tokenizer.renderChat(messages, { addGenerationPrompt });
  } catch (cause) {
    throw refusal(cause, origin, "put the messages into the order that the model's chat template wants");
  }
}
