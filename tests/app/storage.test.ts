/** Runs in a real IndexedDB: what is saved comes back whole, and a failed save loses nothing. */
import { createStore, set } from "idb-keyval";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseRecipe, recipeDefaults } from "../../src/training/recipe";
import type { RunRecord } from "../../src/worker/storage/record";
import { deleteRun, listRuns, loadRun, saveRun } from "../../src/worker/storage/runs";

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
