/** The live view over the fake client: running, finished, failed, warned, watched by keyboard, and its questions. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { page, userEvent } from "vitest/browser";
import { editForm, editText } from "../../src/ui/stores/recipe";
import type { FakeOptions } from "../support/fake-client";
import { courses } from "../support/fake-training";
import { button, fakeStudio, inputs, refusal, seen, trainSample, whenReady } from "../support/page-kit";

const { open, desk } = fakeStudio("train");

beforeEach(() => sessionStorage.clear());
afterEach(() => page.viewport(1200, 800));

async function start(options: FakeOptions, steps = 30) {
  const client = open(options);
  await whenReady();
  const { recipe } = desk().stores;
  editForm(recipe, (form) => ({ ...form, lengthUnit: "steps" }));
  editText(recipe, "steps", String(steps));
  await whenReady();
  await trainSample().click();
  return client;
}

const canvases = () => [...document.querySelectorAll<HTMLCanvasElement>("#train canvas")];
const reader = () => page.getByRole("slider", { name: "Reading line" });
const frames = async (count: number): Promise<void> => {
  for (let frame = 0; frame < count; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
};
/** Pixels that are not transparent. */
function inked(canvas: HTMLCanvasElement, x: number, y: number, width: number, height: number): number {
  const { data } = canvas.getContext("2d")?.getImageData(x, y, width, height) ?? { data: [] };
  return data.filter((value, index) => index % 4 === 3 && value > 0).length;
}
const wholePicture = (canvas: HTMLCanvasElement): string => canvas.toDataURL();

describe("a run under way", () => {
  it("shows four charts, says that stopping keeps, and reads any step out by keyboard", async () => {
    await start({ holdAt: 12 });
    await seen("Step 12 of 30");
    await seen("Stopping keeps what it has learned so far.");
    expect(canvases()).toHaveLength(4);
    const slider = reader();
    await expect.element(slider).toHaveAttribute("aria-valuemax", "12");
    slider.element().focus();
    await userEvent.keyboard("{ArrowLeft}{ArrowLeft}");
    await expect.element(slider).toHaveAttribute("aria-valuenow", "10");
    const read = slider.element().getAttribute("aria-valuetext") ?? "";
    expect(read).toMatch(
      /^Step 10 · [\d.]+ · smoothed [\d.]+, Learning rate [\d.e-]+, Gradient norm 1\.40, Tokens\/s 2,286$/,
    );
    // All charts read the same step.
    const readouts = [...document.querySelectorAll("#train .chart-readout")].map(({ textContent }) => textContent);
    expect(readouts[0]).toMatch(/^Step 10 · /);
    expect(readouts.slice(1)).toEqual(["1.40", expect.stringMatching(/e-|0\.00/), "2,286"]);
    await userEvent.keyboard("{Home}");
    await expect.element(slider).toHaveAttribute("aria-valuenow", "1");
    await userEvent.keyboard("{Escape}");
    expect(document.querySelector("#train .chart-readout")?.textContent).toBe("");
  });

  it("moves all cursors together where the mouse points", async () => {
    await start({ holdAt: 20 });
    await seen("Step 20 of 30");
    await frames(3);
    const [over] = document.querySelectorAll("#train .u-over");
    const box = over?.getBoundingClientRect() ?? new DOMRect();
    const at = { clientX: box.left + box.width / 3, clientY: box.top + 20, bubbles: true };
    over?.dispatchEvent(new PointerEvent("pointermove", at));
    await expect.poll(() => document.querySelector("#train .chart-readout")?.textContent).toMatch(/^Step 10 · /);
    const lines = [...document.querySelectorAll<HTMLElement>("#train .u-cursor-x")];
    const shares = lines.map((line) => {
      const { width } = line.parentElement?.getBoundingClientRect() ?? new DOMRect();
      return new DOMMatrix(getComputedStyle(line).transform).e / width;
    });
    expect(shares).toHaveLength(4);
    for (const share of shares) expect(share).toBeCloseTo(1 / 3, 1);
  });

  it("has the same numbers in a table", async () => {
    await start({ holdAt: 30, course: courses.noisy }, 60);
    await seen("Step 30 of 60");
    await page.getByText("Numbers as a table").click();
    const table = page.getByRole("table", { name: "Every 2 steps of the run, and the last" });
    await expect.element(table).toBeVisible();
    expect(table.element().querySelectorAll("tbody tr")).toHaveLength(16);
    const first = [...(table.element().querySelector("tbody tr")?.children ?? [])].map(
      ({ textContent }) => textContent,
    );
    expect(first.slice(0, 4)).toEqual(["0", "", "", "3.3100"]);
  });

  it("does not cut the last label of any x axis, at no width", async () => {
    await start({ holdAt: 12 });
    await seen("Step 12 of 30");
    for (const width of [1200, 390]) {
      await page.viewport(width, 800);
      await frames(4);
      for (const canvas of canvases()) {
        const edge = Math.ceil(devicePixelRatio);
        expect(inked(canvas, 0, 0, canvas.width, canvas.height)).toBeGreaterThan(100);
        expect(inked(canvas, canvas.width - edge, canvas.height - 26 * edge, edge, 26 * edge)).toBe(0);
        expect(inked(canvas, 0, 0, edge, canvas.height)).toBe(0);
      }
    }
  });

  it("is drawn in the colours of the scheme, also when it changes on the way", async () => {
    await start({ holdAt: 12 });
    await seen("Step 12 of 30");
    await page.getByTitle("Light").click();
    await frames(4);
    const light = canvases().map(wholePicture);
    await page.getByTitle("Dark").click();
    await expect
      .poll(() =>
        canvases()
          .map(wholePicture)
          .every((picture, index) => picture !== light[index]),
      )
      .toBe(true);
    await page.getByTitle("Light").click();
    await expect.poll(() => canvases().map(wholePicture)).toEqual(light);
    localStorage.clear();
  });
});

describe("the charts", () => {
  it.each([1, 2, 10_000])("draw a run of %d steps", async (steps) => {
    await start({ holdAt: 1, course: courses.noisy });
    await seen("Step 1 of 30");
    const before = canvases().map(wholePicture);
    const losses = Array.from({ length: steps }, (_, step) => courses.noisy.loss(step + 1, steps));
    const started = performance.now();
    desk().stores.training.setState({ steps, step: steps, losses, rates: losses, norms: losses, speeds: losses });
    await expect
      .poll(() =>
        canvases()
          .map(wholePicture)
          .filter((now, at) => now === before[at]),
      )
      .toEqual([]);
    expect(performance.now() - started).toBeLessThan(2000);
    await expect.element(reader()).toHaveAttribute("aria-valuemax", String(steps));
  });

  it("mark what is no number and go on past it", async () => {
    await start({ holdAt: 20, course: { loss: (step) => (step === 7 ? Number.NaN : 2 + 1 / step) } });
    await seen("Step 20 of 30");
    await seen("× no number");
    await seen("The loss or its gradient stopped being a number at step 7");
    reader().element().focus();
    for (let key = 0; key < 13; key++) await userEvent.keyboard("{ArrowLeft}");
    expect(document.querySelector("#train .chart-readout")?.textContent).toBe(
      "Step 7 · no number · smoothed no number",
    );
  });

  it("do not leave the scale to a first value that is nonsense, unless they are told to", async () => {
    await start({ holdAt: 20, course: courses.nonsense });
    await seen("Step 20 of 30");
    await seen("1 point lies above");
    await page.getByLabelText("Clip outliers").click();
    await expect.poll(() => page.getByText("1 point lies above").elements()).toHaveLength(0);
  });

  it("keep their controls for the session", async () => {
    await start({ holdAt: 12 });
    await seen("Step 12 of 30");
    const [before] = canvases().map(wholePicture);
    await userEvent.fill(page.getByLabelText("Smoothing").element(), "0.5");
    await page.getByLabelText("Log scale").click();
    await page.getByLabelText("Show", { exact: true }).selectOptions("Last 100 steps");
    await expect.poll(() => canvases().map(wholePicture)[0]).not.toBe(before);
    expect(JSON.parse(sessionStorage.getItem("tabtune.live") ?? "{}")).toMatchObject({
      view: { smoothing: 0.5, log: true, clip: true, window: 100 },
    });
    await button("Reset").click();
    expect(desk().stores.live.getState().view).toMatchObject({ smoothing: 0.9, log: false, window: null });
  });
});

describe("warnings", () => {
  it("tell of a rising loss and of spikes, with cause and remedy, and never stand in the way", async () => {
    await start({ holdAt: 110, course: courses.rising }, 120);
    await seen("Step 110 of 120");
    await seen(/^The loss rises: /);
    await seen(/gradient spikes?: norm 24\.00 at step \d+, usually 1\./);
    await seen(/Stop and start again with half the learning rate/);
    expect(page.getByRole("dialog").elements()).toHaveLength(0);
    const spoken = [...document.querySelectorAll('[role="status"]')].map(({ textContent }) => textContent).join(" ");
    expect(spoken.match(/Warning: The loss rises/g)).toHaveLength(1);
    await expect.element(button("Stop and keep")).toBeEnabled();
  });

  it("tell of over-fitting", async () => {
    await start({ course: courses.overfitting }, 100);
    await seen(/^Over-fitting: the held-out loss rose from 2\.400 to/);
  });

  it("are none on an ordinary run", async () => {
    await start({ course: courses.noisy }, 60);
    await seen("Kept in this browser as teal-heron-42.");
    expect(document.querySelectorAll("#train .run-warnings")).toHaveLength(0);
  });
});

describe("a run that breaks off", () => {
  it("keeps its charts, with the step marked, and says what was kept", async () => {
    const error = {
      ...refusal("Training diverged at step 8. What the 7 steps before it learned is kept as x.", "diverged"),
    };
    await start({ course: { breakAt: { step: 7, error: { ...error, data: { step: 8 } } } } });
    await seen("The loss ran away");
    await seen(/is kept as x\./);
    await seen("× no number");
    expect(canvases()).toHaveLength(4);
    expect(page.getByText("No step was finished, so there is nothing to keep.").elements()).toHaveLength(0);
  });

  it("before its first step says that there is nothing to keep", async () => {
    await start({ fail: { train: { ...refusal("No number at the first step.", "diverged"), data: { step: 1 } } } });
    await seen("No step was finished, so there is nothing to keep.");
  });
});

describe("questions", () => {
  it("come from the first rows, are asked on the way, and their answers stand side by side", async () => {
    const client = await start({ pace: 2 });
    await seen("Kept in this browser as teal-heron-42.");
    const asked = inputs(client, "train")[0];
    expect(asked).toMatchObject({
      samples: { every: null, maxNewTokens: 32, prompts: [expect.any(String), expect.any(String), expect.any(String)] },
    });
    await seen("Sample answers");
    await seen("Before training");
    await seen("After 30 steps");
    await expect.element(page.getByText("the same words as before").first()).toBeVisible();
  });

  it("can be the user's own, as often as wanted, or none", async () => {
    const client = open();
    await whenReady();
    await page.getByText("Questions to ask while it trains").click();
    await userEvent.fill(page.getByLabelText("Question 1").element(), "Who are you?");
    await userEvent.fill(page.getByLabelText("Question 2").element(), "");
    await userEvent.fill(page.getByLabelText("Question 3").element(), "And why?");
    await page.getByLabelText("Ask", { exact: true }).selectOptions("At the start and every 10 steps");
    await trainSample().click();
    await seen("Kept in this browser as teal-heron-42.");
    await seen("After 20 steps");
    await page.getByText("Questions to ask while it trains").click();
    for (const question of [1, 2, 3]) await userEvent.fill(page.getByLabelText(`Question ${question}`).element(), "");
    await button(/^Train the sample|^Start/).click();
    await expect.poll(() => inputs(client, "train")).toHaveLength(2);
    expect(inputs(client, "train")).toMatchObject([
      { samples: { prompts: ["Who are you?", "And why?"], every: 10, maxNewTokens: 32 } },
      { samples: null },
    ]);
  });

  it("that find no memory are given up in one sentence", async () => {
    await start({ course: { samplesFailAt: 8 } });
    await seen("Before training");
    await seen(/^No more sample answers in this run; .* The GPU has no room for 12 MB more\.$/);
  });
});
