/** One training run from recipe and files to a kept adapter. */
import { evaluationBatches, planSteps } from "../data/batches";
import { loadDataset, type TokenizedDataset } from "../data/dataset";
import { DataError } from "../data/errors";
import { readPeft } from "../export/read-peft";
import type { BaseModel } from "../export/types";
import { openSafetensors } from "../model/weights/safetensors";
import type { Adapter } from "../training/adapter";
import { parseRecipe, type Recipe, RecipeError } from "../training/recipe";
import { type SessionSizes, TrainingSession } from "../training/session";
import { type EvalEvent, type StepEvent, train } from "../training/trainer";
import { StudioError, toErrorData } from "./errors";
import type { OpenModel } from "./model-slot";
import type { AdapterFiles, Calls, DataSource, ProgressEvent, RunId, RunSummary, TrainEvent } from "./protocol";
import { seededUniform } from "./random";
import { runName } from "./storage/names";
import type { RunRecord } from "./storage/record";
import { checkStorage, listRuns, saveRun } from "./storage/runs";
import { unknownToken } from "./tokens";

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

/** Reads and tokenizes a dataset file. Throws `DataError`, also for a token that the model does not have. */
export async function readDataset(
  open: OpenModel,
  data: DataSource,
  maxLength: number,
  onProgress: (progress: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<TokenizedDataset> {
  const dataset = await loadDataset(data.blob, data.name, open.tokenizer, {
    maxLength,
    signal,
    onProgress: (done, total) => onProgress({ phase: `reading ${data.name}`, done, total }),
  });
  for (const { origin, ids } of dataset.examples) {
    const problem = unknownToken(ids, open);
    if (problem) throw new DataError({ ...origin, ...problem });
  }
  return dataset;
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
  const { device, model, base } = open;
  const started = performance.now();
  await checkStorage();
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
    const keep = async (): Promise<RunSummary> => {
      const matrices = await session.matrices();
      const outcome = { id, planned: plan.steps, started, log, matrices };
      const record = recordOf(open, recipe, dataset.name, outcome, await freeName());
      await saveRun(record);
      return record.summary;
    };
    try {
      for await (const event of train(
        session,
        recipe,
        { steps: plan.steps, batches: plan.batches(), heldOut },
        signal,
      )) {
        log.push(event);
        emit(event);
      }
    } catch (error) {
      const steps = stepsOf(log).length;
      if (steps === 0) throw error;
      const { code, message, data } = toErrorData(error);
      const { name } = await keep();
      const learned = `What the ${steps} ${steps === 1 ? "step" : "steps"} before it learned is kept as ${name}.`;
      throw new StudioError(code, `${message} ${learned}`, data);
    }
    if (stepsOf(log).length === 0) {
      throw new StudioError("aborted", "Stopped before the first step; nothing was kept.");
    }
    return await keep();
  } finally {
    session.destroy();
  }
}

const stepsOf = (log: readonly (StepEvent | EvalEvent)[]) => log.filter((event) => event.kind === "step");

async function freeName(): Promise<string> {
  return runName(new Set((await listRuns()).map((run) => run.name)));
}

interface Outcome {
  readonly id: RunId;
  /** Steps that the recipe asked for. */
  readonly planned: number;
  /** `performance.now()` when the run began. */
  readonly started: number;
  readonly log: readonly (StepEvent | EvalEvent)[];
  readonly matrices: Adapter["modules"];
}

/** What is kept of a run, under a name that the caller chooses. */
function recordOf(
  { info, base }: OpenModel,
  recipe: Recipe,
  dataset: string,
  outcome: Outcome,
  name: string,
): RunRecord {
  const { id, planned, started, log, matrices } = outcome;
  const steps = stepsOf(log);
  const evals = log.filter((event) => event.kind === "eval");
  const parameters = matrices.reduce((sum, { a, b }) => sum + a.length + b.length, 0);
  const { rank, alpha, rslora, dropout } = recipe;
  const targetModules = recipe.targetModules === "all-linear" ? info.loraTargets : recipe.targetModules;
  return {
    summary: {
      id,
      name,
      model: info.name,
      dataset,
      recipe,
      created: new Date().toISOString(),
      state: steps.length === planned ? "finished" : "stopped",
      steps: steps.length,
      trainableParameters: parameters,
      losses: steps.map((event) => event.loss),
      evalBefore: evals.find((event) => event.step === 0)?.loss ?? null,
      evalAfter: evals.find((event) => event.step > 0)?.loss ?? null,
      milliseconds: performance.now() - started,
      tokens: steps.reduce((sum, event) => sum + event.tokens, 0),
      adapterBytes: 4 * parameters,
    },
    base,
    adapter: { config: { baseModel: info.name, rank, alpha, rslora, dropout, targetModules }, modules: matrices },
    log,
  };
}
