/** One row all the way: value → conversation → examples, or the problem that stands in the way. */
import { DataError } from "../errors";
import type { ColumnMapping, LossOn, TooLong } from "../options";
import type { RawRow } from "../rows/types";
import { conversationFromRow } from "../shapes/index";
import { tokenize } from "../tokenize";
import type { Tokenizer } from "../tokenizer";
import type { Conversation, TokenizedExample } from "../types";

/** How rows are read; the same for a whole dataset. */
export interface Reading {
  readonly tokenizer: Tokenizer;
  readonly mapping: ColumnMapping | null;
  readonly lossOn: LossOn;
  readonly tooLong: TooLong;
  readonly maxLength: number;
  /** What is wrong with token ids that are no tokens of the model; null: nothing. */
  readonly unknownToken: (
    ids: ArrayLike<number>,
    conversation: Conversation,
  ) => { readonly problem: string; readonly remedy: string } | null;
}

export interface ReadRow {
  readonly raw: RawRow;
  /** Null where the row could not be read. */
  readonly conversation: Conversation | null;
  /** Of a split row several; none where the row is dropped or has a problem. */
  readonly examples: readonly TokenizedExample[];
  /** Tokens before the policy for long rows; 0 where they are not known. */
  readonly length: number;
  readonly dropped: boolean;
  readonly problem: DataError | null;
}

/** What is wrong with the row is part of the result; anything else is thrown. */
export function readRow(raw: RawRow, reading: Reading): ReadRow {
  let conversation: Conversation | null = null;
  try {
    if ("error" in raw) throw raw.error;
    conversation = conversationFromRow(raw.value, raw.origin, reading.mapping);
    const { examples, length, dropped } = tokenize(conversation, reading.tokenizer, reading);
    for (const { ids } of examples) {
      const unknown = reading.unknownToken(ids, conversation);
      if (unknown) throw new DataError({ ...raw.origin, kind: "unknown-token", ...unknown });
    }
    return { raw, conversation, examples, length, dropped, problem: null };
  } catch (problem) {
    if (!(problem instanceof DataError)) throw problem;
    return { raw, conversation, examples: [], length: 0, dropped: false, problem };
  }
}
