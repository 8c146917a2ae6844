/** What the open model says, with or without a run: answers, logits and losses. */
import { dataDefaults } from "../data/options";
import { withChosenTemplate } from "../data/templates/index";
import type { Tokenizer } from "../data/tokenizer";
import { turnEndIds } from "../data/turn-end";
import { adapterFault } from "../export/check";
import { AdapterError } from "../export/errors";
import { Decoder } from "../model/generation/decoder";
import { generate } from "../model/generation/generate";
import { type Adapter, adapterScale } from "../training/adapter";
import type { DataSlot } from "./data-slot";
import { StudioError } from "./errors";
import { runEvaluation } from "./evaluation";
import type { ModelSlot, OpenModel } from "./model-slot";
import type { CallName, GenerateRequest, GenerateSummary, Handlers, RunId, TokenEvent } from "./protocol";
import { seededUniform } from "./random";
import { measureRows } from "./row-losses";
import type { RunRecord } from "./storage/record";
import { loadRun } from "./storage/runs";
import { tokenPieces } from "./token-pieces";
import { unknownToken } from "./tokens";

type AnswerHandlers = Pick<Handlers, "evaluate" | "evaluateRows" | "logits" | "generate">;

export function answerHandlers(
  slot: ModelSlot,
  datasets: DataSlot,
  exclusive: <T>(call: CallName, work: () => Promise<T>) => Promise<T>,
): AnswerHandlers {
  return {
    evaluate: (input, emit, signal) =>
      exclusive("evaluate", async () => {
        const open = slot.current;
        const run = input.run === null ? null : await runOn(open, input.run);
        return runEvaluation(open, datasets, input, run?.adapter ?? null, emit, signal);
      }),

    evaluateRows: (input, emit, signal) =>
      exclusive("evaluateRows", async () => {
        const open = slot.current;
        const { adapter } = await runOn(open, input.run);
        return measureRows(open, datasets, input, adapter, emit, signal);
      }),

    logits: ({ ids, run }) =>
      exclusive("logits", async () => {
        const open = slot.current;
        requireRoom(ids.length, open);
        requireTokens(ids, open);
        const record = run === null ? null : await runOn(open, run);
        const made = await decoder(open, record?.adapter ?? null, ids.length);
        try {
          return { logits: await made.appendAll(ids, 1), vocabSize: open.model.output.rows };
        } finally {
          made.destroy();
        }
      }),

    generate: (request, emit, signal) => exclusive("generate", () => answer(slot.current, request, emit, signal)),
  };
}

/** Throws `AdapterError` where the run was not made for the open model. */
async function runOn(open: OpenModel, run: RunId): Promise<RunRecord> {
  const record = await loadRun(run);
  const fault = adapterFault(record.adapter, open.base);
  if (fault) throw new AdapterError(fault);
  return record;
}

function decoder({ device, model }: OpenModel, adapter: Adapter | null, capacity: number): Promise<Decoder> {
  return Decoder.create(device, model, {
    capacity,
    adapter: adapter && { ...adapter.config, scale: adapterScale(adapter.config), matrices: adapter.modules },
  });
}

async function answer(
  open: OpenModel,
  request: GenerateRequest,
  emit: (event: TokenEvent) => void,
  signal: AbortSignal,
): Promise<GenerateSummary> {
  const { model, info } = open;
  const start = performance.now();
  const run = request.run === null ? null : await runOn(open, request.run);
  // The adapter answers in the form that it was trained on.
  const template = run?.summary.dataOptions?.template ?? dataDefaults.template;
  const tokenizer = withChosenTemplate(open.tokenizer, template);
  const prompt = promptIds(tokenizer, request.prompt);
  if (prompt.length === 0) throw new StudioError("bad-input", "The prompt is empty; write something to continue.");
  requireRoom(prompt.length + 1, open);
  requireTokens(prompt, open);
  const capacity = Math.min(info.maxPositions, prompt.length + request.maxNewTokens);
  const made = await decoder(open, run?.adapter ?? null, capacity);
  try {
    const { text, ids, end, stopped } = await generate(
      made,
      prompt,
      {
        ...request,
        stopIds: [...model.config.eosTokenIds, tokenizer.eosTokenId, ...turnEndIds(tokenizer)],
        uniform: seededUniform(request.seed),
        decode: (tokens) => tokenizer.decode(tokens, { skipSpecialTokens: true }),
        signal,
      },
      (piece) => emit({ text: piece }),
    );
    const milliseconds = performance.now() - start;
    const promptTokens = tokenPieces(tokenizer, prompt);
    const answerTokens = tokenPieces(tokenizer, end === null ? ids : [...ids, end]);
    return { text, tokens: ids.length, milliseconds, stopped, promptTokens, answerTokens };
  } finally {
    made.destroy();
  }
}

function promptIds(tokenizer: Tokenizer, prompt: GenerateRequest["prompt"]): number[] {
  if (typeof prompt === "string") return tokenizer.encode(prompt, { addSpecialTokens: true });
  return tokenizer.encode(tokenizer.renderChat(prompt, { addGenerationPrompt: true }), { addSpecialTokens: false });
}

function requireTokens(ids: readonly number[], open: OpenModel): void {
  const unknown = unknownToken(ids, open);
  if (unknown) throw new StudioError("bad-input", `In the prompt ${unknown.problem}; ${unknown.remedy}.`);
}

function requireRoom(tokens: number, { info }: OpenModel): void {
  if (tokens <= info.maxPositions) return;
  throw new StudioError(
    "bad-input",
    `The prompt has ${tokens} tokens; ${info.name} takes at most ${info.maxPositions}, so shorten it.`,
    { tokens, limit: info.maxPositions },
  );
}
