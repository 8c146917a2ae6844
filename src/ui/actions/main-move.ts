/** What the main button does now, for those who press a key or name it: the same label, and the same refusal. */
import { readiness } from "../stores/readiness";
import { readSampling } from "../stores/sampling";
import { isRunning } from "../stores/training";
import { strings } from "../strings";
import { type Desk, userOfGpu } from "./desk";
import { goToField } from "./route";
import { stopTraining, train } from "./train";
import { generateBoth } from "./trial";

export interface Move {
  readonly label: string;
  /** Why not now, as a sentence; null where it can be done. */
  readonly off: string | null;
  readonly run: () => void;
}

const { main } = strings.train;
const { off } = strings.keys;

export function mainMove(desk: Desk): Move {
  const { device, model, data, recipe, trial, training, rowLosses } = desk.stores;
  const course = training.getState();
  if (isRunning(course)) {
    const stopping = course.phase === "stopping" ? off.stopping : null;
    return { label: main.stop, off: stopping, run: () => stopTraining(desk) };
  }
  const ready = readiness({
    device: device.getState(),
    model: model.getState(),
    data: data.getState(),
    recipe: recipe.getState(),
    trial: trial.getState(),
    rowLosses: rowLosses.getState(),
  });
  if (ready.kind === "fix") return { label: ready.label, off: null, run: () => goToField(desk, ready.field) };
  const start = (): void => void train(desk);
  if (ready.kind === "ready") return { label: ready.label, off: null, run: start };
  // The button says what is missing in place of its name; here both are said.
  const label = data.getState().sample === null ? main.own : main.sample;
  return { label, off: off.missing(ready.label.replace(/…$/, ""), ready.reason), run: start };
}

/** As if the main button were pressed, though never to stop a run. Says why where it does nothing. */
export function pressMain(desk: Desk): string | null {
  const { off: reason, run } = mainMove(desk);
  if (isRunning(desk.stores.training.getState())) return off.taken.training;
  if (reason === null) run();
  return reason;
}

export const noGpu = ({ stores }: Desk): string | null => {
  const { hasWebGpu, secureContext, device, lost } = stores.device.getState();
  const there = hasWebGpu && secureContext && device.state !== "failed" && lost === null;
  return there ? null : `${main.noGpu}.`;
};

/** A lost device leaves the model's facts, but nothing that could compute. */
export function noModel(desk: Desk): string | null {
  const { model } = desk.stores.model.getState();
  const gone = noGpu(desk);
  if (gone !== null || model.state === "ready") return gone;
  return model.state === "busy" ? off.opening : off.noModel;
}

/** As if Generate were pressed under Try. Says why where it does nothing. */
export function pressGenerate(desk: Desk): string | null {
  const { trial, library } = desk.stores;
  const { prompt, sampling } = trial.getState();
  const user = userOfGpu(desk);
  const refusal =
    library.getState().runs.length === 0
      ? off.noRuns
      : (noModel(desk) ??
        Object.values(readSampling(sampling).errors)[0] ??
        (prompt.trim() === "" ? off.noPrompt : user === null ? null : off.taken[user]));
  if (refusal === null) void generateBoth(desk);
  return refusal;
}
