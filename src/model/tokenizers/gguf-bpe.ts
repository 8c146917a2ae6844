/** Byte-level BPE from GGUF metadata: tokens, merges, and the splitting that `tokenizer.ggml.pre` names. */
import { TokenizerError } from "../errors";
import type { Metadata } from "../weights/gguf/metadata";
import { preTokenizers, splitStep } from "./pre-tokenizers";
import type { BuiltTokenizer, Piece } from "./types";

/** Throws `TokenizerError` for a splitting that is not built, `WeightsError` for merges that are missing or no pairs. */
export async function bytePairs(
  metadata: Metadata,
  pieces: readonly Piece[],
  unknown: string | null,
): Promise<BuiltTokenizer> {
  const pre = await metadata.text("tokenizer.ggml.pre");
  const splitting = preTokenizers.get(pre ?? "");
  if (!splitting) {
    const found = pre === null ? "missing" : `"${pre.slice(0, 40)}"`;
    throw new TokenizerError(
      `${metadata.file}: tokenizer.ggml.pre is ${found}, and without it texts would be split differently than in pretraining; supported are ${[...preTokenizers.keys()].join(", ")}, take the model as a Hugging Face folder.`,
    );
  }
  const texts = await metadata.texts("tokenizer.ggml.merges");
  if (!texts) throw metadata.error("tokenizer.ggml.merges", "the list of merges");
  const merges = texts.map((text) => text.split(" "));
  const wrong = merges.findIndex((pair) => pair.length !== 2 || pair.includes(""));
  if (wrong >= 0) {
    throw new TokenizerError(
      `${metadata.file}: tokenizer.ggml.merges[${wrong}] is ${JSON.stringify(texts[wrong]?.slice(0, 80))}; a merge must be two tokens with a space between them, use another copy of the model.`,
    );
  }
  const { patterns, gpt2, afterBytes, ignoreMerges, addBos, normalizer } = splitting;
  const byteLevel = {
    type: "ByteLevel",
    add_prefix_space: metadata.flag("tokenizer.ggml.add_space_prefix", false),
    trim_offsets: true,
    use_regex: gpt2,
  };
  return {
    addBos,
    json: {
      normalizer,
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [...patterns.map(splitStep), byteLevel, ...afterBytes],
      },
      model: {
        type: "BPE",
        unk_token: unknown,
        ignore_merges: ignoreMerges,
        vocab: Object.fromEntries(pieces.map(({ content, id }) => [content, id])),
        merges,
      },
      decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    },
  };
}
