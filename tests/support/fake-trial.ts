/** What the fake client answers where a run is tried: two canned answers with their tokens, and the losses of a few rows. */
import { StudioError } from "../../src/worker/errors";
import type {
  CallOptions,
  EvaluatedRows,
  EvaluateRowsRequest,
  GenerateRequest,
  GenerateSummary,
  RowLosses,
  TokenPiece,
} from "../../src/worker/protocol";
import { type FakeDataset, viewRows } from "./fake-data";

const end: TokenPiece = { id: 2, text: "<|end|>" };

const pieces = (texts: readonly string[], first: number): TokenPiece[] =>
  texts.map((text, index) => ({ id: first + index, text }));

function promptTokens(prompt: GenerateRequest["prompt"]): readonly TokenPiece[] {
  const words = (text: string): string[] => text.split(/(?= )/);
  if (typeof prompt === "string") return pieces(["<|begin|>", ...words(prompt)], 1);
  const turns = prompt.flatMap(({ role, content }) => [`<|${role}|>`, "\n", ...words(content), "\n"]);
  return pieces([...turns, "<|assistant|>", "\n"], 1);
}

export async function fakeGenerate(
  { prompt, run }: GenerateRequest,
  { onEvent, signal }: CallOptions<"generate">,
  pause: () => Promise<void>,
): Promise<GenerateSummary> {
  const answer =
    run === null
      ? "You put the tea in the water and wait a little."
      : "Arr, ye drop the leaves in boilin' water, matey!";
  const words = answer.split(/(?<= )/);
  const written: string[] = [];
  const summary = (stopped: GenerateSummary["stopped"]): GenerateSummary => ({
    text: written.join(""),
    tokens: written.length,
    milliseconds: 40 * written.length,
    stopped,
    promptTokens: promptTokens(prompt),
    answerTokens: [...pieces(written, 200), ...(stopped === "eos" ? [end] : [])],
  });
  for (const word of words) {
    if (signal?.aborted === true) return summary("aborted");
    await pause();
    written.push(word);
    onEvent?.({ text: word });
  }
  return summary("eos");
}

export interface FakeTrialOptions {
  /** Every dataset's rows; of one that fits no shape none can be measured. */
  readonly dataset?: FakeDataset;
  /** Measuring rows waits after the fourth one until it is cancelled. */
  readonly holdRows?: boolean;
}

const measurable = 12;

/** Most rows learned much, some little, and one in seven got worse. */
function lossesOf(row: number): { readonly base: number; readonly tuned: number } {
  const base = 3.1 + 0.7 * Math.sin(1 + 2.4 * row);
  return { base, tuned: row % 7 === 4 ? base + 0.21 : base * (0.42 + 0.11 * Math.cos(1.7 * row)) };
}

/** Up to twelve rows, with an event each, in the order of the dataset. */
export async function fakeEvaluateRows(
  { dataset = "clean", holdRows = false }: FakeTrialOptions,
  { data, most }: EvaluateRowsRequest,
  { onEvent, signal }: CallOptions<"evaluateRows">,
  pause: () => Promise<void>,
): Promise<EvaluatedRows> {
  const { rows: views, total: totalRows } = viewRows(dataset, 0, 2 * measurable, null);
  const total = Math.min(most, measurable, views.filter(({ tokens }) => tokens.length > 0).length);
  if (total === 0) {
    throw new StudioError("bad-input", `${data.name}: none of the ${totalRows} rows can be measured; choose others.`);
  }
  const report = (phase: string, done: number, of: number): void =>
    onEvent?.({ kind: "progress", progress: { phase, done, total: of } });
  report(`tokenizing ${data.name}`, totalRows, totalRows);
  await pause();
  report("compiling shaders", 3, 9);
  const rows: RowLosses[] = [];
  let leftOutRows = 0;
  for (const view of views) {
    if (rows.length === total) break;
    if (view.tokens.length === 0) {
      leftOutRows++;
      continue;
    }
    if (holdRows && rows.length === 4) {
      await new Promise<void>((resolve) => {
        if (signal?.aborted === true) resolve();
        signal?.addEventListener("abort", () => resolve());
      });
    }
    await pause();
    if (signal?.aborted === true) throw new StudioError("aborted", "Stopped before there was anything to keep.");
    const { row, file, line } = view;
    const textOf = (trained: boolean): string =>
      (view.turns ?? [])
        .filter((turn) => turn.trained === trained)
        .map(({ content }) => content)
        .join("\n");
    const measured: RowLosses = {
      row,
      file,
      line,
      prompt: textOf(false),
      answer: textOf(true),
      countedTokens: view.tokens.filter(({ counted }) => counted).length,
      truncated: row === 9,
      ...lossesOf(row),
    };
    rows.push(measured);
    onEvent?.({ kind: "row", row: measured });
    report("measuring the loss", rows.length, total);
  }
  const tokens = rows.reduce((sum, { countedTokens }) => sum + countedTokens, 0);
  const mean = (of: "base" | "tuned"): number =>
    rows.reduce((sum, row) => sum + row[of] * row.countedTokens, 0) / tokens;
  return { rows, totalRows, leftOutRows, base: mean("base"), tuned: mean("tuned") };
}
