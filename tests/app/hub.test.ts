/** A model from the hub through the worker's own handlers: looked up, judged, downloaded, quantized on load, trained, exported. */
import { unzipSync } from "fflate";
import { afterEach, describe, expect, it, vi } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { recipeDefaults } from "../../src/training/recipe";
import type { ModelSource, ProgressEvent, Quantization } from "../../src/worker/protocol";
import { createHandlers } from "../../src/worker/studio";
import { fakeHub } from "../support/fake-hub";
import { commits, goldenRepositories } from "../support/fake-hub-models";

const hub = fakeHub({ repositories: await goldenRepositories() });
const elsewhere = fetch;
vi.stubGlobal("fetch", (input: RequestInfo | URL, init?: RequestInit) => {
  const { origin } = new URL(input instanceof Request ? input.url : input, location.href);
  return origin === location.origin ? elsewhere(input, init) : hub.fetchFile(input, init);
});

const handlers = createHandlers(() => undefined, new URL("/", location.href));
const never = new AbortController().signal;
const ignore = () => undefined;
const recipe = { ...recipeDefaults, rank: 4, learningRate: 1e-3, steps: 2, maxLength: 64, pack: false };
const memoryBudget = 4e9;

afterEach(async () => {
  for (const { id } of await handlers.listRuns({}, ignore, never)) await handlers.deleteRun({ run: id }, ignore, never);
});

async function lookUp(address: string): Promise<Extract<ModelSource, { kind: "found" }>> {
  const model = await handlers.lookUpModel({ address }, ignore, never);
  return { kind: "found", model, variant: model.preferred ?? "" };
}

const open = (
  source: ModelSource,
  quantization: Quantization | null = null,
  emit = ignore as (e: ProgressEvent) => void,
) => handlers.openModel({ source, quantization }, emit, never);

describe("a model of the hub", () => {
  it("is judged before it is here, and the sizes foretold are those it has then", async () => {
    const source = await lookUp("tests/tiny-tied");
    const before = await handlers.outlineModel({ source, recipe, memoryBudget }, ignore, never);
    expect(before).toMatchObject({ name: "tests/tiny-tied", modelType: "llama", exact: false });
    expect(before.choices.map(({ quantization }) => quantization)).toEqual([null, "int8", "int4", "nf4"]);
    expect(before.choices.map(({ fit }) => fit.verdict)).toEqual(Array(4).fill("fits"));

    const sizes: number[] = [];
    for (const { quantization, weightBytes } of before.choices) {
      const info = await open(source, quantization);
      expect(info).toMatchObject({ name: "tests/tiny-tied", quantization });
      expect(info.kernelCheck).toMatchObject({ agrees: true, reason: null });
      sizes.push(info.weightBytes);
      // What is quantized on load has one size, wherever it comes from; the file's own form is a guess before it is here.
      if (quantization !== null) expect(info.weightBytes).toBe(weightBytes);
    }
    const [floats = 0, int8 = 0, int4 = 0, nf4 = 0] = sizes;
    expect(int8).toBeLessThan(floats / 2);
    expect(int4).toBeLessThan(int8);
    expect(nf4).toBeLessThan(int4);
  });

  it("says why it does not fit", async () => {
    const source = await lookUp("tests/tiny-tied");
    const { choices } = await handlers.outlineModel({ source, recipe, memoryBudget: 1e5 }, ignore, never);
    expect(choices[0]?.fit).toEqual({
      verdict: "too-large",
      sentence: expect.stringMatching(/^Training needs about \d+ MB of the 1 MB of GPU memory you allow\.$/),
    });
  });

  it("is trained and exported with its id and commit", async () => {
    const phases = new Set<string>();
    await open(await lookUp("https://huggingface.co/tests/tiny-int4"), null, ({ phase }) => phases.add(phase));
    expect([...phases]).toEqual(
      expect.arrayContaining(["downloading the model", "loading weights", "checking the kernels"]),
    );
    const blob = new File(['{"text":"One bird sang."}\n{"text":"Two birds sang."}\n'], "rows.jsonl");
    const data = { name: "rows.jsonl", files: [{ name: "rows.jsonl", blob }], options: dataDefaults };
    const summary = await handlers.train({ recipe, data, evalData: null, initAdapter: null }, ignore, never);
    expect(summary.model).toBe("tests/tiny-int4");
    const exported = await handlers.exportAdapter({ run: summary.id, target: "peft" }, ignore, never);
    const files = unzipSync(new Uint8Array(await exported.blob.arrayBuffer()));
    const config = Object.entries(files).find(([path]) => path.endsWith("adapter_config.json"))?.[1];
    expect(JSON.parse(new TextDecoder().decode(config))).toMatchObject({
      base_model_name_or_path: "tests/tiny-int4",
      revision: commits.int4,
    });
  });

  it("that is not there is a sentence, not a fault", async () => {
    await expect(handlers.lookUpModel({ address: "tests/none" }, ignore, never)).rejects.toThrow(/tests\/none/);
    await expect(handlers.lookUpModel({ address: "no model at all" }, ignore, never)).rejects.toThrow(/org\/name/);
  });
});

describe("the catalogue", () => {
  it("is judged without a request to anywhere", async () => {
    const asked = hub.requests.length;
    const models = await handlers.listCatalogue({ recipe, memoryBudget }, ignore, never);
    expect(hub.requests.length).toBe(asked);
    expect(models.map(({ id }) => id)).toContain("HuggingFaceTB/SmolLM2-135M-Instruct");
    for (const { id, parameters, fit } of models) {
      console.log(`${id}: ${(parameters / 1e6).toFixed(0)} M, ${fit.verdict}: ${fit.sentence}`);
      expect(parameters).toBeGreaterThan(5e7);
      expect(["fits", "tight", "too-large"]).toContain(fit.verdict);
    }
  });
});
