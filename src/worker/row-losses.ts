/** The loss of single rows, under the base model and under a run: which ones the run learned, and which ones it did not. */
import { DataError } from "../data/errors";
import { countTargets, makePackedBatch } from "../data/packed-batch";
import { refusalOf } from "../data/refusal";
import { cut } from "../data/survey/cell-text";
import type { Reading, ReadRow } from "../data/survey/read-row";
import { readRows } from "../data/survey/row-reader";
import { rowView } from "../data/survey/row-view";
import type { TokenizedExample } from "../data/types";
import type { Adapter } from "../training/adapter";
import { Evaluator } from "../training/evaluator";
import type { SessionSizes } from "../training/loss";
import type { DataSlot } from "./data-slot";
import { StudioError } from "./errors";
import type { OpenModel } from "./model-slot";
import type { EvaluatedRows, EvaluateRowsEvent, EvaluateRowsRequest, RowLosses } from "./protocol";
import { heldOutData } from "./run-input";

/** Characters of a prompt or an answer that a person is shown. */
const excerptLength = 300;
/** Nothing of a dataset that is only measured is drawn by chance, a sample for its figures apart. */
const seed = 0;

/**
 * The first `most` rows without a problem, whether or not the options skip such problems. Throws `DataError` for a dataset
 * of which no row can be measured, and the signal's reason.
 */
export async function measureRows(
  open: OpenModel,
  datasets: DataSlot,
  { data, maxLength: wanted, most }: EvaluateRowsRequest,
  adapter: Adapter,
  emit: (event: EvaluateRowsEvent) => void,
  signal: AbortSignal,
): Promise<EvaluatedRows> {
  if (!(most >= 1)) throw new StudioError("bad-input", `${most} rows were to be measured; ask for one at least.`);
  const maxLength = Math.min(wanted, open.info.maxPositions);
  const progress = (phase: string, done: number, total: number) =>
    emit({ kind: "progress", progress: { phase, done, total } });
  const lease = await datasets.open(
    open,
    heldOutData(data),
    { maxLength, seed },
    { onProgress: (event) => emit({ kind: "progress", progress: event }) },
    signal,
  );
  try {
    const { dataset } = lease;
    const { source, reading } = dataset;
    const refusal = dataset.survey.trained.length > 0 ? null : refusalOf(dataset, data.options.skip);
    if (refusal) throw refusal;
    const firstRows = () => readRows(source, source.rows, reading, signal);
    // Looked through twice rather than held: a row may be as long as its file.
    const found = await look(firstRows(), most);
    progress("measuring the loss", 0, found.rows);
    const evaluator = await Evaluator.create(open.device, open.model, adapter, found.sizes);
    try {
      const rows: RowLosses[] = [];
      for await (const read of firstRows()) {
        if (read.examples.length === 0) continue;
        for (const example of read.examples) requireFit(example, found.sizes);
        const row = await lossesOf(read, reading, evaluator, signal);
        rows.push(row);
        emit({ kind: "row", row });
        progress("measuring the loss", rows.length, found.rows);
        if (rows.length === found.rows) break;
      }
      return { rows, totalRows: source.rows, leftOutRows: found.leftOutRows, ...means(rows) };
    } finally {
      evaluator.destroy();
    }
  } finally {
    lease.release();
  }
}

interface Look {
  /** Rows that will be measured. */
  readonly rows: number;
  /** Rows with a problem that were met on the way to the last of them, or to the dataset's end. */
  readonly leftOutRows: number;
  /** Of one document at a time. */
  readonly sizes: SessionSizes;
}

async function look(reads: AsyncIterable<ReadRow>, most: number): Promise<Look> {
  let rows = 0;
  let leftOutRows = 0;
  let maxTokens = 0;
  let maxTargets = 0;
  for await (const { examples, problem } of reads) {
    if (problem) leftOutRows++;
    for (const example of examples) {
      maxTokens = Math.max(maxTokens, example.ids.length);
      maxTargets = Math.max(maxTargets, countTargets(example));
    }
    if (examples.length > 0) rows++;
    if (rows >= most) break;
  }
  return { rows, leftOutRows, sizes: { maxTokens, maxTargets, maxSegment: maxTokens } };
}

/** A file that changed in between must not write past the end of a buffer. */
function requireFit(example: TokenizedExample, { maxTokens, maxTargets }: SessionSizes): void {
  if (example.ids.length <= maxTokens && countTargets(example) <= maxTargets) return;
  throw new DataError({
    ...example.origin,
    problem: "the row is no longer what it was when the file was read",
    remedy: "choose the file again",
  });
}

/** One program for both: at strength 0 the adapter adds exactly nothing. The parts of a split row are documents of their own. */
async function lossesOf(
  read: ReadRow,
  reading: Reading,
  evaluator: Evaluator,
  signal: AbortSignal,
): Promise<RowLosses> {
  const batches = read.examples.map((example) => makePackedBatch([example]));
  const base = await evaluator.measure(batches, { strength: 0, signal });
  const tuned = await evaluator.measure(batches, { strength: 1, signal });
  return {
    ...excerpts(read, reading),
    row: read.raw.row,
    file: read.raw.origin.file,
    line: read.raw.origin.line,
    countedTokens: base.countedTokens,
    truncated: read.examples.some(({ truncated }) => truncated > 0),
    base: base.loss,
    tuned: tuned.loss,
  };
}

function excerpts(read: ReadRow, reading: Reading): Pick<RowLosses, "prompt" | "answer"> {
  const { conversation, examples } = read;
  const excerpt = (texts: readonly string[]) => cut(texts.join("\n"), excerptLength);
  if (conversation?.kind === "tokens") {
    const text = (counts: 0 | 1) =>
      examples.map(({ ids, counted }) => reading.tokenizer.decode(ids.filter((_, index) => counted[index] === counts)));
    return { prompt: excerpt(text(0)), answer: excerpt(text(1)) };
  }
  const turns = rowView(read, reading).turns ?? [];
  const first = turns.findIndex(({ trained }) => trained);
  const before = turns.slice(0, Math.max(0, first));
  // What is asked, rather than a long system prompt that all rows share.
  const asked = before.filter(({ role }) => role !== "system");
  return {
    prompt: excerpt((asked.length > 0 ? asked : before).map(({ content }) => content)),
    answer: excerpt(turns.filter(({ trained }) => trained).map(({ content }) => content)),
  };
}

function means(rows: readonly RowLosses[]): Pick<EvaluatedRows, "base" | "tuned"> {
  const tokens = rows.reduce((sum, { countedTokens }) => sum + countedTokens, 0);
  const mean = (of: "base" | "tuned") => rows.reduce((sum, row) => sum + row[of] * row.countedTokens, 0) / tokens;
  return { base: mean("base"), tuned: mean("tuned") };
}
