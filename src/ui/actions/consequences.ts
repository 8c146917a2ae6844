/** What the settings lead to: module sizes once a model is open, the measured speed, and what would free memory. */
import type { Recipe } from "../../training/recipe";
import type { ModelInfo } from "../../worker/protocol";
import { type Knob, knobs, type Relief } from "../stores/consequences";
import { busy, idle } from "../stores/load";
import { readNumber } from "../stores/number-text";
import { editForm, editText, isTextField } from "../stores/recipe";
import { dataSource } from "./data";
import { type Desk, failed, userOfGpu } from "./desk";

/** Parameters up to which the speed is measured unasked: a step takes well under a second on any GPU. */
const smallModel = 30e6;
/** Milliseconds without a change before anything is measured unasked. */
const settled = 1500;
/** Milliseconds before what frees memory is worked out anew. */
const planned = 300;

/** The measurement under way, by desk. */
const measurements = new WeakMap<Desk, AbortController>();

/** What the speed depends on; steps, rate and schedule are no part of it. Null while it cannot be measured. */
export function speedKey({ stores }: Desk): string | null {
  const { recipe } = stores.recipe.getState();
  const { shown, info, shownOptions } = stores.data.getState();
  const { model } = stores.model.getState();
  if (recipe === null || model.state !== "ready" || shown === null || info.state !== "ready") return null;
  if (shown.refusal !== null || shown.steps === 0 || !model.value.kernelCheck.agrees) return null;
  const { rank, targetModules, dropout, batchSize, gradientAccumulation, maxLength, pack, gradientCheckpointing } =
    recipe;
  const { name, weightFormat, quantization } = model.value;
  return JSON.stringify([
    [name, weightFormat, quantization],
    [shown.name, shown.bytes, shown.tokens, shownOptions],
    [Math.ceil(rank / 4), targetModules, dropout > 0, batchSize, gradientAccumulation, maxLength, pack],
    gradientCheckpointing,
  ]);
}

const idleGpu = (desk: Desk): boolean =>
  userOfGpu(desk) === null && desk.stores.picker.getState().opening.state !== "busy";

/** Two real steps of the run as it is set, thrown away. Anything else that wants the GPU ends it. */
export async function measureSpeed(desk: Desk): Promise<void> {
  const { client, stores } = desk;
  const key = speedKey(desk);
  const { recipe } = stores.recipe.getState();
  if (key === null || recipe === null || !idleGpu(desk)) return;
  stopMeasuring(desk);
  const controller = new AbortController();
  const { signal } = controller;
  measurements.set(desk, controller);
  stores.consequences.setState({ measuring: busy });
  const onEvent = (progress: { phase: string; done: number; total: number }): void => {
    if (!signal.aborted) stores.consequences.setState({ measuring: { state: "busy", progress } });
  };
  try {
    const { millisecondsPerStep, tokensPerSecond } = await client.call("calibrate", { recipe }, { signal, onEvent });
    if (signal.aborted) return;
    stores.consequences.setState({ speed: { millisecondsPerStep, tokensPerSecond, key }, measuring: idle });
  } catch (thrown) {
    if (signal.aborted) return;
    const failure = failed(thrown);
    // Other work came in between, which is no fault.
    const unasked = failure.error.code === "aborted" || failure.error.code === "busy";
    stores.consequences.setState({ measuring: unasked ? idle : failure });
  } finally {
    if (measurements.get(desk) === controller) measurements.delete(desk);
  }
}

export function stopMeasuring(desk: Desk): void {
  const under = measurements.get(desk);
  if (under === undefined) return;
  measurements.delete(desk);
  under.abort();
  desk.stores.consequences.setState({ measuring: idle });
}

/** The model's modules, for their sizes. */
async function readModules({ client, stores }: Desk, model: ModelInfo): Promise<void> {
  try {
    const modules = await client.call("targetModules", {});
    const now = stores.model.getState().model;
    if (now.state === "ready" && now.value === model) stores.consequences.setState({ modules });
  } catch {
    // The sizes are told only where they are known.
  }
}

/** A knob turned by one notch; null where it is at its end. */
function turned(knob: Knob, recipe: Recipe): Pick<Relief, "text" | "flags"> | null {
  const half = (value: number): number => Math.max(1, Math.floor(value / 2));
  const { maxLength, batchSize, gradientAccumulation, rank, alpha } = recipe;
  switch (knob) {
    case "gradientCheckpointing":
      return recipe.gradientCheckpointing ? null : { text: {}, flags: { gradientCheckpointing: true } };
    case "maxLength":
      return maxLength < 64 ? null : { text: { maxLength: String(half(maxLength)) }, flags: {} };
    case "batchSize": {
      if (batchSize < 2) return null;
      const accumulation = Math.ceil((gradientAccumulation * batchSize) / half(batchSize));
      const text = { batchSize: String(half(batchSize)), gradientAccumulation: String(accumulation) };
      return { text, flags: {} };
    }
    case "rank":
      return rank < 2 ? null : { text: { rank: String(half(rank)), alpha: String(alpha / 2) }, flags: {} };
    case "pack":
      return recipe.pack ? { text: {}, flags: { pack: false } } : null;
    default:
      return knob satisfies never;
  }
}

function turnedRecipe(recipe: Recipe, { text, flags }: Pick<Relief, "text" | "flags">): Recipe {
  const numbers = Object.fromEntries(Object.entries(text).map(([field, value]) => [field, readNumber(value).value]));
  return { ...recipe, ...numbers, ...flags };
}

/** Asks the planner what each knob would free, one by one. */
async function weighReliefs({ client, stores }: Desk, signal: AbortSignal): Promise<void> {
  const { recipe, plan } = stores.recipe.getState();
  if (recipe === null || plan === null) return;
  const reliefs: Relief[] = [];
  for (const knob of knobs) {
    const turn = turned(knob, recipe);
    if (turn === null) continue;
    try {
      const { total } = await client.call("plan", { recipe: turnedRecipe(recipe, turn) }, { signal });
      if (total < plan.total) reliefs.push({ knob, ...turn, freed: plan.total - total, total });
    } catch {
      // What cannot be planned is no remedy.
    }
    if (signal.aborted) return;
  }
  stores.consequences.setState({ reliefs: reliefs.sort((a, b) => b.freed - a.freed) });
}

export function turnKnob({ stores }: Desk, { text, flags }: Relief): void {
  for (const [field, value] of Object.entries(text)) {
    if (isTextField(field)) editText(stores.recipe, field, value);
  }
  editForm(stores.recipe, (form) => ({ ...form, flags: { ...form.flags, ...flags } }));
}

/** The last run ran out of memory, or the plan is larger than what the user allows. */
function isShortOfMemory({ stores }: Desk): boolean {
  const { plan } = stores.recipe.getState();
  const { error, phase } = stores.training.getState();
  if (phase === "failed" && error?.code === "out-of-memory") return true;
  return plan !== null && plan.total > stores.picker.getState().budget.bytes;
}

/** Follows model, data and settings. Returns what undoes the subscriptions. */
export function watchConsequences(desk: Desk): () => void {
  const { stores } = desk;
  let speedTimer: ReturnType<typeof setTimeout> | undefined;
  let planTimer: ReturnType<typeof setTimeout> | undefined;
  let weighing: AbortController | null = null;
  let asked: string | null = null;

  const measureLater = (): void => {
    const key = speedKey(desk);
    // Whatever runs now measures what no longer holds.
    if (asked !== null && asked !== key) stopMeasuring(desk);
    const { model } = stores.model.getState();
    clearTimeout(speedTimer);
    if (key === null || key === asked || key === stores.consequences.getState().speed?.key) return;
    if (model.state !== "ready" || model.value.parameters > smallModel || dataSource(desk) === null) return;
    speedTimer = setTimeout(() => {
      if (key !== speedKey(desk) || !idleGpu(desk)) return;
      asked = key;
      void measureSpeed(desk);
    }, settled);
  };

  const weighLater = (): void => {
    clearTimeout(planTimer);
    weighing?.abort();
    if (!isShortOfMemory(desk)) {
      if (stores.consequences.getState().reliefs !== null) stores.consequences.setState({ reliefs: null });
      return;
    }
    planTimer = setTimeout(() => {
      weighing = new AbortController();
      void weighReliefs(desk, weighing.signal);
    }, planned);
  };

  const leave = [
    stores.model.subscribe(({ model }, before) => {
      if (model === before.model) return;
      if (model.state === "ready") void readModules(desk, model.value);
      else stores.consequences.setState({ modules: [] });
      asked = null;
      measureLater();
    }),
    stores.recipe.subscribe((state, before) => {
      if (state.recipe !== before.recipe) measureLater();
      if (state.plan !== before.plan) weighLater();
    }),
    stores.data.subscribe((state, before) => {
      if (state.info !== before.info || state.shown !== before.shown) measureLater();
    }),
    stores.picker.subscribe((state, before) => {
      if (state.budget.bytes !== before.budget.bytes) weighLater();
    }),
    stores.training.subscribe((state, before) => {
      if (state.phase === before.phase) return;
      weighLater();
      if (userOfGpu(desk) !== null) stopMeasuring(desk);
      measureLater();
    }),
    stores.trial.subscribe((state, before) => {
      if (state.running === before.running) return;
      if (state.running) stopMeasuring(desk);
      measureLater();
    }),
    stores.rowLosses.subscribe((state, before) => {
      if (state.phase === before.phase) return;
      if (state.phase === "measuring") stopMeasuring(desk);
      measureLater();
    }),
  ];
  return () => {
    clearTimeout(speedTimer);
    clearTimeout(planTimer);
    weighing?.abort();
    stopMeasuring(desk);
    for (const unsubscribe of leave) unsubscribe();
  };
}
