/** Which token ids are special: written by templates and post-processors, left out of a decoded text. */
import type { Tokenizer } from "./tokenizer";

const unknown = 0;
const ordinary = 1;
const special = 2;

/** Looked up once for each token, since every turn of every row asks. */
const kinds = new WeakMap<Tokenizer, Uint8Array>();

/** A token that ends a text counts as special even where the tokenizer does not mark it so. */
export function isSpecial(tokenizer: Tokenizer, id: number): boolean {
  let known = kinds.get(tokenizer);
  if (known === undefined) {
    known = new Uint8Array(tokenizer.vocabSize);
    kinds.set(tokenizer, known);
  }
  let kind = known[id] ?? unknown;
  if (kind === unknown) {
    const hidden = tokenizer.decode([id], { skipSpecialTokens: true }) === "" && tokenizer.decode([id]) !== "";
    kind = id === tokenizer.eosTokenId || hidden ? special : ordinary;
    if (id < known.length) known[id] = kind;
  }
  return kind === special;
}
