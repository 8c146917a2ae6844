/** Kept runs without a storage, for the fake client: the same rules for names, and deletions that can be undone. */
import { zipSync } from "fflate";
import { StudioError } from "../../src/worker/errors";
import type { CallOptions, Calls, RunId, RunSummary } from "../../src/worker/protocol";
import { nameFault } from "../../src/worker/storage/names";
import { fakeSamples } from "./fake-training";

type LibraryCall =
  | "importAdapter"
  | "importAdapters"
  | "exportAdapter"
  | "exportRuns"
  | "listRuns"
  | "updateRun"
  | "runLog"
  | "hideRuns"
  | "restoreRuns"
  | "deleteRun";

type Answers = {
  readonly [K in LibraryCall]: (input: Calls[K]["in"], options: CallOptions<K>) => Promise<Calls[K]["out"]>;
};

export interface FakeLibrary {
  readonly answers: Answers;
  add(run: RunSummary): void;
}

export function fakeLibrary(kept: readonly RunSummary[], imported: RunSummary): FakeLibrary {
  let runs = kept;
  const hidden = new Set<RunId>();
  const visible = (): readonly RunSummary[] => runs.filter(({ id }) => !hidden.has(id));
  const add = (run: RunSummary): void => {
    runs = [run, ...runs];
  };
  const find = (id: RunId): RunSummary => {
    const run = visible().find((known) => known.id === id);
    if (run === undefined) throw new StudioError("bad-input", `No run "${id}" is kept in this browser.`);
    return run;
  };
  return {
    add,
    answers: {
      importAdapter: async ({ name }) => ({ ...imported, name }),
      importAdapters: async ({ files }) => {
        const name = files[0]?.name.replace(/\.zip$|\/.*/, "") ?? "adapter";
        const run: RunSummary = {
          ...imported,
          id: `imported-${runs.length}`,
          name,
          dataset: "",
          steps: 0,
          losses: [],
          evalBefore: null,
          evalAfter: null,
          created: "2026-03-08T08:00:00.000Z",
        };
        add(run);
        const changed = `${name} came without its history: tabtune-run.json is not valid JSON; export the run again.`;
        return { runs: [run], refused: [], notes: name === "changed" ? [changed] : [] };
      },
      exportAdapter: async ({ run }) => ({ fileName: `${run}.zip`, blob: new Blob(["PK"]) }),
      exportRuns: async (_, { onEvent }) => {
        for (const [done, { name }] of visible().entries()) {
          onEvent?.({ phase: `packing ${name}`, done, total: visible().length });
        }
        const blob = new Blob([zipSync({ "left-out.txt": new Uint8Array() })]);
        return { fileName: "tabtune-runs-2026-03-08.zip", blob, leftOut: [] };
      },
      listRuns: async () => visible(),
      updateRun: async ({ run: id, name, note }) => {
        const run = find(id);
        const others = runs.filter((other) => other.id !== id).map((other) => other.name);
        const fault = name === undefined ? null : nameFault(name, others);
        if (fault !== null) throw new StudioError("bad-input", fault);
        const changed: RunSummary = {
          ...run,
          ...(name === undefined ? {} : { name: name.trim() }),
          ...(note === undefined ? {} : { note }),
        };
        runs = runs.map((other) => (other.id === id ? changed : other));
        return changed;
      },
      runLog: async ({ run: id }) => logOf(find(id)),
      hideRuns: async ({ runs: ids }) => {
        for (const id of ids) hidden.add(id);
        return null;
      },
      restoreRuns: async ({ runs: ids }) => {
        for (const id of ids) hidden.delete(id);
        return null;
      },
      deleteRun: async ({ run }) => {
        runs = runs.filter(({ id }) => id !== run);
        hidden.delete(run);
        return null;
      },
    },
  };
}

const questions = { prompts: ["How do I make tea?", "Who sails here?"], every: null, maxNewTokens: 32 };

/** The run's losses as steps, with a held-out loss before, halfway and after, and answers from "r2" on. */
function logOf({ id, recipe, losses, steps, evalBefore, evalAfter }: RunSummary): Calls["runLog"]["out"] {
  const asked = (step: number): Calls["runLog"]["out"] =>
    id === "r1" || steps === 0
      ? []
      : fakeSamples(step, steps, questions, {}).flatMap((event) => (event.kind === "sample" ? [event] : []));
  const measured = (step: number, loss: number | null): Calls["runLog"]["out"] =>
    loss === null ? [] : [{ kind: "eval", step, loss, countedTokens: 900 }];
  const half = Math.floor(steps / 2);
  const between = evalBefore === null || evalAfter === null ? null : 0.35 * evalBefore + 0.65 * evalAfter;
  return [
    ...asked(0),
    ...measured(0, evalBefore),
    ...losses.flatMap((loss, index): Calls["runLog"]["out"] => [
      {
        kind: "step",
        step: index + 1,
        steps,
        epoch: (3 * (index + 1)) / steps,
        loss,
        learningRate: recipe.learningRate * Math.cos((Math.PI / 2) * (index / steps)),
        gradientNorm: 1.2 + 0.4 * Math.sin(index),
        tokens: 480,
        countedTokens: 200,
        milliseconds: 210,
      },
      ...asked(index + 1),
      ...(index + 1 === half ? measured(half, between) : []),
    ]),
    ...measured(steps, evalAfter),
  ];
}

const curve = (steps: number, end: number, speed: number): number[] =>
  Array.from({ length: steps }, (_, step) => end + (3.3 - end) * Math.exp(-step / speed) + 0.08 * Math.sin(step * 7.3));

/** Five runs as they come about: what each changed of the one before is one or two settings. Newest first. */
export function severalRuns(sample: RunSummary): readonly RunSummary[] {
  const make = (
    id: string,
    name: string,
    day: number,
    recipe: Partial<RunSummary["recipe"]>,
    [steps, end, speed]: readonly [number, number, number],
    rest: Partial<RunSummary> = {},
  ): RunSummary => ({
    ...sample,
    id,
    name,
    created: `2026-03-0${day}T09:30:00.000Z`,
    recipe: { ...sample.recipe, ...recipe },
    steps,
    losses: curve(steps, end, speed),
    evalAfter: end + 0.2,
    milliseconds: 210 * steps,
    tokens: 480 * steps,
    ...rest,
  });
  const longer = { learningRate: 1e-3, rank: 16, epochs: 6 };
  return [
    {
      ...make("r5", "style-of-captain-ahab", 7, { rank: 16, alpha: 32 }, [0, 2.2, 10]),
      dataset: "",
      losses: [],
      evalBefore: null,
      evalAfter: null,
      adapterBytes: 393_216,
    },
    make("r4", "teal-heron-42", 6, longer, [60, 1.92, 14], {
      adapterBytes: 393_216,
      note: "Talks like a pirate and still answers the question.\nThe one to show.",
    }),
    make("r3", "cobalt-finch-7", 5, { ...longer, epochs: 3 }, [18, 2.5, 9], {
      state: "stopped",
      evalAfter: null,
      adapterBytes: 393_216,
    }),
    make("r2", "amber-otter-12", 4, {}, [30, 2.31, 10]),
    make("r1", "birch-wren-3", 3, {}, [30, 2.33, 10]),
  ];
}
