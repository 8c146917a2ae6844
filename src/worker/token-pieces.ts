/** Token ids with the text of each, as a person reads a prompt or an answer token by token. */
import type { Tokenizer } from "../data/tokenizer";
import type { TokenPiece } from "./protocol";

/** A character that is split over tokens is U+FFFD in each of them. */
export function tokenPieces(tokenizer: Tokenizer, ids: readonly number[]): TokenPiece[] {
  // Some tokenizers drop the white space that a text begins with, so that each token is read behind another one.
  const { eosTokenId } = tokenizer;
  const before = tokenizer.decode([eosTokenId]);
  const known = new Map<number, TokenPiece>();
  const pieceOf = (id: number): TokenPiece => {
    const both = tokenizer.decode([eosTokenId, id]);
    return { id, text: both.startsWith(before) ? both.slice(before.length) : tokenizer.decode([id]) };
  };
  return ids.map((id) => {
    const piece = known.get(id) ?? pieceOf(id);
    known.set(id, piece);
    return piece;
  });
}
