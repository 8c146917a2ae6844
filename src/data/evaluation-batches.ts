/** Held-out rows in file order, for a loss: as many whole rows per batch as fit, at least one. */
import type { BatchBounds } from "./batches";
import type { ExampleTable } from "./example-table";
import { makePackedBatch } from "./packed-batch";
import type { PackedBatch, TokenizedExample } from "./types";

export interface EvaluationBatches extends BatchBounds, AsyncIterable<PackedBatch> {}

/** May be gone through several times. */
export function evaluationBatches(table: ExampleTable, tokensPerBatch: number): EvaluationBatches {
  /** First example of each batch, and the table's end. */
  const starts: number[] = [];
  const largest = { maxTokens: 0, maxTargets: 0, maxSegment: 0 };
  let tokens = 0;
  let targets = 0;
  for (let example = 0; example < table.count; example++) {
    const length = table.length(example);
    if (example === 0 || tokens + length > tokensPerBatch) {
      starts.push(example);
      tokens = 0;
      targets = 0;
    }
    tokens += length;
    targets += table.targets(example);
    largest.maxTokens = Math.max(largest.maxTokens, tokens);
    largest.maxTargets = Math.max(largest.maxTargets, targets);
    largest.maxSegment = Math.max(largest.maxSegment, length);
  }
  return {
    ...largest,
    async *[Symbol.asyncIterator]() {
      for (const [index, start] of starts.entries()) {
        const end = starts[index + 1] ?? table.count;
        yield makePackedBatch(await table.load(Array.from({ length: end - start }, (_, offset) => start + offset)));
      }
    },
  };
}

/** The same over examples that come one by one, none longer than `maxLength`; the sizes are bounds, not exact. */
export function streamedEvaluation(
  examples: () => AsyncIterable<TokenizedExample>,
  maxLength: number,
  tokensPerBatch: number,
): EvaluationBatches {
  const most = Math.max(tokensPerBatch, maxLength);
  return {
    maxTokens: most,
    maxTargets: most,
    maxSegment: maxLength,
    async *[Symbol.asyncIterator]() {
      let batch: TokenizedExample[] = [];
      let tokens = 0;
      for await (const example of examples()) {
        if (batch.length > 0 && tokens + example.ids.length > most) {
          yield makePackedBatch(batch);
          batch = [];
          tokens = 0;
        }
        batch.push(example);
        tokens += example.ids.length;
      }
      if (batch.length > 0) yield makePackedBatch(batch);
    },
  };
}
