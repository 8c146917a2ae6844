/** Tokens that the tokenizer knows and the model does not: on the GPU they would silently read other rows. */
import type { Reader } from "./reader";

/** What is wrong with the ids, and the remedy; null where all are rows of the model's embedding. */
export function unknownToken(
  ids: ArrayLike<number>,
  { info, tokenizer }: Reader,
): { readonly problem: string; readonly remedy: string } | null {
  const { vocabSize } = info;
  for (let index = 0; index < ids.length; index += 1) {
    const id = ids[index] ?? 0;
    if (id < vocabSize) continue;
    const text = JSON.stringify(tokenizer.decode([id])).slice(0, 40);
    return {
      problem: `the tokenizer gives token ${id} (${text}), but ${info.name} has only ${vocabSize} tokens`,
      remedy: "use the tokenizer.json that belongs to this model",
    };
  }
  return null;
}
