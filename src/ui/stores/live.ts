/** How a run is watched: what its charts show, and the questions asked while it goes on. Kept for the session of the tab. */
import { createStore, type StoreApi } from "zustand/vanilla";
import type { RowView, SampleRequest } from "../../worker/protocol";
import type { DataState } from "./data";

export interface ChartView {
  /** Weight of the past in the moving average: 0 to 0.99. */
  readonly smoothing: number;
  readonly log: boolean;
  readonly clip: boolean;
  /** Only the last so many steps; null: all. */
  readonly window: number | null;
}

export interface LiveState {
  readonly view: ChartView;
  /** What the user wrote; null: the first questions of the dataset. */
  readonly questions: readonly string[] | null;
  /** Steps between two samplings; null: at the start, each quarter and the end. */
  readonly every: number | null;
}

export const windows = [100, 500, 2000] as const;
export const everySteps = [5, 10, 25, 50, 100, 250] as const;
const mostQuestions = 3;
export const mostSmoothing = 0.99;
const newTokens = 32;
/** A longer turn is no question that one compares answers to at a glance. */
const longestQuestion = 300;

export const plainView: ChartView = { smoothing: 0.9, log: false, clip: true, window: null };
const place = "tabtune.live";

export function createLiveStore(): StoreApi<LiveState> {
  const store = createStore<LiveState>(() => ({ view: plainView, questions: null, every: null, ...kept() }));
  store.subscribe((state) => {
    try {
      globalThis.sessionStorage?.setItem(place, JSON.stringify(state));
    } catch {
      // A browser that keeps nothing still shows everything.
    }
  });
  return store;
}

export const changeView = (store: StoreApi<LiveState>, change: Partial<ChartView>): void =>
  store.setState(({ view }) => ({ view: { ...view, ...change } }));

/** User turns of the first rows, each once. */
export function firstQuestions(rows: readonly RowView[]): readonly string[] {
  const turns = rows.flatMap(({ turns: all }) => all?.find(({ role }) => role === "user" || role === "prompt") ?? []);
  const short = turns
    .map(({ content }) => content.trim())
    .filter((text) => text !== "" && text.length <= longestQuestion);
  return [...new Set(short)].slice(0, mostQuestions);
}

/** The three fields as they stand. */
export function questionsShown(live: LiveState, data: Pick<DataState, "shown">): readonly string[] {
  const given = live.questions ?? firstQuestions(data.shown?.preview ?? []);
  return Array.from({ length: mostQuestions }, (_, index) => given[index] ?? "");
}

/** What the run is asked to sample; null where nothing is to be asked. */
export function sampleRequest(stores: {
  readonly live: StoreApi<LiveState>;
  readonly data: StoreApi<DataState>;
}): SampleRequest | null {
  const live = stores.live.getState();
  const prompts = questionsShown(live, stores.data.getState()).filter((text) => text.trim() !== "");
  return prompts.length === 0 ? null : { prompts, every: live.every, maxNewTokens: newTokens };
}

/** What the session's storage holds, as far as it makes sense: another version may have written it. */
function kept(): Partial<LiveState> {
  let value: unknown;
  try {
    value = JSON.parse(globalThis.sessionStorage?.getItem(place) ?? "null");
  } catch {
    return {};
  }
  const { view, questions, every } = fields(value);
  const { smoothing, log, clip, window } = fields(view);
  const known = windows.find((steps) => steps === window) ?? null;
  return {
    view: {
      smoothing:
        typeof smoothing === "number" && smoothing >= 0 && smoothing <= mostSmoothing ? smoothing : plainView.smoothing,
      log: log === true,
      clip: typeof clip === "boolean" ? clip : plainView.clip,
      window: known,
    },
    questions:
      Array.isArray(questions) && questions.every((text) => typeof text === "string")
        ? questions.slice(0, mostQuestions)
        : null,
    every: everySteps.find((steps) => steps === every) ?? null,
  };
}

const fields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};
