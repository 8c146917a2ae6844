/** Runs in a real IndexedDB: what is saved comes back whole, and a failed save loses nothing. */
import { createStore, get, set } from "idb-keyval";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseRecipe, recipeDefaults } from "../../src/training/recipe";
import type { RunLogEvent, SampleEvent } from "../../src/worker/protocol";
import { runsChannel } from "../../src/worker/storage/channel";
import type { RunRecord } from "../../src/worker/storage/record";
import {
  deleteRun,
  hideRuns,
  listRuns,
  loadLog,
  loadRun,
  restoreRuns,
  saveRun,
  updateRun,
} from "../../src/worker/storage/runs";
import { boundedLog, mostSampleCharacters } from "../../src/worker/storage/samples";

function record(id: string, created: string): RunRecord {
  return {
    summary: {
      id,
      name: id,
      model: "tiny",
      dataset: "rows.jsonl",
      recipe: parseRecipe({ ...recipeDefaults, learningRate: 1e-3 }),
      created,
      state: "finished",
      steps: 2,
      trainableParameters: 10,
      losses: [2, 1],
      evalBefore: null,
      evalAfter: null,
      milliseconds: 5,
      tokens: 20,
      adapterBytes: 40,
    },
    base: {
      name: "tiny",
      revision: null,
      modelType: "llama",
      weightFormat: "onnx",
      license: null,
      modules: new Map([["model.layers.0.self_attn.q_proj", { inFeatures: 3, outFeatures: 2 }]]),
    },
    adapter: {
      config: { baseModel: "tiny", rank: 1, alpha: 2, rslora: false, dropout: 0, targetModules: ["q_proj"] },
      modules: [
        {
          module: "model.layers.0.self_attn.q_proj",
          inFeatures: 3,
          outFeatures: 2,
          a: new Float32Array([0.1, -2, 3e-8]),
          b: new Float32Array([4, 5]),
        },
      ],
    },
    log: [{ kind: "eval", step: 0, loss: 2.5, countedTokens: 4 }],
  };
}

afterEach(async () => {
  vi.restoreAllMocks();
  for (const { id } of await listRuns()) await deleteRun(id);
});

describe("kept runs", () => {
  it("come back as they were saved, newest first in the list", async () => {
    const older = record("older", "2026-01-01T00:00:00.000Z");
    const newer = record("newer", "2026-01-02T00:00:00.000Z");
    await saveRun(newer);
    await saveRun(older);
    expect((await listRuns()).map(({ id }) => id)).toEqual(["newer", "older"]);
    expect(await loadRun("older")).toEqual(older);
  });

  it("are deleted one at a time", async () => {
    await saveRun(record("a", "2026-01-01T00:00:00.000Z"));
    await saveRun(record("b", "2026-01-01T00:00:01.000Z"));
    await deleteRun("a");
    expect((await listRuns()).map(({ id }) => id)).toEqual(["b"]);
    await expect(loadRun("a")).rejects.toMatchObject({ code: "bad-input", message: expect.stringContaining('"a"') });
  });

  it("stay when a later save finds no room, and the message says what to do", async () => {
    await saveRun(record("kept", "2026-01-01T00:00:00.000Z"));
    const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    await expect(saveRun(record("late", "2026-01-02T00:00:00.000Z"))).rejects.toMatchObject({
      code: "storage",
      message: expect.stringMatching(/no room to keep the run.*delete runs/),
    });
    put.mockRestore();
    // The refused run can still be taken out until the tab closes; in the database is only the other.
    expect((await listRuns()).map(({ id }) => id)).toEqual(["late", "kept"]);
    expect((await loadRun("late")).summary.id).toBe("late");
    await deleteRun("late");
    expect((await listRuns()).map(({ id }) => id)).toEqual(["kept"]);
    expect((await loadRun("kept")).adapter.modules[0]?.a[1]).toBe(-2);
  });

  it("leave a damaged record out of the list without deleting it", async () => {
    await saveRun(record("good", "2026-01-01T00:00:00.000Z"));
    await set("summary/bad", { nonsense: true }, createStore("tabtune", "runs"));
    expect((await listRuns()).map(({ id }) => id)).toEqual(["good"]);
    await expect(loadRun("bad")).rejects.toMatchObject({
      code: "storage",
      message: expect.stringContaining("damaged"),
    });
    await deleteRun("bad");
  });
});

const raw = createStore("tabtune", "runs");
const names = async (): Promise<string[]> => (await listRuns()).map(({ name }) => name);

/** What the first release wrote: two rows, the log in the payload. */
async function saveVersion1({ summary, ...payload }: RunRecord): Promise<void> {
  await set(`summary/${summary.id}`, { version: 1, value: summary }, raw);
  await set(`payload/${summary.id}`, { version: 1, value: payload }, raw);
}

describe("a run of version 1", () => {
  const old = record("old", "2026-01-01T00:00:00.000Z");

  it("is listed, opens whole, and can be renamed", async () => {
    await saveVersion1(old);
    expect(await listRuns()).toEqual([old.summary]);
    expect(await loadRun("old")).toEqual(old);
    await updateRun("old", { name: "older still" });
    expect(await loadRun("old")).toEqual({ ...old, summary: { ...old.summary, name: "older still" } });
  });

  it("gets a row for its log the first time that this is read, and loses nothing", async () => {
    await saveVersion1(old);
    expect(await loadLog("old")).toEqual(old.log);
    expect(await get("log/old", raw)).toEqual({ version: 2, value: old.log });
    const { log: _, summary: __, ...payload } = old;
    expect(await get("payload/old", raw)).toEqual({ version: 2, value: payload });
    expect(await loadLog("old")).toEqual(old.log);
    expect(await loadRun("old")).toEqual(old);
  });

  it("is deleted whole", async () => {
    await saveVersion1(old);
    await loadLog("old");
    await deleteRun("old");
    for (const row of ["summary", "payload", "log"]) expect(await get(`${row}/old`, raw)).toBeUndefined();
  });
});

describe("a run's log", () => {
  it("is read without the adapter", async () => {
    const kept = record("a", "2026-01-01T00:00:00.000Z");
    await saveRun(kept);
    await set("payload/a", "not an adapter any more", raw);
    expect(await loadLog("a")).toEqual(kept.log);
    await expect(loadLog("b")).rejects.toMatchObject({ code: "bad-input", message: expect.stringContaining('"b"') });
  });
});

describe("sample answers", () => {
  const answer = (step: number, prompt: string, length = 10): SampleEvent => ({
    kind: "sample",
    step,
    prompt,
    text: String(step).padEnd(length, "."),
  });
  const logOf = (steps: number, prompts: readonly string[], length?: number): RunLogEvent[] =>
    Array.from({ length: steps + 1 }, (_, step) => [
      ...prompts.map((prompt) => answer(step, prompt, length)),
      { kind: "eval", step, loss: 1, countedTokens: 1 } as const,
    ]).flat();
  const stepsOf = (log: readonly RunLogEvent[]) => [
    ...new Set(log.filter(({ kind }) => kind === "sample").map(({ step }) => step)),
  ];

  it("are kept with the log, in its order", async () => {
    const kept = { ...record("a", "2026-01-01T00:00:00.000Z"), log: logOf(4, ["Tea?", "Wer da? „Ich“\n"]) };
    await saveRun(kept);
    expect(await loadLog("a")).toEqual(kept.log);
    expect(await loadRun("a")).toEqual(kept);
    expect(await get("log/a", raw)).toEqual({ version: 2, value: kept.log });
  });

  it("are missing in runs of the release before, which open as they were", async () => {
    const { summary, log, ...payload } = record("before", "2026-01-01T00:00:00.000Z");
    await set("summary/before", { version: 2, value: summary }, raw);
    await set("payload/before", { version: 2, value: payload }, raw);
    await set("log/before", { version: 2, value: log }, raw);
    expect(await loadLog("before")).toEqual([{ kind: "eval", step: 0, loss: 2.5, countedTokens: 4 }]);
    expect(await loadRun("before")).toEqual({ summary, ...payload, log });
  });

  it("of a run with very many are thinned out evenly, its first and last steps kept", async () => {
    const log = logOf(1000, ["one", "two", "three"], 100);
    await saveRun({ ...record("a", "2026-01-01T00:00:00.000Z"), log });
    const kept = await loadLog("a");
    expect(kept.filter(({ kind }) => kind === "eval")).toHaveLength(1001);
    const steps = stepsOf(kept);
    expect(steps.length).toBeGreaterThan(150);
    expect([steps[0], steps[1], steps[2], steps.at(-1)]).toEqual([0, 4, 8, 1000]);
    const characters = kept.reduce(
      (sum, event) => sum + (event.kind === "sample" ? event.prompt.length + event.text.length : 0),
      0,
    );
    expect(characters).toBeLessThanOrEqual(mostSampleCharacters);
  });

  it("to long questions keep the first and the last step, then fewer questions, then none", () => {
    const log = logOf(3, ["a".repeat(40), "b".repeat(40)], 10);
    expect(boundedLog(log, 400)).toEqual(log);
    expect(stepsOf(boundedLog(log, 399))).toEqual([0, 2, 3]);
    expect(stepsOf(boundedLog(log, 299))).toEqual([0, 3]);
    const one = boundedLog(log, 199);
    expect(one.filter(({ kind }) => kind === "sample")).toEqual([answer(0, "a".repeat(40)), answer(3, "a".repeat(40))]);
    expect(stepsOf(boundedLog(log, 99))).toEqual([]);
    expect(boundedLog(log, 99)).toHaveLength(4);
  });
});

describe("names and notes", () => {
  it("are kept, the name trimmed", async () => {
    await saveRun(record("a", "2026-01-01T00:00:00.000Z"));
    await updateRun("a", { name: "  The best one " });
    await updateRun("a", { note: "two\nlines" });
    expect(await listRuns()).toMatchObject([{ id: "a", name: "The best one", note: "two\nlines", steps: 2 }]);
  });

  it.each([
    ["B", 'There is already a run named "b"; choose another name.'],
    ["  ", "The name is empty; give the run a name."],
    ["x".repeat(81), "The name has 81 characters; 80 is the most, so shorten it."],
    ["a\u202eb", "The name holds a character that cannot be seen; type it anew."],
  ])("of %j are refused in a sentence, and the old one stays", async (name, message) => {
    await saveRun(record("a", "2026-01-01T00:00:00.000Z"));
    await saveRun(record("b", "2026-01-02T00:00:00.000Z"));
    await expect(updateRun("a", { name })).rejects.toMatchObject({ code: "bad-input", message });
    expect(await names()).toEqual(["b", "a"]);
  });

  it("of two renamings at once to one name let one through", async () => {
    await saveRun(record("a", "2026-01-01T00:00:00.000Z"));
    await saveRun(record("b", "2026-01-02T00:00:00.000Z"));
    const outcomes = await Promise.allSettled(["a", "b"].map((run) => updateRun(run, { name: "same" })));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("of a run that is gone are refused and do not bring it back", async () => {
    await saveRun(record("a", "2026-01-01T00:00:00.000Z"));
    await deleteRun("a");
    await expect(updateRun("a", { note: "late" })).rejects.toMatchObject({ code: "bad-input" });
    expect(await names()).toEqual([]);
  });
});

describe("a deleted run", () => {
  it("is neither listed nor opened, and comes back whole", async () => {
    const kept = record("a", "2026-01-01T00:00:00.000Z");
    await saveRun(kept);
    await hideRuns(["a"]);
    expect(await names()).toEqual([]);
    await expect(loadRun("a")).rejects.toMatchObject({ code: "bad-input" });
    await expect(loadLog("a")).rejects.toMatchObject({ code: "bad-input" });
    await expect(updateRun("a", { note: "x" })).rejects.toMatchObject({ code: "bad-input" });
    await restoreRuns(["a"]);
    expect(await loadRun("a")).toEqual(kept);
  });

  it("whose tab closed in the meantime goes for good when runs are next listed after a minute", async () => {
    await saveRun(record("a", "2026-01-01T00:00:00.000Z"));
    await hideRuns(["a"]);
    await listRuns();
    expect(await get("payload/a", raw)).toBeDefined();
    const later = Date.now() + 61_000;
    vi.spyOn(Date, "now").mockReturnValue(later);
    expect(await names()).toEqual([]);
    for (const row of ["summary", "payload", "log"]) expect(await get(`${row}/a`, raw)).toBeUndefined();
    await expect(restoreRuns(["a"])).rejects.toMatchObject({ message: expect.stringContaining("gone for good") });
  });

  it("that the browser had refused to keep can be brought back too", async () => {
    const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    await expect(saveRun(record("late", "2026-01-02T00:00:00.000Z"))).rejects.toMatchObject({ code: "storage" });
    put.mockRestore();
    await hideRuns(["late"]);
    expect(await names()).toEqual([]);
    await restoreRuns(["late"]);
    expect(await names()).toEqual(["late"]);
  });
});

describe("other tabs", () => {
  it("hear of every change", async () => {
    const channel = new BroadcastChannel(runsChannel);
    let heard = 0;
    channel.addEventListener("message", () => heard++);
    const changes = [
      () => saveRun(record("a", "2026-01-01T00:00:00.000Z")),
      () => updateRun("a", { note: "x" }),
      () => hideRuns(["a"]),
      () => restoreRuns(["a"]),
      () => deleteRun("a"),
    ];
    for (const [index, change] of changes.entries()) {
      await change();
      await expect.poll(() => heard).toBe(index + 1);
    }
    channel.close();
  });
});
