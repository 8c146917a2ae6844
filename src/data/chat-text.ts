/**
 * A rendered chat, and the text up to each turn: what the template writes for the first messages alone. Those texts say where a
 * turn lies, whatever the template looks like. Rendering each would be quadratic in the number of turns; so the contents are
 * fenced once with characters that occur nowhere, and what the template writes after a message is rendered once for each
 * different text between two contents.
 */
import { refusal } from "./labelled";
import type { Message, Tokenizer } from "./tokenizer";
import type { Conversation } from "./types";

type Chat = Extract<Conversation, { kind: "messages" }>;

/** The text with the first `base` characters of the whole, then `tail`. */
export interface Prefix {
  readonly base: number;
  readonly tail: string;
}

/** Where a message's content lies in the whole, outer white space excepted. */
interface Fence {
  readonly start: number;
  readonly end: number;
}

/** A text without its fences. */
interface Fenced {
  readonly text: string;
  /** For each message; null for an empty content. */
  readonly fences: readonly (Fence | null)[];
}

/** Private-use characters. */
const opening = "\uf8d0";
const closing = "\uf8d1";

export class ChatText {
  readonly text: string;
  readonly #chat: Chat;
  readonly #tokenizer: Tokenizer;
  readonly #several: boolean;
  readonly #tails = new Map<string, string>();
  #fenced: readonly (Fence | null)[] | null = null;

  /** `turns`: how many will be asked for; a single one rarely needs fences. Throws `DataError` where the template refuses. */
  constructor(chat: Chat, tokenizer: Tokenizer, turns: number) {
    this.#chat = chat;
    this.#tokenizer = tokenizer;
    this.#several = turns > 1;
    this.text = this.#render(chat.messages, false);
  }

  /** The messages before this one, and the generation prompt. Null where the whole has those messages otherwise and nothing can be told. */
  before(index: number): Prefix | null {
    const prefix = this.#prefix(index, true);
    if (this.text.startsWith(prefix.tail, prefix.base)) return prefix;
    if (prefix.base > 0) return this.#upToContent(index, prefix);
    const messages = this.#chat.messages.slice(0, index);
    const alone = index === 0 ? "" : this.#render(messages, false);
    if (this.text.startsWith(alone) && prefix.tail.startsWith(alone)) return this.#upToContent(index, prefix);
    const last = this.#fences()[index - 1];
    const before = readFences(this.#render(messages.map(withFences), true), messages);
    const own = before?.fences[index - 1];
    return last && own ? this.#upToContent(index, { base: last.end, tail: before.text.slice(own.end) }) : null;
  }

  /** A generation prompt that the turn does not begin with shares nothing of the turn's content but by chance. */
  #upToContent(index: number, { base, tail }: Prefix): Prefix {
    const content = this.#fences()[index];
    return { base, tail: content ? tail.slice(0, content.start - base) : tail };
  }

  /** The messages up to and including this one. */
  through(index: number): Prefix {
    return this.#prefix(index + 1, false);
  }

  #prefix(count: number, generationPrompt: boolean): Prefix {
    const { messages } = this.#chat;
    if (count === messages.length && !generationPrompt) return { base: this.text.length, tail: "" };
    const fences = this.#several ? this.#fences() : [];
    const last = fences[count - 1];
    const next = fences[count];
    if (!last || !next) return { base: 0, tail: this.#render(messages.slice(0, count), generationPrompt) };
    const roles = `${messages[count - 1]?.role} ${messages[count]?.role}`;
    const key = `${generationPrompt} ${roles} ${this.text.slice(last.end, next.start)}`;
    let tail = this.#tails.get(key);
    if (tail === undefined) {
      const rendered = this.#render(messages.slice(0, count), generationPrompt);
      if (!rendered.startsWith(this.text.slice(0, last.end))) return { base: 0, tail: rendered };
      tail = rendered.slice(last.end);
      this.#tails.set(key, tail);
    }
    return { base: last.end, tail };
  }

  /** Empty where the template does not write every content once, in order and as it is. */
  #fences(): readonly (Fence | null)[] {
    this.#fenced ??= this.#findFences();
    return this.#fenced;
  }

  #findFences(): readonly (Fence | null)[] {
    if (this.text.includes(opening) || this.text.includes(closing)) return [];
    const { messages } = this.#chat;
    let rendered: string;
    try {
      rendered = this.#render(messages.map(withFences), false);
    } catch {
      return [];
    }
    const found = readFences(rendered, messages);
    return found?.text === this.text ? found.fences : [];
  }

  #render(messages: readonly Message[], addGenerationPrompt: boolean): string {
    const { tools, origin } = this.#chat;
    try {
      return this.#tokenizer.renderChat(messages, { addGenerationPrompt, tools: tools ?? null });
    } catch (cause) {
      const remedy =
        "put the messages into the order that the model's chat template wants, or choose another chat template";
      throw refusal(cause, origin, "template", remedy);
    }
  }
}

function withFences(message: Message): Message {
  const core = message.content.trim();
  // Templates ask whether there is a content at all.
  if (core === "") return message;
  const at = message.content.indexOf(core);
  const [lead, trail] = [message.content.slice(0, at), message.content.slice(at + core.length)];
  return { ...message, content: lead + opening + core + closing + trail };
}

/** Null where the contents do not stand in the text once, in order and as they are. */
function readFences(rendered: string, messages: readonly Message[]): Fenced | null {
  const [head = "", ...parts] = rendered.split(opening);
  const pieces = [head];
  const fences: (Fence | null)[] = [];
  let length = head.length;
  let next = 0;
  for (const { content } of messages) {
    const core = content.trim();
    if (core === "") {
      fences.push(null);
      continue;
    }
    const [written, gap, ...more] = parts[next++]?.split(closing) ?? [];
    if (written !== core || gap === undefined || more.length > 0) return null;
    fences.push({ start: length, end: length + core.length });
    length += core.length + gap.length;
    pieces.push(core, gap);
  }
  return next === parts.length ? { text: pieces.join(""), fences } : null;
}
