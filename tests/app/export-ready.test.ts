/** What takes a run out is there before it is needed, and a part of the page that cannot be fetched is told from a fault. */
import { afterEach, expect, it } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { recipeDefaults } from "../../src/training/recipe";
import { toErrorData } from "../../src/worker/errors";
import { createHandlers } from "../../src/worker/studio";

const handlers = createHandlers(() => undefined, new URL("/", location.href));
const never = new AbortController().signal;
const ignore = () => undefined;

afterEach(async () => {
  for (const { id } of await handlers.listRuns({}, ignore, never)) await handlers.deleteRun({ run: id }, ignore, never);
});

// The browser keeps 250 entries unless told otherwise; unbundled, the page is more files than that.
performance.setResourceTimingBufferSize(10_000);
const fetched = (): boolean =>
  performance.getEntriesByType("resource").some(({ name }) => name.includes("/src/worker/export-runs"));

it("the export is fetched when a training begins", async () => {
  await handlers.openModel({ source: { kind: "embedded", id: "tabtune-tiny" } }, ignore, never);
  expect(fetched()).toBe(false);
  const blob = new Blob([`${JSON.stringify({ prompt: "Who sails here?", completion: "Arr, matey!" })}\n`]);
  const data = { name: "rows.jsonl", files: [{ name: "rows.jsonl", blob }], options: dataDefaults };
  const recipe = { ...recipeDefaults, rank: 4, learningRate: 1e-2, steps: 1, maxLength: 64, pack: false };
  await handlers.train({ recipe, data, evalData: null, initAdapter: null }, ignore, never);
  await expect.poll(fetched).toBe(true);
});

it("a part that this browser cannot fetch is said to be one", async () => {
  const missing = new URL("/assets/gone-1234.js", location.href).href;
  const error: unknown = await import(/* @vite-ignore */ missing).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TypeError);
  expect(toErrorData(error).message).toBe(
    "A part of Tabtune could not be fetched; connect to the network and try again, without reloading the page.",
  );
});
