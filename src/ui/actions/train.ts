/** One training run, from the button to the kept adapter. */
import type { TrainEvent } from "../../worker/protocol";
import { goTo } from "../go-to";
import { sampleRequest } from "../stores/live";
import { applyEvents, noTraining } from "../stores/training";
import { dataSource, heldOutSource, inspect } from "./data";
import { type Desk, failed, userOfGpu } from "./desk";
import { refreshLibrary } from "./library";
import { keepAwake } from "./wake-lock";

export async function train(desk: Desk): Promise<void> {
  const { client, stores, held } = desk;
  const { recipe } = stores.recipe.getState();
  const data = dataSource(desk);
  if (recipe === null || data === null || userOfGpu(desk) !== null) return;
  const before = stores.training.getState();
  held.inspecting?.abort();
  const controller = new AbortController();
  held.training = controller;
  stores.training.setState(
    { ...noTraining, phase: "preparing", recipe, dataset: data.name, startedAt: Date.now() },
    true,
  );
  goTo("train");
  const events = batchPerFrame<TrainEvent>((batch) => stores.training.setState((state) => applyEvents(state, batch)));
  const awake = keepAwake();
  // Asked for once there is something to keep; without it the browser may clear kept runs when the disk is full.
  void globalThis.navigator.storage?.persist?.().catch(() => false);
  try {
    const summary = await client.call(
      "train",
      { recipe, data, evalData: heldOutSource(desk), initAdapter: null, samples: sampleRequest(stores) },
      { signal: controller.signal, onEvent: events.push },
    );
    events.flush();
    stores.training.setState({
      phase: summary.state,
      summary,
      losses: summary.losses,
      progress: null,
      endedAt: Date.now(),
    });
    await refreshLibrary(desk, summary.id);
  } catch (thrown) {
    events.flush();
    const { error } = failed(thrown);
    if (error.code === "busy") {
      stores.training.setState({ ...before, refused: error }, true);
      return;
    }
    stores.training.setState({
      phase: error.code === "aborted" ? "stopped" : "failed",
      error,
      progress: null,
      endedAt: Date.now(),
    });
    // What a failed run had learned may have been kept; the message says so.
    await refreshLibrary(desk);
  } finally {
    if (held.training === controller) held.training = null;
    awake.release();
    if (held.lookDue) await inspect(desk);
  }
}

/** The worker ends the step under way, keeps the adapter and answers with its summary. */
export function stopTraining({ stores, held }: Desk): void {
  if (held.training === null) return;
  stores.training.setState({ phase: "stopping" });
  held.training.abort();
}

/**
 * Collects values and hands them on at most once per animation frame. A hidden tab has no frames, so a timer of a second
 * keeps the numbers going there.
 */
export function batchPerFrame<T>(deliver: (batch: readonly T[]) => void): {
  push: (value: T) => void;
  flush: () => void;
} {
  let batch: T[] = [];
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    timer = undefined;
    if (batch.length === 0) return;
    const full = batch;
    batch = [];
    deliver(full);
  };
  return {
    push(value) {
      batch.push(value);
      if (timer !== undefined) return;
      timer = setTimeout(flush, 1000);
      frame = requestAnimationFrame(flush);
    },
    flush,
  };
}
