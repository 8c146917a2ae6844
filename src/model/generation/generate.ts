/** Text from a decoder, a piece at a time. */
import type { Decoder } from "./decoder";
import { type SamplingOptions, sampleToken } from "./sampling";

export interface GenerateOptions extends SamplingOptions {
  readonly maxNewTokens: number;
  /** Generation ends before one of these would be shown. */
  readonly stopIds: readonly number[];
  readonly strength: number;
  /** Numbers in [0, 1), seeded by the caller. */
  readonly uniform: () => number;
  readonly decode: (ids: readonly number[]) => string;
  readonly signal: AbortSignal;
}

export interface Generated {
  readonly text: string;
  readonly ids: readonly number[];
  /** The stop token that ended it, which is none of `ids`; null where it ended otherwise. */
  readonly end: number | null;
  readonly stopped: "eos" | "length" | "aborted";
}

/** Continues `prompt`; `onText` gets each new piece. A character split over tokens is held back until it is whole. */
export async function generate(
  decoder: Decoder,
  prompt: readonly number[],
  options: GenerateOptions,
  onText: (piece: string) => void,
): Promise<Generated> {
  const ids: number[] = [];
  let shown = "";
  let stopped: Generated["stopped"] = "length";
  let end: number | null = null;
  const room = Math.min(options.maxNewTokens, decoder.capacity - prompt.length);
  let logits = await decoder.append(prompt, options.strength);
  while (ids.length < room) {
    if (options.signal.aborted) {
      stopped = "aborted";
      break;
    }
    const id = sampleToken(logits, options, options.uniform);
    if (options.stopIds.includes(id)) {
      stopped = "eos";
      end = id;
      break;
    }
    ids.push(id);
    const text = options.decode(ids);
    if (!text.endsWith("\ufffd") && text.length > shown.length) {
      onText(text.slice(shown.length));
      shown = text;
    }
    if (ids.length < room) logits = await decoder.append([id], options.strength);
  }
  const text = options.decode(ids);
  if (text.length > shown.length) onText(text.slice(shown.length));
  return { text, ids, end, stopped };
}
