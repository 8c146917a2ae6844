/** Conversation → TokenizedExamples: token ids, and which of them carry loss. Follows TRL's SFTTrainer. */
import { chatTokens } from "./chat-mask";
import { DataError, excerpt } from "./errors";
import { commonPrefix, type Labelled, refusal } from "./labelled";
import type { LossOn, TooLong } from "./options";
import type { Tokenizer } from "./tokenizer";
import type { Conversation, TokenizedExample } from "./types";

export { trainedTurns } from "./trained-turns";

export interface TokenizeOptions {
  /** Tokens per row, at least 1. */
  readonly maxLength: number;
  readonly lossOn: LossOn;
  readonly tooLong: TooLong;
}

export interface Tokenized {
  /** One; none where the row was dropped; under "split" one or more. */
  readonly examples: readonly TokenizedExample[];
  /** Tokens before the policy for long rows. */
  readonly length: number;
  /** Left out for its length, under the policy "drop". */
  readonly dropped: boolean;
}

type TokenRow = Extract<Conversation, { kind: "tokens" }>;

/** Hugging Face's label of a token without loss. */
const ignored = -100;

/** Throws `DataError` of kind "template", "no-end", "too-long", "nothing-counted", "unknown-token" or "field". */
export function tokenize(
  conversation: Conversation,
  tokenizer: Tokenizer,
  { maxLength, lossOn, tooLong }: TokenizeOptions,
): Tokenized {
  const { origin } = conversation;
  let row: Labelled;
  try {
    row = label(conversation, tokenizer, lossOn, tooLong === "truncate-right" ? maxLength : Number.POSITIVE_INFINITY);
  } catch (cause) {
    throw refusal(cause, origin, "field", "change the row's text or leave it out");
  }
  const { length } = row.ids;
  if (length > maxLength && tooLong === "drop") return { examples: [], length, dropped: true };
  if (length > maxLength && tooLong === "error") {
    throw new DataError({
      ...origin,
      kind: "too-long",
      problem: `the row has ${length} tokens, more than max length ${maxLength}`,
      remedy: "raise --max-length, shorten the row, or have long rows cut, split or dropped",
    });
  }
  const examples: TokenizedExample[] = [];
  for (const [start, end] of pieces(length, maxLength, tooLong)) {
    const counted = row.counted.slice(start, end);
    // Nothing precedes a row's first token, so nothing predicts it.
    counted[0] = 0;
    if (!counted.includes(1)) continue;
    const truncated = tooLong === "split" ? 0 : length - (end - start);
    examples.push({ origin, ids: Uint32Array.from(row.ids.slice(start, end)), counted, truncated });
  }
  if (examples.length === 0) throw nothingCounted(conversation, row, maxLength, tooLong);
  return { examples, length, dropped: false };
}

/** From and to of each piece that is kept of a row. */
function pieces(length: number, maxLength: number, tooLong: TooLong): readonly (readonly [number, number])[] {
  if (length <= maxLength) return [[0, length]];
  if (tooLong === "truncate-left") return [[length - maxLength, length]];
  if (tooLong !== "split" || maxLength < 1) return [[0, maxLength]];
  return Array.from({ length: Math.ceil(length / maxLength) }, (_, piece) => {
    const start = piece * maxLength;
    return [start, Math.min(start + maxLength, length)] as const;
  });
}

function nothingCounted({ origin }: Conversation, row: Labelled, maxLength: number, tooLong: TooLong): DataError {
  const lost = row.ids.length > maxLength && row.counted.includes(1, 1);
  const left = tooLong === "truncate-left";
  const where = left
    ? `none of the counted tokens is among the last ${maxLength}`
    : `all counted tokens lie beyond max length ${maxLength}`;
  return new DataError({
    ...origin,
    kind: "nothing-counted",
    problem: lost ? `${where} (the row has ${row.ids.length})` : "the row has no token to learn",
    remedy: lost
      ? left
        ? "raise --max-length or cut the end of long rows instead"
        : "raise --max-length or shorten the prompt"
      : "give it a longer text or leave it out",
  });
}

function label(conversation: Conversation, tokenizer: Tokenizer, lossOn: LossOn, horizon: number): Labelled {
  switch (conversation.kind) {
    case "messages":
      return chatTokens(conversation, tokenizer, lossOn, horizon);
    case "completion":
      return completionTokens(conversation.prompt, conversation.completion, tokenizer, lossOn);
    case "text": {
      const text = conversation.continues ? conversation.text : withEos(conversation.text, tokenizer);
      const ids = tokenizer.encode(text, { addSpecialTokens: !conversation.continued });
      return { ids, counted: new Uint8Array(ids.length).fill(1) };
    }
    case "tokens":
      return writtenTokens(conversation, tokenizer);
  }
}

/**
 * Prompt and completion are tokenized as one text, as the model will meet them. The completion begins where the tokens part
 * from those of the prompt alone: where a merge joins the prompt's last characters with the completion's first ones, the
 * joint token belongs to what is learned. (TRL leaves out as many tokens as the prompt has and may so lose a short answer.)
 */
function completionTokens(prompt: string, completion: string, tokenizer: Tokenizer, lossOn: LossOn): Labelled {
  const options = { addSpecialTokens: true };
  const ids = tokenizer.encode(prompt + withEos(completion, tokenizer), options);
  const start = lossOn === "all" ? 0 : commonPrefix(tokenizer.encode(prompt, options), ids);
  return { ids, counted: new Uint8Array(ids.length).fill(1, start) };
}

/** Ids and labels as the row has them. A label is the token's own id or −100: a token is learned where it stands or not at all. */
function writtenTokens({ ids, labels, origin }: TokenRow, { vocabSize }: Tokenizer): Labelled {
  const counted = new Uint8Array(ids.length);
  for (const [index, id] of ids.entries()) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize) {
      throw new DataError({
        ...origin,
        kind: "unknown-token",
        field: `input_ids[${index}]`,
        problem: `token ${excerpt(id)} is none of the model's ${vocabSize} tokens`,
        remedy: "tokenize the row with this model's tokenizer",
      });
    }
    const label = labels[index];
    if (label === ignored) continue;
    if (label !== id) {
      throw new DataError({
        ...origin,
        kind: "field",
        field: `labels[${index}]`,
        problem: `label ${excerpt(label)} is not the token that stands there (${id})`,
        remedy: `write the token's own id, or ${ignored} where it carries no loss`,
      });
    }
    counted[index] = 1;
  }
  return { ids, counted };
}

function withEos(text: string, { eosToken }: Tokenizer): string {
  return text.endsWith(eosToken) ? text : text + eosToken;
}
