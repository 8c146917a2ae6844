/**
 * SentencePiece BPE from GGUF metadata: pieces with scores. SentencePiece joins the neighbours whose joint piece has the best
 * score; BPE with the joints as merges, best score first, does the same.
 */
import type { Metadata } from "../weights/gguf/metadata";
import type { BuiltTokenizer, Piece } from "./types";

const space = "▁";
/** Code units of a piece; every place where a longer one could be cut would be tried. */
const maxPiece = 512;

/** Throws `WeightsError` where there is not one score for each token, or a piece is out of all proportion. */
export async function sentencePieces(
  metadata: Metadata,
  pieces: readonly Piece[],
  unknown: string | null,
): Promise<BuiltTokenizer> {
  const scores = await metadata.numbers("tokenizer.ggml.scores");
  if (scores?.length !== pieces.length) {
    throw metadata.error("tokenizer.ggml.scores", `a list of ${pieces.length} numbers, one for each token`);
  }
  const long = pieces.find(({ content }) => content.length > maxPiece);
  if (long) {
    throw metadata.error(
      "tokenizer.ggml.tokens",
      `pieces of at most ${maxPiece} characters, but piece ${long.id} has ${long.content.length}`,
    );
  }
  const ids = new Map(pieces.map(({ content, id }) => [content, id]));
  const prefix = metadata.flag("tokenizer.ggml.add_space_prefix", true);
  return {
    addBos: true,
    json: {
      normalizer: {
        type: "Sequence",
        normalizers: [
          ...(prefix ? [{ type: "Prepend", prepend: space }] : []),
          { type: "Replace", pattern: { String: " " }, content: space },
        ],
      },
      pre_tokenizer: null,
      model: {
        type: "BPE",
        unk_token: unknown,
        fuse_unk: true,
        byte_fallback: true,
        vocab: Object.fromEntries(ids),
        merges: mergesOf(pieces, scores, ids),
      },
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: space }, content: " " },
          { type: "ByteFallback" },
          { type: "Fuse" },
          ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
        ],
      },
    },
  };
}

/** Every way to join two pieces into a third, best score first; of one score, shorter left parts first. */
function mergesOf(
  pieces: readonly Piece[],
  scores: readonly number[],
  ids: ReadonlyMap<string, number>,
): readonly (readonly [string, string])[] {
  const merges: { readonly left: string; readonly right: string; readonly score: number }[] = [];
  const joinable = pieces.filter(({ added }) => !added);
  const known = new Set(joinable.map(({ content }) => content));
  for (const { content, id } of joinable) {
    if (ids.get(content) !== id) continue;
    for (let cut = 1; cut < content.length; cut++) {
      const left = content.slice(0, cut);
      const right = content.slice(cut);
      if (known.has(left) && known.has(right)) merges.push({ left, right, score: scores[id] ?? 0 });
    }
  }
  merges.sort((a, b) => b.score - a.score || a.left.length - b.left.length);
  return merges.map(({ left, right }) => [left, right]);
}
