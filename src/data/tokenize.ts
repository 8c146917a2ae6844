/** Conversation → TokenizedExample: token ids, and which of them carry loss. Follows TRL's SFTTrainer. */
import { chatTokens } from "./chat-mask";
import { DataError } from "./errors";
import { commonPrefix, type Labelled, refusal } from "./labelled";
import type { Tokenizer } from "./tokenizer";
import type { Conversation, TokenizedExample } from "./types";

export interface TokenizeOptions {
  /** Tokens per row; a longer row loses its end. */
  readonly maxLength: number;
}

/** Throws `DataError` where the chat template is missing or refuses, or where no counted token is left. */
export function tokenize(
  conversation: Conversation,
  tokenizer: Tokenizer,
  { maxLength }: TokenizeOptions,
): TokenizedExample {
  const { origin } = conversation;
  let row: Labelled;
  try {
    row = label(conversation, tokenizer, maxLength);
  } catch (cause) {
    throw refusal(cause, origin, "change the row's text or leave it out");
  }
  const ids = Uint32Array.from(row.ids.slice(0, maxLength));
  const counted = row.counted.slice(0, maxLength);
  // Nothing precedes a row's first token, so nothing predicts it.
  counted[0] = 0;
  if (!counted.includes(1)) {
    const truncated = row.counted.includes(1, 1);
    throw new DataError({
      ...origin,
      problem: truncated
        ? `all counted tokens lie beyond max length ${maxLength} (the row has ${row.ids.length})`
        : "the row has no token to learn",
      remedy: truncated ? "raise --max-length or shorten the prompt" : "give it a longer text or leave it out",
    });
  }
  return { origin, ids, counted, truncated: row.ids.length - ids.length };
}

function label(conversation: Conversation, tokenizer: Tokenizer, maxLength: number): Labelled {
  switch (conversation.kind) {
    case "messages":
      return chatTokens(conversation, tokenizer, maxLength);
    case "completion":
      return completionTokens(conversation.prompt, conversation.completion, tokenizer);
    case "text": {
      const ids = tokenizer.encode(withEos(conversation.text, tokenizer), { addSpecialTokens: true });
      return { ids, counted: new Uint8Array(ids.length).fill(1) };
    }
  }
}

/**
 * Prompt and completion are tokenized as one text, as the model will meet them. The completion begins where the tokens part
 * from those of the prompt alone: where a merge joins the prompt's last characters with the completion's first ones, the
 * joint token belongs to what is learned. (TRL leaves out as many tokens as the prompt has and may so lose a short answer.)
 */
function completionTokens(prompt: string, completion: string, tokenizer: Tokenizer): Labelled {
  const options = { addSpecialTokens: true };
  const ids = tokenizer.encode(prompt + withEos(completion, tokenizer), options);
  const start = commonPrefix(tokenizer.encode(prompt, options), ids);
  return { ids, counted: new Uint8Array(ids.length).fill(1, start) };
}

function withEos(text: string, { eosToken }: Tokenizer): string {
  return text.endsWith(eosToken) ? text : text + eosToken;
}
