/** One training run from recipe and files to a kept adapter. */
import { evaluationBatches, planSteps } from "../data/batches";
import { loadDataset, type TokenizedDataset } from "../data/dataset";
import { readPeft } from "../export/read-peft";
import type { BaseModel } from "../export/types";
import { openSafetensors } from "../model/weights/safetensors";
import type { Adapter } from "../training/adapter";
import { parseRecipe, type Recipe, RecipeError } from "../training/recipe";
import { type SessionSizes, TrainingSession } from "../training/session";
import { type EvalEvent, type StepEvent, train } from "../training/trainer";
import { StudioError } from "./errors";
import type { OpenModel } from "./model-slot";
import type { AdapterFiles, Calls, DataSource, ProgressEvent, RunSummary, TrainEvent } from "./protocol";
import { seededUniform } from "./random";
import { runName } from "./storage/names";
import { listRuns, saveRun } from "./storage/runs";

/** A PEFT folder's two files as an adapter of the open model. Throws `AdapterError`, `WeightsError`. */
export async function readAdapterFiles(files: AdapterFiles, base: BaseModel): Promise<Adapter> {
  const weights = await openSafetensors(files.weights, "adapter_model.safetensors");
  return readPeft(files.config, weights, base);
}

/** The recipe, if it is one and fits the model. Throws `RecipeError`. */
export function checkRecipe(value: Recipe, { info }: OpenModel): Recipe {
  const recipe = parseRecipe({ ...value });
  if (recipe.maxLength > info.maxPositions) {
    throw new RecipeError(
      "maxLength",
      `maxLength is ${recipe.maxLength}; ${info.name} takes at most ${info.maxPositions} tokens.`,
    );
  }
  return recipe;
}

/** Reads and tokenizes a dataset file. Throws `DataError`. */
export function readDataset(
  open: OpenModel,
  data: DataSource,
  maxLength: number,
  onProgress: (progress: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<TokenizedDataset> {
  return loadDataset(data.blob, data.name, open.tokenizer, {
    maxLength,
    signal,
    onProgress: (done, total) => onProgress({ phase: `reading ${data.name}`, done, total }),
  });
}

/** The run of an adapter that starts elsewhere keeps that adapter's shape. */
function withAdapter(recipe: Recipe, adapter: Adapter | null): Recipe {
  if (!adapter) return recipe;
  const { rank, alpha, rslora, targetModules } = adapter.config;
  return { ...recipe, rank, alpha, rslora, targetModules };
}

/**
 * Trains, keeps the adapter and gives the run's summary. An aborted run keeps what it learned; aborted before its first
 * step it throws "aborted" and keeps nothing.
 */
export async function runTraining(
  open: OpenModel,
  input: Calls["train"]["in"],
  emit: (event: TrainEvent) => void,
  signal: AbortSignal,
): Promise<RunSummary> {
  const { device, model, base, info } = open;
  const started = performance.now();
  const progress = (event: ProgressEvent) => emit({ kind: "progress", progress: event });
  const initial = input.initAdapter && (await readAdapterFiles(input.initAdapter, base));
  const recipe = checkRecipe(withAdapter(input.recipe, initial), open);
  const dataset = await readDataset(open, input.data, recipe.maxLength, progress, signal);
  const plan = planSteps(dataset.examples, recipe);
  const heldOutRows = input.evalData && (await readDataset(open, input.evalData, recipe.maxLength, progress, signal));
  const heldOut = heldOutRows && evaluationBatches(heldOutRows.examples, plan.maxTokens);
  const sizes: SessionSizes = {
    maxTokens: Math.max(plan.maxTokens, heldOut?.maxTokens ?? 0),
    maxTargets: Math.max(plan.maxTargets, heldOut?.maxTargets ?? 0),
    maxSegment: Math.max(plan.maxSegment, heldOut?.maxSegment ?? 0),
  };
  const session = await TrainingSession.create(device, model, recipe, sizes, (done, total) =>
    progress({ phase: "compiling shaders", done, total }),
  );
  try {
    if (initial) session.load(initial.modules);
    else session.initialize(seededUniform(recipe.seed));
    const id = crypto.randomUUID();
    emit({
      kind: "start",
      run: id,
      steps: plan.steps,
      trainableParameters: session.layout.parameters,
      memory: session.memory,
    });
    const log: (StepEvent | EvalEvent)[] = [];
    for await (const event of train(session, recipe, { steps: plan.steps, batches: plan.batches(), heldOut }, signal)) {
      log.push(event);
      emit(event);
    }
    const steps = log.filter((event) => event.kind === "step");
    if (steps.length === 0) throw new StudioError("aborted", "Stopped before the first step; nothing was kept.");
    const evals = log.filter((event) => event.kind === "eval");
    const adapter: Adapter = {
      config: {
        baseModel: info.name,
        rank: recipe.rank,
        alpha: recipe.alpha,
        rslora: recipe.rslora,
        dropout: recipe.dropout,
        targetModules: recipe.targetModules === "all-linear" ? info.loraTargets : recipe.targetModules,
      },
      modules: await session.matrices(),
    };
    const summary: RunSummary = {
      id,
      name: runName(new Set((await listRuns()).map((run) => run.name))),
      model: info.name,
      dataset: dataset.name,
      recipe,
      created: new Date().toISOString(),
      state: steps.length === plan.steps ? "finished" : "stopped",
      steps: steps.length,
      trainableParameters: session.layout.parameters,
      losses: steps.map((event) => event.loss),
      evalBefore: evals[0]?.loss ?? null,
      evalAfter: evals.at(-1)?.loss ?? null,
      milliseconds: performance.now() - started,
      tokens: steps.reduce((sum, event) => sum + event.tokens, 0),
      adapterBytes: 4 * session.layout.parameters,
    };
    await saveRun({ summary, base, adapter, log });
    return summary;
  } finally {
    session.destroy();
  }
}
