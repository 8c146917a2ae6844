/** The worker's own handlers where no device opens: rows, tokens and figures are those that an open model gives. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { recipeDefaults } from "../../src/training/recipe";
import type { DataSource, DatasetInfo, ModelSource, RowView } from "../../src/worker/protocol";
import { createHandlers } from "../../src/worker/studio";

const ignore = () => undefined;
const never = new AbortController().signal;
const embedded: ModelSource = { kind: "embedded", id: "tabtune-tiny" };
const recipe = { ...recipeDefaults, learningRate: 1e-3 };
const studio = (lost: (reason: string) => void = ignore) => createHandlers(lost, new URL("/", location.href));
type Studio = ReturnType<typeof studio>;

/** Takes WebGPU away, as in a browser without it. */
function noDevice() {
  const gpu = vi.fn(() => undefined);
  Object.defineProperty(navigator, "gpu", { configurable: true, get: gpu });
  return gpu;
}
afterEach(() => {
  Reflect.deleteProperty(navigator, "gpu");
  vi.restoreAllMocks();
});

async function file(name: string): Promise<DataSource> {
  const blob = await (await fetch(`/datasets/${name}`)).blob();
  return { name, files: [{ name, blob: new File([blob], name) }], options: dataDefaults };
}

interface Seen {
  readonly info: DatasetInfo;
  readonly rows: readonly RowView[];
}

/** As the data step asks for it. */
async function look(handlers: Studio, name: string): Promise<Seen> {
  const asked = { data: await file(name), recipe, fitMaxLength: true };
  const info = await handlers.inspectDataset(asked, ignore, never);
  const { rows } = await handlers.viewRows({ from: 0, count: 200, problem: null }, ignore, never);
  return { info, rows };
}

describe("a reader", () => {
  it.each(["pirate.jsonl", "feelings.csv", "orders.jsonl"])(
    "sees %s as the open model does, without device and weights",
    async (name) => {
      const whole = studio();
      await whole.openModel({ source: embedded }, ignore, never);
      const expected = await look(whole, name);
      expect(expected.rows.flatMap(({ tokens }) => tokens).filter(({ counted }) => counted).length).toBeGreaterThan(
        500,
      );

      const gpu = noDevice();
      const fetched = vi.spyOn(globalThis, "fetch");
      const bare = studio();
      await expect(bare.probe({}, ignore, never)).rejects.toMatchObject({ name: "DeviceError", reason: "no-api" });
      gpu.mockClear();
      await bare.openReader({ source: embedded }, ignore, never);
      expect(await look(bare, name)).toEqual(expected);
      const asked = { data: await file(name), evalData: await file(name), recipe };
      const { rows, comparedRows } = await bare.overlap(asked, ignore, never);
      expect([rows, comparedRows]).toEqual([expected.info.rows, expected.info.rows]);
      expect(gpu).not.toHaveBeenCalled();
      const paths = fetched.mock.calls.map(([address]) => new URL(String(address), location.href).pathname);
      expect(paths.filter((path) => path.startsWith("/models/")).map((path) => path.split("/").at(-1))).toEqual(
        expect.arrayContaining(["config.json", "tokenizer.json"]),
      );
      expect(paths.filter((path) => path.endsWith(".onnx"))).toEqual([]);
    },
  );

  it("says what the open model says of itself", async () => {
    const handlers = studio();
    const model = await handlers.openModel({ source: embedded }, ignore, never);
    const reader = await handlers.openReader({ source: embedded }, ignore, never);
    expect(model).toMatchObject(reader);
    // The model still counts: memory can be planned.
    expect((await handlers.plan({ recipe }, ignore, never)).total).toBeGreaterThan(0);
  });

  it("refuses what needs the model, and lengths that the model does not take", async () => {
    noDevice();
    const bare = studio();
    const asked = { data: await file("pirate.jsonl"), recipe };
    await expect(bare.inspectDataset(asked, ignore, never)).rejects.toThrow("No model is open; choose one first.");
    await bare.openReader({ source: embedded }, ignore, never);
    await expect(bare.plan({ recipe }, ignore, never)).rejects.toThrow("No model is open; choose one first.");
    const long = { ...recipe, maxLength: 100_000 };
    await expect(bare.inspectDataset({ ...asked, recipe: long }, ignore, never)).rejects.toThrow(
      /^maxLength is 100000; tabtune-tiny takes at most \d+ tokens\.$/,
    );
  });

  it("stands in for a model whose device went away", async () => {
    const devices: GPUDevice[] = [];
    const { requestDevice } = GPUAdapter.prototype;
    vi.spyOn(GPUAdapter.prototype, "requestDevice").mockImplementation(async function (this: GPUAdapter, wanted) {
      const device = await requestDevice.call(this, wanted);
      devices.push(device);
      return device;
    });
    let told: (reason: string) => void = ignore;
    const lost = new Promise<string>((resolve) => {
      told = resolve;
    });
    const handlers = studio((reason) => told(reason));
    await handlers.openModel({ source: embedded }, ignore, never);
    const expected = await look(handlers, "pirate.jsonl");
    for (const device of devices) device.destroy();
    await lost;
    await expect(handlers.plan({ recipe }, ignore, never)).rejects.toThrow("No model is open; choose one first.");
    expect(await look(handlers, "pirate.jsonl")).toEqual(expected);
  });
});
