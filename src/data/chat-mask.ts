/**
 * Chat rows: the tokens of the rendered conversation, and which of them are learned. The mask comes from the conversation's
 * structure: the template renders the list up to each turn, and the tokens in common with the whole say where the turn
 * lies. Marker texts are never searched for, so no content can forge a turn.
 */
import { ChatText } from "./chat-text";
import { ChatTokens } from "./chat-tokens";
import { DataError } from "./errors";
import type { Labelled } from "./labelled";
import type { LossOn } from "./options";
import { isSpecial } from "./special-tokens";
import type { Tokenizer } from "./tokenizer";
import { trainedTurns } from "./trained-turns";
import type { Conversation } from "./types";

type Chat = Extract<Conversation, { kind: "messages" }>;

/**
 * A turn is counted from the end of the generation prompt to its end-of-turn token. A completion (the completion messages of
 * a row, or an answer that ends its chat) is counted to the very end, template's final newline included, as TRL does it. Turns
 * that begin at token `horizon` or beyond are not looked at. Throws `DataError` (kinds "template" and "no-end").
 */
export function chatTokens(chat: Chat, tokenizer: Tokenizer, lossOn: LossOn, horizon: number): Labelled {
  requireTemplate(chat, tokenizer);
  const trained = trainedTurns(chat, lossOn);
  const text = new ChatText(chat, tokenizer, lossOn === "all" ? 0 : trained.filter(Boolean).length);
  requireReasoning(chat, trained, text.text);
  const mask = new ChatMask(chat, tokenizer, text);
  if (lossOn === "all") mask.countFrom(0);
  else if (lossOn === "completion" && (chat.trainFrom > 0 || trained.at(-1))) mask.countCompletion(trained);
  else mask.countTurns(trained, horizon);
  return { ids: mask.ids, counted: mask.counted };
}

function requireTemplate({ origin }: Chat, { hasChatTemplate }: Tokenizer): void {
  if (hasChatTemplate) return;
  throw new DataError({
    ...origin,
    kind: "template",
    problem: "the row is a chat but the model has no chat template",
    remedy:
      'use a model with one (chat_template in its tokenizer_config.json), choose one of the built-in templates, or give rows with "prompt" and "completion" as plain strings, or "text"',
  });
}

/**
 * A learned answer whose reasoning the template leaves out would teach to answer without. Templates of reasoning models leave
 * it out before a later question by design, so only an answer after the last question is looked at.
 */
function requireReasoning({ messages, origin }: Chat, trained: readonly boolean[], text: string): void {
  const index = messages.findLastIndex(({ role }) => role === "assistant" || role === "user");
  const reasoning = messages[index]?.reasoning_content?.trim() ?? "";
  if (reasoning === "" || trained[index] !== true || text.includes(reasoning)) return;
  throw new DataError({
    ...origin,
    kind: "template",
    field: `messages[${index}].reasoning_content`,
    problem: "the chat template has no place for reasoning_content",
    remedy:
      "choose a chat template of a reasoning model, write the reasoning into the content, or take it out of the row",
  });
}

class ChatMask {
  readonly ids: readonly number[];
  readonly counted: Uint8Array;
  readonly #chat: Chat;
  readonly #tokenizer: Tokenizer;
  readonly #text: ChatText;
  readonly #tokens: ChatTokens;

  constructor(chat: Chat, tokenizer: Tokenizer, text: ChatText) {
    this.#chat = chat;
    this.#tokenizer = tokenizer;
    this.#text = text;
    this.#tokens = new ChatTokens(text.text, tokenizer);
    this.ids = this.#tokens.ids;
    this.counted = new Uint8Array(this.ids.length);
  }

  countTurns(trained: readonly boolean[], horizon: number): void {
    for (const [index, isTrained] of trained.entries()) {
      if (!isTrained) continue;
      const start = this.#start(index);
      if (start >= horizon) {
        // Counted all the same: the caller tells a row that lost its turns from one that never had any.
        this.counted.fill(1, start);
        return;
      }
      const toTheEnd = this.#isLast(index) && this.#chat.trainFrom > 0;
      const end = this.#end(index, start);
      this.#requireEnd(index, start, end);
      this.counted.fill(1, start, toTheEnd ? this.ids.length : end);
    }
  }

  /** Everything from the first learned message on, less the answers with weight 0. */
  countCompletion(trained: readonly boolean[]): void {
    const first = trained.indexOf(true);
    if (first < 0) return;
    this.countFrom(this.#start(first));
    for (const [index, isTrained] of trained.entries()) {
      if (index < first || isTrained) continue;
      const start = this.#start(index);
      this.counted.fill(0, start, this.#end(index, start));
    }
  }

  countFrom(start: number): void {
    const index = this.#chat.messages.length - 1;
    if (this.#chat.messages[index]?.role === "assistant") {
      this.#requireEnd(index, start, this.#withoutTrailingSpace(start, this.ids.length));
    }
    this.counted.fill(1, start);
  }

  #isLast(index: number): boolean {
    return index === this.#chat.messages.length - 1;
  }

  #start(index: number): number {
    const prefix = this.#text.before(index);
    if (prefix === null) {
      throw this.#rewritten(
        index,
        "the messages before this turn differently when it follows",
        "choose another chat template, or leave out the messages that this one moves (a system message, mostly)",
      );
    }
    return this.#tokens.shared(prefix.base, prefix.tail).count;
  }

  /** One past the turn's last token; white space that the template writes after its special token is not the turn's. */
  #end(index: number, start: number): number {
    if (this.#isLast(index)) return this.#withoutTrailingSpace(start, this.ids.length);
    const { base, tail } = this.#text.through(index);
    const { count, beyond } = this.#tokens.shared(base, tail);
    const end = this.#withoutTrailingSpace(start, count);
    if (this.#text.text.startsWith(tail, base)) return end;
    // Some templates end every conversation with one more special token; the turn before it is still the same.
    if (this.#endsTurn(start, end) && beyond.every((id) => this.#isSpace(id) || isSpecial(this.#tokenizer, id)))
      return end;
    throw this.#rewritten(
      index,
      "this turn differently when more messages follow",
      'split the conversation into rows of "prompt" (messages) and "completion" (the answer to learn), learn the last turn only, or choose another chat template',
    );
  }

  #rewritten(index: number, what: string, remedy: string): DataError {
    return new DataError({
      ...this.#chat.origin,
      kind: "template",
      field: `messages[${index}]`,
      problem: `the chat template writes ${what}, so its tokens cannot be told apart`,
      remedy,
    });
  }

  #requireEnd(index: number, start: number, end: number): void {
    if (this.#endsTurn(start, end)) return;
    throw new DataError({
      ...this.#chat.origin,
      kind: "no-end",
      field: `messages[${index}]`,
      problem: "the chat template ends this turn with no token of its own, so the model would never learn to stop",
      remedy: "choose a chat template whose turns end with a special token of this tokenizer",
    });
  }

  #endsTurn(start: number, end: number): boolean {
    const last = this.ids[end - 1];
    return end > start && last !== undefined && isSpecial(this.#tokenizer, last);
  }

  /** `end` moved back over white space after the last special token. */
  #withoutTrailingSpace(start: number, end: number): number {
    for (let index = end - 1; index >= start; index--) {
      const id = this.ids[index] ?? 0;
      if (isSpecial(this.#tokenizer, id)) return index + 1;
      if (!this.#isSpace(id)) return end;
    }
    return end;
  }

  #isSpace(id: number): boolean {
    return this.#tokenizer.decode([id]).trim() === "";
  }
}
