/** Dataset file → tokenized rows in memory, with the counts that a person checks before training. */
import { DataError } from "./errors";
import { chooseFormat } from "./formats/index";
import { tokenize } from "./tokenize";
import type { Tokenizer } from "./tokenizer";
import type { TokenizedExample } from "./types";

/** All rows are held in memory, about 5 bytes a token; beyond this a tab is at risk. */
const mostTokens = 50_000_000;
/** Milliseconds of work between two reports; there, other events of the thread get their turn (an abort, above all). */
const reportInterval = 50;

export interface DatasetCounts {
  readonly rows: number;
  readonly tokens: number;
  /** Tokens that carry loss. */
  readonly countedTokens: number;
  readonly truncatedRows: number;
  /** Tokens of the longest row after truncation. */
  readonly longestRow: number;
}

export interface TokenizedDataset {
  readonly name: string;
  readonly examples: readonly TokenizedExample[];
  readonly counts: DatasetCounts;
}

export interface LoadOptions {
  readonly maxLength: number;
  /** Bytes of the file done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Throws `DataError` for the first row that cannot be used, and the signal's reason when aborted. */
export async function loadDataset(
  blob: Blob,
  name: string,
  tokenizer: Tokenizer,
  options: LoadOptions,
): Promise<TokenizedDataset> {
  const { maxLength, onProgress, signal } = options;
  signal?.throwIfAborted();
  const format = await chooseFormat(blob, name);
  const examples: TokenizedExample[] = [];
  let tokens = 0;
  let countedTokens = 0;
  let truncatedRows = 0;
  let longestRow = 0;
  let bytes = 0;
  let reported = performance.now();
  const onBytes = (done: number) => {
    bytes = done;
  };
  for await (const conversation of format.read(blob, name, onBytes)) {
    const example = tokenize(conversation, tokenizer, { maxLength });
    examples.push(example);
    tokens += example.ids.length;
    countedTokens += example.counted.reduce((sum, counted) => sum + counted, 0);
    if (example.truncated > 0) truncatedRows++;
    longestRow = Math.max(longestRow, example.ids.length);
    if (tokens > mostTokens) {
      throw new DataError({
        file: name,
        line: example.origin.line,
        problem: `the dataset has more than ${mostTokens / 1e6} million tokens up to here`,
        remedy: "give a smaller file or lower --max-length",
      });
    }
    if (performance.now() - reported >= reportInterval) {
      onProgress?.(bytes, blob.size);
      await new Promise((resolve) => setTimeout(resolve));
      reported = performance.now();
    }
    signal?.throwIfAborted();
  }
  if (examples.length === 0) {
    throw new DataError({ file: name, problem: "the file has no rows", remedy: "choose a file with at least one row" });
  }
  onProgress?.(blob.size, blob.size);
  return { name, examples, counts: { rows: examples.length, tokens, countedTokens, truncatedRows, longestRow } };
}
