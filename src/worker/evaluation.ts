/** The loss of the open model, with or without an adapter, on a dataset: all its rows, however many they are. */
import { allBatches } from "../data/dataset";
import { refusalOf } from "../data/refusal";
import type { Adapter } from "../training/adapter";
import { Evaluator } from "../training/evaluator";
import type { DataSlot } from "./data-slot";
import type { OpenModel } from "./model-slot";
import type { Calls, EvaluateSummary, ProgressEvent } from "./protocol";
import { heldOutData } from "./run-input";

/** Rows go through in batches of about this many tokens. */
const evaluationTokens = 512;
/** Nothing of a dataset that is only measured is drawn by chance, a sample for its figures apart. */
const seed = 0;

export async function runEvaluation(
  open: OpenModel,
  datasets: DataSlot,
  { data, maxLength: wanted }: Calls["evaluate"]["in"],
  adapter: Adapter | null,
  emit: (event: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<EvaluateSummary> {
  const maxLength = Math.min(wanted, open.info.maxPositions);
  const lease = await datasets.open(open, heldOutData(data), { maxLength, seed }, { onProgress: emit }, signal);
  try {
    const { dataset } = lease;
    const refusal = refusalOf(dataset, data.options.skip);
    if (refusal) throw refusal;
    const tokens = Math.max(evaluationTokens, dataset.figures.longestRow);
    const { batches, counts } = allBatches(dataset, tokens, signal, data.options.skip);
    const evaluator = await Evaluator.create(open.device, open.model, adapter, batches);
    try {
      const { loss, countedTokens } = await evaluator.measure(batches, {
        signal,
        onProgress: (done) => emit({ phase: "measuring the loss", done, total: dataset.figures.countedTokens }),
      });
      return { loss, perplexity: Math.exp(loss), countedTokens, ...counts() };
    } finally {
      evaluator.destroy();
    }
  } finally {
    lease.release();
  }
}
