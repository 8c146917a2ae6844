/** Each step's state at a glance: what is chosen, whether it fits, what is missing. */
import { needsMapping } from "../mapping";
import { samples } from "../samples";
import { strings } from "../strings";
import type { States } from "./index";
import { distrust, readerOf } from "./model";
import { fieldOrder } from "./recipe";
import type { steps } from "./route";
import { isRunning, phaseName } from "./training";

/** "open": nothing to say against it, and nothing there yet. */
export type Mark = "done" | "busy" | "wrong" | "open";

export interface StepState {
  readonly mark: Mark;
  readonly text: string;
}

export type StepStates = Readonly<Record<(typeof steps)[number], StepState>>;

const text = strings.frame;
const state = (mark: Mark, said: string): StepState => ({ mark, text: said });

export function stepStates(
  states: Pick<
    States,
    "device" | "model" | "picker" | "data" | "recipe" | "training" | "trial" | "rowLosses" | "library"
  >,
): StepStates {
  return {
    model: modelState(states),
    data: dataState(states),
    train: trainState(states),
    try: tryState(states),
    library: libraryState(states),
  };
}

function modelState({ device, model, picker }: Pick<States, "device" | "model" | "picker">): StepState {
  if (!device.hasWebGpu || !device.secureContext || device.device.state === "failed" || device.lost !== null) {
    return state("wrong", text.model.noGpu);
  }
  if (picker.opening.state === "busy") {
    const { progress } = picker.opening;
    const download = progress?.download;
    return download === undefined || !download.total
      ? state("busy", text.model.opening)
      : state("busy", text.model.downloading(Math.floor((100 * download.done) / download.total)));
  }
  if (model.model.state === "failed") return state("wrong", text.model.failed);
  if (model.model.state !== "ready") return state("busy", text.model.opening);
  if (distrust(model) !== null) return state("wrong", text.model.untrusted);
  if (picker.choice !== null) return state("open", text.model.chosen);
  return state("done", model.name);
}

function dataState({ data, model }: Pick<States, "data" | "model">): StepState {
  const { name, info, shown, shownOptions, stopped, sample } = data;
  if (name === null) return state("wrong", text.data.none);
  if (info.state === "failed") return state("wrong", text.data.failed);
  if (stopped) return state("wrong", text.data.stopped);
  if (shown === null) {
    const { reader } = model;
    const underWay = readerOf(model) !== null || reader.state === "busy" || info.state === "busy";
    if (underWay) return state("busy", text.data.reading);
    return reader.state === "failed" ? state("wrong", text.data.failed) : state("open", text.data.waiting);
  }
  if (needsMapping(shown, shownOptions.mapping)) return state("wrong", text.data.unmapped);
  if (shown.refusal !== null) return state("wrong", text.data.refused);
  const title = samples.find(({ id }) => id === sample)?.title ?? name;
  return state(info.state === "busy" ? "busy" : "done", text.data.rows(title, shown.rows));
}

function trainState({
  training,
  recipe,
  data,
  picker,
}: Pick<States, "training" | "recipe" | "data" | "picker">): StepState {
  if (isRunning(training)) {
    const { step, steps, phase } = training;
    return state("busy", phase === "training" && steps > 0 ? text.train.step(step, steps) : phaseName(training));
  }
  const wrong = fieldOrder.find((field) => recipe.errors[field] !== undefined);
  if (wrong !== undefined) return state("wrong", text.train.wrong(strings.fields[wrong].label));
  if (recipe.plan !== null && recipe.plan.total > picker.budget.bytes) return state("wrong", text.train.tooLarge);
  if (training.phase !== "idle") {
    return state(training.phase === "failed" ? "wrong" : "done", phaseName(training));
  }
  return state("open", text.train.set(strings.settings.presets[recipe.preset].label, data.shown?.steps ?? 0));
}

function tryState({ trial, rowLosses, library }: Pick<States, "trial" | "rowLosses" | "library">): StepState {
  if (trial.running) return state("busy", text.tryOut.answering);
  if (rowLosses.phase === "measuring") return state("busy", text.tryOut.measuring);
  const run = library.runs.find(({ id }) => id === library.selected);
  if (run !== undefined) return state("done", run.name);
  return state("open", library.runs.length === 0 ? text.tryOut.none : text.tryOut.noneFits);
}

function libraryState({ library: { runs } }: Pick<States, "library">): StepState {
  return runs.length === 0 ? state("open", text.library.none) : state("done", text.library.runs(runs.length));
}
