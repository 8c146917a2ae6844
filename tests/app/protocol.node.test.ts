/** The wall between page and worker, over a real MessageChannel, with small handlers. */
import { afterEach, describe, expect, it } from "vitest";
import { RecipeError } from "../../src/training/recipe";
import { connect } from "../../src/worker/client";
import { StudioError, toErrorData } from "../../src/worker/errors";
import { postDeviceLost, serve } from "../../src/worker/host";
import type { GenerateRequest, Handlers } from "../../src/worker/protocol";

const request: GenerateRequest = {
  prompt: "ahoy",
  run: null,
  strength: 1,
  maxNewTokens: 3,
  temperature: 0,
  topK: 0,
  topP: 1,
  seed: 1,
};

const summary = { milliseconds: 1, promptTokens: [{ id: 5, text: "ahoy" }], answerTokens: [] };
const notAsked = (): Promise<never> => Promise.reject(new TypeError("not part of this test"));
const base: Handlers = {
  probe: notAsked,
  openModel: notAsked,
  openReader: notAsked,
  lookUpModel: notAsked,
  outlineModel: notAsked,
  listCatalogue: notAsked,
  storedModels: notAsked,
  deleteStoredModel: notAsked,
  inspectDataset: notAsked,
  viewRows: notAsked,
  overlap: notAsked,
  plan: notAsked,
  targetModules: notAsked,
  calibrate: notAsked,
  train: notAsked,
  evaluate: notAsked,
  evaluateRows: notAsked,
  logits: notAsked,
  generate: notAsked,
  importAdapter: notAsked,
  importAdapters: notAsked,
  exportAdapter: notAsked,
  listRuns: notAsked,
  updateRun: notAsked,
  runLog: notAsked,
  exportRuns: notAsked,
  hideRuns: notAsked,
  restoreRuns: notAsked,
  deleteRun: notAsked,
  selfCheck: notAsked,
};

const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

function wall(handlers: Partial<Handlers>) {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  serve({ ...base, ...handlers }, port2);
  const connection = connect(port1);
  port1.start();
  port2.start();
  return { ...connection, worker: port2 };
}

async function rejection(promise: Promise<unknown>): Promise<StudioError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof StudioError)) throw new TypeError("expected a StudioError");
  return error;
}

describe("client and host", () => {
  it("gives each caller its own answer and its own events, whatever the order", async () => {
    const release: (() => void)[] = [];
    const { client } = wall({
      generate: async ({ prompt }, emit) => {
        emit({ text: `${String(prompt)} 1` });
        await new Promise<void>((resolve) => release.push(resolve));
        emit({ text: `${String(prompt)} 2` });
        return { ...summary, text: String(prompt), tokens: 2, stopped: "length" };
      },
      deleteRun: async () => null,
    });
    const seen: Record<string, string[]> = { a: [], b: [] };
    const ask = (prompt: "a" | "b") =>
      client.call("generate", { ...request, prompt }, { onEvent: (event) => seen[prompt]?.push(event.text) });
    const first = ask("a");
    const second = ask("b");
    expect(await client.call("deleteRun", { run: "x" })).toBeNull();
    release[1]?.();
    expect((await second).text).toBe("b");
    release[0]?.();
    expect((await first).text).toBe("a");
    expect(seen).toEqual({ a: ["a 1", "a 2"], b: ["b 1", "b 2"] });
  });

  it("hands an abort to the handler, whose result still arrives", async () => {
    const { client } = wall({
      generate: (_input, emit, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve({ ...summary, text: "half", tokens: 1, stopped: "aborted" }));
          emit({ text: "half" });
        }),
    });
    const controller = new AbortController();
    const answer = await client.call("generate", request, {
      signal: controller.signal,
      onEvent: () => controller.abort(),
    });
    expect(answer.stopped).toBe("aborted");
  });

  it("does not start a call whose signal is already aborted", async () => {
    let started = false;
    const { client } = wall({
      probe: async () => {
        started = true;
        return { name: "", isFallback: true, features: [], maxBufferSize: 0 };
      },
      deleteRun: async () => null,
    });
    expect((await rejection(client.call("probe", {}, { signal: AbortSignal.abort() }))).code).toBe("aborted");
    await client.call("deleteRun", { run: "x" });
    expect(started).toBe(false);
  });

  it("carries errors as code, sentence and data", async () => {
    const { client } = wall({
      plan: async () => {
        throw new RecipeError("rank", "rank is 0; it must be a whole number from 1 to 1024.");
      },
      listRuns: async () => {
        throw new StudioError("storage", "The disk is full.", { bytes: 12 });
      },
      probe: async () => {
        throw new TypeError("x is not a function");
      },
    });
    const badInput = await rejection(client.call("plan", { recipe: {} as never }));
    expect([badInput.code, badInput.message, badInput.data]).toEqual([
      "bad-input",
      "rank is 0; it must be a whole number from 1 to 1024.",
      { field: "rank" },
    ]);
    const storage = await rejection(client.call("listRuns", {}));
    expect([storage.code, storage.message, storage.data]).toEqual(["storage", "The disk is full.", { bytes: 12 }]);
    const internal = await rejection(client.call("probe", {}));
    expect(internal.code).toBe("internal");
    expect(internal.message).toMatch(/^Tabtune met a fault of its own.*Reload the page/);
    expect(internal.data["detail"]).toBe("TypeError: x is not a function");
  });

  it("survives a handler that throws before its first await", async () => {
    const { client } = wall({
      probe: () => {
        throw new RangeError("at once");
      },
      deleteRun: async () => null,
    });
    expect((await rejection(client.call("probe", {}))).code).toBe("internal");
    expect(await client.call("deleteRun", { run: "x" })).toBeNull();
  });

  it("reports a lost device to listeners until they leave", async () => {
    const { client, worker } = wall({ deleteRun: async () => null });
    const reasons: string[] = [];
    const leave = client.onDeviceLost((reason) => reasons.push(reason));
    postDeviceLost(worker, "driver reset");
    await client.call("deleteRun", { run: "x" });
    leave();
    postDeviceLost(worker, "again");
    await client.call("deleteRun", { run: "x" });
    expect(reasons).toEqual(["driver reset"]);
  });

  it("rejects open and later calls when the worker is gone", async () => {
    const { client, fail } = wall({ probe: () => new Promise(() => undefined) });
    const pending = rejection(client.call("probe", {}));
    fail(new StudioError("internal", "The studio's worker stopped."));
    expect((await pending).message).toBe("The studio's worker stopped.");
    expect((await rejection(client.call("listRuns", {}))).message).toBe("The studio's worker stopped.");
  });
});

describe("toErrorData", () => {
  it.each([
    ["DataError", "bad-input"],
    ["ModelError", "bad-input"],
    ["WeightsError", "bad-input"],
    ["TokenizerError", "bad-input"],
    ["AdapterError", "bad-input"],
    ["AbortError", "aborted"],
    ["SyntaxError", "internal"],
  ])("%s becomes %s", (name, code) => {
    const error = Object.assign(new Error("row 3 has no known shape"), {
      name,
      file: "a.jsonl",
      line: 3,
      extra: { deep: 1 },
    });
    const data = toErrorData(error);
    expect(data.code).toBe(code);
    if (code === "bad-input") expect(data.data).toEqual({ file: "a.jsonl", line: 3 });
  });

  it("knows every error class of src, so that none of them reaches the user as a fault of ours", () => {
    // The service worker's own never cross this wall.
    const sources = import.meta.glob<string>(["../../src/**/*.ts", "!../../src/offline/**"], {
      query: "?raw",
      import: "default",
      eager: true,
    });
    const names = Object.values(sources).flatMap((source) =>
      [...source.matchAll(/override readonly name = "(\w+)"/g)].map(([, name]) => name ?? ""),
    );
    expect(names).toContain("DataError");
    // Wrong shapes, shaders and engine calls are our own faults: nothing the user could mend.
    const ours = ["EngineError", "ShaderError", "ShapeError", "StudioError", "IndexFault"];
    // Never leave their format: it puts file and line to them and throws a DataError.
    const inside = ["FormatFault", "RowFault", "BudgetFault"];
    const unknown = names.filter(
      (name) =>
        ![...ours, ...inside].includes(name) &&
        toErrorData(Object.assign(new Error("x"), { name })).code === "internal",
    );
    expect(unknown).toEqual([]);
  });

  it.each([
    "Failed to fetch dynamically imported module: https://x.test/assets/export-runs-1.js",
    "error loading dynamically imported module: https://x.test/assets/export-runs-1.js",
    "Importing a module script failed.",
  ])("tells a part of the page that cannot be fetched from a fault, and asks for no reload: %s", (message) => {
    expect(toErrorData(new TypeError(message)).message).toMatch(/^A part of Tabtune could not be fetched; .*without/);
    expect(toErrorData(new TypeError("x is not a function")).message).toMatch(/a fault of its own/);
  });

  it("takes a thrown string", () => {
    expect(toErrorData("boom")).toMatchObject({ code: "internal", data: { detail: "boom" } });
  });
});
