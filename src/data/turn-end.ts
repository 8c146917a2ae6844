/** The tokens that a chat template ends an answer with: where they come, the model has said what it had to say. */
import { isSpecial } from "./special-tokens";
import type { Tokenizer } from "./tokenizer";

const answer = "Yes";

/**
 * The special tokens that follow the content of an assistant turn. They need not be EOS: a model may name one token as EOS and
 * end its turns with another. None where there is no chat template, or it ends turns with plain text or refuses a question
 * and an answer.
 */
export function turnEndIds(tokenizer: Tokenizer): readonly number[] {
  if (!tokenizer.hasChatTemplate) return [];
  let text: string;
  try {
    text = tokenizer.renderChat([
      { role: "user", content: "Well?" },
      { role: "assistant", content: answer },
    ]);
  } catch (cause) {
    if (cause instanceof Error && cause.name === "TokenizerError") return [];
    throw cause;
  }
  const start = text.lastIndexOf(answer);
  if (start < 0) return [];
  const ids = tokenizer.encode(text.slice(start + answer.length), { addSpecialTokens: false });
  return [...new Set(ids.filter((id) => isSpecial(tokenizer, id)))];
}
