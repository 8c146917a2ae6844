/** Greedy answers in the middle of a run, with the adapter as it is: they read the session and change nothing of it. */
import type { DataOptions } from "../data/options";
import { withChosenTemplate } from "../data/templates/index";
import type { Tokenizer } from "../data/tokenizer";
import { turnEndIds } from "../data/turn-end";
import { Decoder, type DecoderAdapter } from "../model/generation/decoder";
import { generate } from "../model/generation/generate";
import { adapterScale } from "../training/adapter";
import type { Recipe } from "../training/recipe";
import type { TrainingSession } from "../training/session";
import { StudioError, toErrorData } from "./errors";
import type { OpenModel } from "./model-slot";
import type { SampleRequest, TrainEvent } from "./protocol";
import { samplingSteps } from "./sampling-steps";
import { unknownToken } from "./tokens";

const mostPrompts = 3;
const mostNewTokens = 64;

export class RunSampler {
  readonly #open: OpenModel;
  readonly #session: TrainingSession;
  readonly #recipe: Recipe;
  readonly #options: DataOptions;
  readonly #emit: (event: TrainEvent) => void;
  readonly #prompts: readonly string[];
  readonly #maxNewTokens: number;
  readonly #places: ReadonlySet<number>;
  #failed = false;

  /** `steps`: those that the run is planned for. Without a request it does nothing. */
  constructor(
    open: OpenModel,
    session: TrainingSession,
    recipe: Recipe,
    options: DataOptions,
    request: SampleRequest | null,
    steps: number,
    emit: (event: TrainEvent) => void,
  ) {
    this.#open = open;
    this.#session = session;
    this.#recipe = recipe;
    this.#options = options;
    this.#emit = emit;
    this.#prompts = (request?.prompts ?? []).filter((prompt) => prompt.trim() !== "").slice(0, mostPrompts);
    this.#maxNewTokens = Math.min(request?.maxNewTokens ?? 0, mostNewTokens);
    this.#places = samplingSteps(steps, request?.every ?? null);
  }

  /** Samples if `step` is a step to sample at. What goes wrong is told once and never ends the run. */
  async at(step: number, signal: AbortSignal): Promise<void> {
    if (this.#failed || this.#prompts.length === 0 || !this.#places.has(step) || signal.aborted) return;
    try {
      const tokenizer = withChosenTemplate(this.#open.tokenizer, this.#options.template);
      const adapter = await this.#adapter();
      for (const prompt of this.#prompts) {
        const text = await this.#answer(tokenizer, adapter, prompt, signal);
        if (text === null) return;
        this.#emit({ kind: "sample", step, prompt, text });
      }
    } catch (thrown) {
      this.#failed = true;
      this.#emit({ kind: "samples-skipped", step, error: toErrorData(thrown) });
    }
  }

  async #adapter(): Promise<DecoderAdapter> {
    const { rank, targetModules } = this.#recipe;
    return {
      rank,
      targetModules: targetModules === "all-linear" ? this.#open.info.loraTargets : targetModules,
      scale: adapterScale(this.#recipe),
      matrices: await this.#session.matrices(),
    };
  }

  /** Null where it was stopped. The decoder's memory is taken for one answer only. */
  async #answer(
    tokenizer: Tokenizer,
    adapter: DecoderAdapter,
    prompt: string,
    signal: AbortSignal,
  ): Promise<string | null> {
    const { device, model, info } = this.#open;
    const ids = promptIds(tokenizer, prompt);
    if (ids.length >= info.maxPositions) {
      throw new StudioError(
        "bad-input",
        `A question has ${ids.length} tokens; ${info.name} takes at most ${info.maxPositions}, so shorten it.`,
      );
    }
    const unknown = unknownToken(ids, this.#open);
    if (unknown) throw new StudioError("bad-input", `In a question ${unknown.problem}; ${unknown.remedy}.`);
    const capacity = Math.min(info.maxPositions, ids.length + this.#maxNewTokens);
    const decoder = await Decoder.create(device, model, { capacity, adapter });
    try {
      const { text, stopped } = await generate(
        decoder,
        ids,
        {
          temperature: 0,
          topK: 0,
          topP: 1,
          maxNewTokens: this.#maxNewTokens,
          stopIds: [...model.config.eosTokenIds, tokenizer.eosTokenId, ...turnEndIds(tokenizer)],
          strength: 1,
          uniform: () => 0,
          decode: (tokens) => tokenizer.decode(tokens, { skipSpecialTokens: true }),
          signal,
        },
        () => undefined,
      );
      return stopped === "aborted" ? null : text;
    } finally {
      decoder.destroy();
    }
  }
}

function promptIds(tokenizer: Tokenizer, prompt: string): number[] {
  if (!tokenizer.hasChatTemplate) return tokenizer.encode(prompt, { addSpecialTokens: true });
  const chat = tokenizer.renderChat([{ role: "user", content: prompt }], { addGenerationPrompt: true });
  return tokenizer.encode(chat, { addSpecialTokens: false });
}
