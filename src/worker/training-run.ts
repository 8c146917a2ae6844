/** One training run from recipe and files to a kept adapter. */
import {
  type Dataset,
  heldOutBatches,
  heldOutRows,
  measuredBatches,
  measuredRows,
  planTraining,
} from "../data/dataset";
import type { DataOptions } from "../data/options";
import { refusalOf } from "../data/refusal";
import { chosenJinja } from "../data/templates/index";
import type { Adapter } from "../training/adapter";
import type { Recipe } from "../training/recipe";
import { TrainingSession } from "../training/session";
import { train } from "../training/trainer";
import type { DataLease, DataSlot } from "./data-slot";
import { StudioError, toErrorData } from "./errors";
import type { OpenModel } from "./model-slot";
import type {
  Calls,
  DataSource,
  ProgressEvent,
  RunId,
  RunLogEvent,
  RunSummary,
  SampleRequest,
  TrainEvent,
} from "./protocol";
import { seededUniform } from "./random";
import { checkRecipe, heldOutData, largerSizes, readAdapterFiles } from "./run-input";
import { RunSampler } from "./run-sampler";
import { runName } from "./storage/names";
import type { RunRecord } from "./storage/record";
import { checkStorage, listRuns, saveRun } from "./storage/runs";

/** The run of an adapter that starts elsewhere keeps that adapter's shape. */
function withAdapter(recipe: Recipe, adapter: Adapter | null): Recipe {
  if (!adapter) return recipe;
  const { rank, alpha, rslora, targetModules } = adapter.config;
  return { ...recipe, rank, alpha, rslora, targetModules };
}

/**
 * Trains, keeps the adapter and gives the run's summary. An aborted run keeps what it learned; aborted before its first
 * step it throws "aborted" and keeps nothing. Throws `DataError` for data with problems that are not skipped.
 */
export async function runTraining(
  open: OpenModel,
  datasets: DataSlot,
  input: Calls["train"]["in"],
  emit: (event: TrainEvent) => void,
  signal: AbortSignal,
): Promise<RunSummary> {
  const started = performance.now();
  await checkStorage();
  const progress = (event: ProgressEvent) => emit({ kind: "progress", progress: event });
  const initial = input.initAdapter && (await readAdapterFiles(input.initAdapter, open.base));
  const recipe = checkRecipe(withAdapter(input.recipe, initial), open);
  const leases: DataLease[] = [];
  const take = async (data: DataSource): Promise<Dataset> => {
    const lease = await datasets.open(open, data, recipe, { onProgress: progress }, signal);
    leases.push(lease);
    const refusal = refusalOf(lease.dataset, data.options.skip);
    if (refusal) throw refusal;
    return lease.dataset;
  };
  try {
    const dataset = await take(input.data);
    const heldOut = input.evalData && (await take(heldOutData(input.evalData)));
    const { options } = input.data;
    const samples = input.samples ?? null;
    return await trainOn(open, { dataset, heldOut, options, initial, recipe, samples, started }, emit, signal);
  } finally {
    for (const lease of leases) lease.release();
  }
}

interface Work {
  readonly dataset: Dataset;
  readonly heldOut: Dataset | null;
  readonly options: DataOptions;
  readonly initial: Adapter | null;
  readonly recipe: Recipe;
  readonly samples: SampleRequest | null;
  /** `performance.now()` when the run began. */
  readonly started: number;
}

async function trainOn(
  open: OpenModel,
  { dataset, heldOut: measured, options, initial, recipe, samples, started }: Work,
  emit: (event: TrainEvent) => void,
  signal: AbortSignal,
): Promise<RunSummary> {
  const { device, model } = open;
  const progress = (event: ProgressEvent) => emit({ kind: "progress", progress: event });
  const plan = planTraining(dataset, recipe, options.skip);
  const heldOut = measured ? measuredBatches(measured, plan.maxTokens) : heldOutBatches(dataset, plan.maxTokens);
  const sizes = largerSizes(plan, heldOut);
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
    const log: RunLogEvent[] = [];
    const keep = async (): Promise<RunSummary> => {
      const matrices = await session.matrices();
      const data = {
        dataset: dataset.name,
        dataOptions: options,
        leftOutRows: plan.leftOutRows(),
        heldOut: measured ? measuredRows(measured) : heldOutRows(dataset),
      };
      const outcome = { id, planned: plan.steps, started, log, matrices };
      const chatTemplate = chosenJinja(open.tokenizer, options.template);
      const record = { ...recordOf(open, recipe, data, outcome, await freeName()), chatTemplate };
      await saveRun(record);
      return record.summary;
    };
    const answered = (event: TrainEvent): void => {
      if (event.kind === "sample") log.push(event);
      emit(event);
    };
    const sampler = new RunSampler(open, session, recipe, options, samples, plan.steps, answered);
    try {
      await sampler.at(0, signal);
      for await (const event of train(
        session,
        recipe,
        { steps: plan.steps, batches: plan.batches(), heldOut },
        signal,
      )) {
        log.push(event);
        emit(event);
        if (event.kind === "step") await sampler.at(event.step, signal);
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

const stepsOf = (log: readonly RunLogEvent[]) => log.filter((event) => event.kind === "step");

async function freeName(): Promise<string> {
  return runName(new Set((await listRuns()).map((run) => run.name)));
}

interface Outcome {
  readonly id: RunId;
  /** Steps that the recipe asked for. */
  readonly planned: number;
  /** `performance.now()` when the run began. */
  readonly started: number;
  readonly log: readonly RunLogEvent[];
  readonly matrices: Adapter["modules"];
}

/** What is kept of a run, under a name that the caller chooses. */
function recordOf(
  { info, base }: OpenModel,
  recipe: Recipe,
  data: Required<Pick<RunSummary, "dataset" | "dataOptions" | "leftOutRows" | "heldOut">>,
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
      ...data,
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
