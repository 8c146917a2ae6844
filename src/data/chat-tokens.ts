/** The tokens of a rendered chat, and how many of them another text that begins alike shares. */
import { commonPrefix } from "./labelled";
import { isSpecial } from "./special-tokens";
import type { Tokenizer } from "./tokenizer";

export interface Shared {
  /** How many first tokens both texts have. */
  readonly count: number;
  /** The other text's tokens after those. */
  readonly beyond: readonly number[];
}

/**
 * A special token parts a text into pieces that are tokenized on their own. So what follows the last special token before
 * a place is enough to tell the tokens up to there, and a chat with many turns costs little more than one encoding.
 */
export class ChatTokens {
  readonly ids: readonly number[];
  readonly #text: string;
  readonly #tokenizer: Tokenizer;
  #anchors: readonly Anchor[] | null = null;

  constructor(text: string, tokenizer: Tokenizer) {
    this.#text = text;
    this.#tokenizer = tokenizer;
    this.ids = this.#encode(text);
  }

  /** For the text that has the first `base` characters of this one, then `tail`. */
  shared(base: number, tail: string): Shared {
    const text = this.#text;
    let end = base;
    while (end < text.length && text.charCodeAt(end) === tail.charCodeAt(end - base)) end++;
    const anchor = this.#anchorBefore(end);
    const rest = tail.slice(end - base);
    let piece = this.#encode(text.slice(anchor.start, end) + rest);
    let from = anchor.token;
    if (from > 0 && piece[0] !== this.ids[from]) {
      piece = this.#encode(text.slice(0, end) + rest);
      from = 0;
    }
    const common = commonPrefix(piece, this.ids, from);
    return { count: from + common, beyond: piece.slice(common) };
  }

  #encode(text: string): number[] {
    // The template writes BOS itself where the model wants one.
    return this.#tokenizer.encode(text, { addSpecialTokens: false });
  }

  #anchorBefore(end: number): Anchor {
    this.#anchors ??= specialAnchors(this.#text, this.ids, this.#tokenizer);
    let low = 0;
    let high = this.#anchors.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#anchors[middle]?.end ?? 0) <= end) low = middle + 1;
      else high = middle;
    }
    return this.#anchors[low - 1] ?? beginning;
  }
}

/** A special token, by its characters and its place among the tokens. */
interface Anchor {
  readonly start: number;
  readonly end: number;
  readonly token: number;
}

const beginning: Anchor = { start: 0, end: 0, token: 0 };

/** None where the special tokens' texts do not stand in the text as often as the tokens do: then nothing can be told. */
function specialAnchors(text: string, ids: readonly number[], tokenizer: Tokenizer): readonly Anchor[] {
  const anchors: Anchor[] = [];
  const found = new Map<string, number>();
  let cursor = 0;
  for (const [token, id] of ids.entries()) {
    if (!isSpecial(tokenizer, id)) continue;
    const content = tokenizer.decode([id]);
    const start = content === "" ? -1 : text.indexOf(content, cursor);
    if (start < 0) return [];
    cursor = start + content.length;
    anchors.push({ start, end: cursor, token });
    found.set(content, (found.get(content) ?? 0) + 1);
  }
  for (const [content, count] of found) if (text.split(content).length !== count + 1) return [];
  return anchors;
}
