/** Adapters that come in, each kept as a run: with its history where our own run file lies beside it, else as a bare adapter. */
import type { Adapter } from "../training/adapter";
import { recipeDefaults } from "../training/recipe";
import { type FoundAdapter, findAdapters } from "./adapter-files";
import { StudioError, toErrorData } from "./errors";
import type { OpenModel } from "./model-slot";
import type { AdapterFiles, DataFile, ImportedAdapters, RunSummary } from "./protocol";
import type { RunHistory } from "./run-file";
import { readAdapterFiles } from "./run-input";
import { freeName } from "./storage/names";
import { listRuns, saveRun } from "./storage/runs";

/** Throws `AdapterError`, `WeightsError` for files that do not fit the open model, `StudioError` "storage". */
export async function importAdapter(open: OpenModel, name: string, files: AdapterFiles): Promise<RunSummary> {
  return keep(open, name, await readAdapterFiles(files, open.base), null);
}

/** Of many, those that can be used are kept. Throws where none can. */
export async function importAdapters(open: OpenModel, files: readonly DataFile[]): Promise<ImportedAdapters> {
  const found = await findAdapters(files);
  const runs: RunSummary[] = [];
  const refused: string[] = [];
  const notes: string[] = [];
  for (const one of found) {
    try {
      const adapter = await readAdapterFiles(one.files, open.base);
      const { history, fault } = await historyOf(one, adapter);
      const run = await keep(open, one.name, adapter, history);
      runs.push(run);
      if (fault !== null) notes.push(`${run.name} came without its history: ${fault}`);
      else if (history !== null && history.summary.model !== run.model) {
        notes.push(`${run.name} was trained on ${history.summary.model}; it is kept for ${run.model}, which is open.`);
      }
    } catch (error) {
      if (found.length === 1) throw error;
      refused.push(`${one.name}: ${toErrorData(error).message}`);
    }
  }
  const [first] = refused;
  if (runs.length === 0 && first !== undefined) {
    throw new StudioError("bad-input", `None of ${found.length} adapters can be used. ${first}`);
  }
  return { runs, refused, notes };
}

/** A run file that cannot be used costs the history and not the adapter. */
async function historyOf(
  { files, runFile }: FoundAdapter,
  { config }: Adapter,
): Promise<{ readonly history: RunHistory | null; readonly fault: string | null }> {
  if (runFile === null) return { history: null, fault: null };
  const { readRunFile } = await import("./read-run-file");
  try {
    return { history: await readRunFile(runFile, config, files.weights), fault: null };
  } catch (error) {
    return { history: null, fault: toErrorData(error).message };
  }
}

async function keep(
  { base, info }: OpenModel,
  name: string,
  adapter: Adapter,
  history: RunHistory | null,
): Promise<RunSummary> {
  const parameters = adapter.modules.reduce((sum, { a, b }) => sum + a.length + b.length, 0);
  const taken = (await listRuns()).map((run) => run.name);
  const summary: RunSummary = {
    ...(history?.summary ?? unknownRun(adapter, info.defaultLearningRate)),
    id: crypto.randomUUID(),
    name: freeName(history?.summary.name ?? name, taken),
    model: info.name,
    trainableParameters: parameters,
    adapterBytes: 4 * parameters,
  };
  await saveRun({ summary, base, adapter, chatTemplate: history?.chatTemplate ?? null, log: history?.log ?? [] });
  return summary;
}

type Known = "id" | "name" | "model" | "trainableParameters" | "adapterBytes";

/** All that can be said of an adapter from elsewhere is its shape. */
function unknownRun({ config }: Adapter, learningRate: number): Omit<RunSummary, Known> {
  const { rank, alpha, rslora, dropout, targetModules } = config;
  return {
    dataset: "",
    recipe: { ...recipeDefaults, learningRate, rank, alpha, rslora, dropout, targetModules },
    created: new Date().toISOString(),
    state: "finished",
    steps: 0,
    losses: [],
    evalBefore: null,
    evalAfter: null,
    milliseconds: 0,
    tokens: 0,
  };
}
