/** The settings of a run over the fake client: presets, ways back, consequences, memory, speed, link and file. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { setBudget } from "../../src/ui/actions/memory-budget";
import { setHash } from "../support/mount";
import { button, fakeStudio, inputs, upload, violations, whenReady } from "../support/page-kit";

const { open, desk } = fakeStudio("train");
afterEach(async () => {
  localStorage.clear();
  await page.viewport(1200, 800);
});

const field = (label: string) => page.getByLabelText(label, { exact: true });
async function type(label: string, text: string): Promise<void> {
  const input = field(label).element();
  input.closest("details")?.setAttribute("open", "");
  await userEvent.fill(input, text);
}
const takes = () => page.getByRole("region", { name: "What this run takes" });
const budget = (gigabytes: string): void => setBudget(desk(), gigabytes);
const recipe = () => desk().stores.recipe.getState().recipe;

describe("a preset", () => {
  it("sets its numbers, tells what was changed, and is come back to", async () => {
    open();
    await whenReady();
    await expect.element(page.getByText("Balanced, as it is")).toBeVisible();
    await page.getByText("Thorough", { exact: true }).click();
    expect(recipe()).toMatchObject({ rank: 16, alpha: 32, epochs: 5, warmupSteps: 5, dropout: 0.05 });
    await expect.element(page.getByText("Thorough, as it is")).toBeVisible();
    await type("Rank", "24");
    await type("Seed", "7");
    await expect.element(page.getByText("Thorough, 2 changed")).toBeVisible();
    await button("Back to Thorough").click();
    expect(recipe()).toMatchObject({ rank: 16, seed: 42 });
    await expect.element(page.getByText("Thorough, as it is")).toBeVisible();
  });

  it("is chosen with the keys", async () => {
    open();
    await whenReady();
    const chosen = page.getByRole("radio", { name: "Balanced" }).element();
    if (chosen instanceof HTMLElement) chosen.focus();
    await userEvent.keyboard("{ArrowLeft}");
    await expect.element(page.getByText("Quick, as it is")).toBeVisible();
  });
});

describe("a field", () => {
  it("leads back to its default by itself, and keeps the focus", async () => {
    open();
    await whenReady();
    await type("Rank", "32");
    await button("Back to 8 for Rank").click();
    expect(document.activeElement).toBe(field("Rank").element());
    expect(recipe()?.rank).toBe(8);
    expect(button("Back to 8 for Rank").elements()).toHaveLength(0);
  });

  it("tells its error when it is left, not at the first key", async () => {
    open();
    await whenReady();
    const input = field("Rank").element();
    await userEvent.fill(input, "0");
    expect(input.getAttribute("aria-invalid")).not.toBe("true");
    await userEvent.keyboard("{Tab}");
    await expect.element(page.getByText("Rank is 0; it must be a whole number from 1 to 1024.")).toBeVisible();
    await userEvent.fill(input, "9");
    expect(page.getByText("Rank is 0;").elements()).toHaveLength(0);
  });

  it("takes fractions and decimal commas, and says why 1,000 is neither", async () => {
    open();
    await whenReady();
    await type("Learning rate", "1/5000");
    expect(recipe()?.learningRate).toBe(2e-4);
    await type("Learning rate", "0,0003");
    expect(recipe()?.learningRate).toBe(3e-4);
    await type("Learning rate", "1,000");
    await expect.element(page.getByText(/which may mean 1000 or 1.000; write it without the comma/)).toBeVisible();
  });

  it("for the rate has a slider by powers of ten", async () => {
    open();
    await whenReady();
    await type("Learning rate", "1e-3");
    const slider = page.getByRole("slider", { name: "Rate on a log scale" });
    const element = slider.element();
    if (!(element instanceof HTMLInputElement)) throw new TypeError("no slider");
    expect(element.valueAsNumber).toBe(-3);
    element.focus();
    await userEvent.keyboard("{ArrowRight}");
    expect(recipe()?.learningRate).toBe(1.1e-3);
    expect(element.getAttribute("aria-valuetext")).toBe("0.0011");
  });
});

describe("the targets", () => {
  it("tell what each trains, their sum, and what full fine-tuning would take", async () => {
    open();
    await whenReady();
    // 8 · 4 blocks · (256 + 256)
    await expect.element(page.getByText("16,384 parameters").first()).toBeVisible();
    await expect
      .element(page.getByText(/^143,872 parameters are trained, 4\.2 % of the model's 3\.5 M\./))
      .toBeVisible();
    await page.getByText("q_proj", { exact: true }).click();
    await expect.element(page.getByText(/^127,488 parameters are trained/)).toBeVisible();
    const rows = [...document.querySelectorAll(".gain tbody tr:first-child")].map(({ textContent }) => textContent);
    expect(rows[1]).toBe("Full fine-tuning3.5 M13.8 MB41.5 MB55.3 MB");
    await button("All layers again").click();
    await expect.element(page.getByText(/^143,872 parameters are trained/)).toBeVisible();
  });
});

describe("what the run takes", () => {
  it("follows the plan, and the time is measured unasked for a small model", async () => {
    const client = open();
    await whenReady();
    await expect.element(takes().getByText("24.6 MB of the 4.0 GB you allow under Model.")).toBeVisible();
    await expect.element(takes().getByText("Not measured yet", { exact: false })).toBeVisible();
    await expect.element(takes().getByText("about 2:06"), { timeout: 4000 }).toBeVisible();
    expect(inputs(client, "calibrate")).toHaveLength(1);
    // What has no bearing on the speed does not make it measure again; what has, does.
    await type("Seed", "8");
    await expect.element(takes().getByText("Measured on this GPU with these settings.")).toBeVisible();
    await type("Rank", "64");
    await expect.element(takes().getByText(/^Measured with other settings/)).toBeVisible();
    await expect.poll(() => inputs(client, "calibrate").length, { timeout: 5000 }).toBe(2);
  });

  it("stops measuring on the user's word, and when a run starts", async () => {
    const client = open({ holdMeasuring: true });
    await whenReady();
    await button("Measure the speed").click();
    await expect.element(button("Cancel measuring")).toBeVisible();
    await button("Cancel measuring").click();
    await expect.element(button("Measure the speed")).toBeEnabled();
    await button("Measure the speed").click();
    await button("Train the sample").click();
    await expect.element(page.getByText(/Kept in this browser as/)).toBeVisible();
    expect(desk().stores.training.getState().phase).toBe("finished");
    expect(inputs(client, "calibrate").length).toBeGreaterThanOrEqual(2);
  });

  it("says why it could not be measured", async () => {
    open({ fail: { calibrate: { code: "out-of-memory", message: "The GPU has no room for 3 GB.", data: {} } } });
    await whenReady();
    await button("Measure the speed").click();
    await expect.element(takes().getByText("The GPU has no room for 3 GB.")).toBeVisible();
    await expect.element(takes().getByRole("button", { name: "Measure again" })).toBeEnabled();
  });
});

describe("a run that does not fit", () => {
  it("lists what each setting frees, most first, and turns it", async () => {
    open();
    await whenReady();
    await type("Batch size", "8");
    await expect.element(takes().getByText(/^1\d\d MB of the 4.0 GB/)).toBeVisible();
    budget("0.1");
    await expect.element(takes().getByText(/more than the 100 MB you allow under Model/)).toBeVisible();
    await expect.poll(() => document.querySelectorAll(".relief").length, { timeout: 8000 }).toBeGreaterThan(3);
    const freed =
      desk()
        .stores.consequences.getState()
        .reliefs?.map((relief) => relief.freed) ?? [];
    expect(freed).toEqual([...freed].sort((a, b) => b - a));
    await button("Do it: Batch size 4, with more accumulation").click();
    expect(recipe()).toMatchObject({ batchSize: 4, gradientAccumulation: 2 });
    await expect.poll(() => document.querySelectorAll(".relief").length, { timeout: 8000 }).toBe(0);
  });

  it("is told after the GPU ran out of memory, too", async () => {
    open({ fail: { train: { code: "out-of-memory", message: "The GPU has no room.", data: {} } } });
    await whenReady();
    await button("Train the sample").click();
    await expect.element(takes().getByText(/^The GPU ran out of memory in the last run\./)).toBeVisible();
    await button("Do it: Switch gradient checkpointing on").click();
    expect(recipe()?.gradientCheckpointing).toBe(true);
  });
});

const shared = (settings: object): string =>
  JSON.stringify({ tabtune: "settings", version: 1, model: "tabtune-tiny", settings });
const settingsFile = (text: string): File => new File([text], "settings.json", { type: "application/json" });

describe("shared settings", () => {
  it("are copied as a link that, opened, shows what changes before it does", async () => {
    open();
    await whenReady();
    await type("Rank", "32");
    const written: string[] = [];
    vi.spyOn(navigator.clipboard, "writeText").mockImplementation(async (text) => void written.push(text));
    await button("Copy link").click();
    await expect.element(page.getByText("Link copied")).toBeVisible();
    const hash = new URL(written[0] ?? "").hash;
    await type("Rank", "8");
    location.hash = hash;
    const dialog = page.getByRole("dialog");
    await expect.element(dialog.getByText("1 setting would change:")).toBeVisible();
    expect(recipe()?.rank).toBe(8);
    expect(location.hash).toBe("#/train");
    await dialog.getByRole("button", { name: "Take them over" }).click();
    await expect.poll(() => recipe()?.rank).toBe(32);
  });

  it("give the link to copy by hand where the browser copies nothing", async () => {
    open();
    await whenReady();
    vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new DOMException("no", "NotAllowedError"));
    await button("Copy link").click();
    await expect
      .element(page.getByLabelText("Link to these settings"))
      .toHaveValue(expect.stringMatching(/#settings=/));
  });

  it("in a link wait for the model, and a damaged link says so", async () => {
    setHash("#settings=%%");
    open({}, {}, null);
    await expect.element(page.getByRole("dialog").getByText(/cut short or damaged/)).toBeVisible();
    await button("Close").first().click();
    await whenReady();
  });

  it("in a file name each fault and change nothing by themselves", async () => {
    open();
    await whenReady();
    await upload("Settings file", settingsFile(shared({ rank: 4, alpha: "x", colour: 1 })));
    const dialog = page.getByRole("dialog");
    await expect.element(dialog.getByText(/^Alpha is "x" and left out/)).toBeVisible();
    await expect.element(dialog.getByText('The setting "colour" is unknown and left out.')).toBeVisible();
    await dialog.getByRole("button", { name: "Leave as it is" }).click();
    expect(recipe()?.rank).toBe(8);
  });

  it("are saved as a file that holds no data", async () => {
    open();
    await whenReady();
    await type("Rank", "32");
    const made = vi.spyOn(URL, "createObjectURL");
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
    await button("Save as file").click();
    const [link] = click.mock.contexts;
    expect(link instanceof HTMLAnchorElement && link.download).toBe("tabtune-settings-tabtune-tiny.json");
    const blob = made.mock.calls[0]?.[0];
    expect(JSON.parse(blob instanceof Blob ? await blob.text() : "")).toEqual({
      tabtune: "settings",
      version: 1,
      model: "tabtune-tiny",
      preset: "balanced",
      settings: { rank: 32 },
    });
  });
});

describe.each([1200, 390])("at %i px", (width) => {
  it.each(["Light", "Dark"])("%s: axe finds nothing, whatever is open", async (scheme) => {
    await page.viewport(width, 800);
    open();
    await page.getByTitle(scheme).click();
    await whenReady();
    await page.getByText("Thorough", { exact: true }).click();
    for (const [label, text] of [
      ["Rank", "x"],
      ["Seed", "7"],
      ["Batch size", "8"],
    ] as const)
      await type(label, text);
    await type("Rank", "32");
    budget("0.1");
    await expect.poll(() => document.querySelectorAll(".relief").length, { timeout: 8000 }).toBeGreaterThan(2);
    await type("Gradient clip", "x");
    await expect.element(page.getByText(/^Gradient clip is "x"/)).toBeVisible();
    const settle = (): void => {
      const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
      for (const animation of ending) animation.finish();
    };
    settle();
    expect(document.documentElement.scrollWidth, "the page scrolls sideways").toBeLessThanOrEqual(width);
    expect(await violations()).toEqual([]);
    await upload("Settings file", settingsFile(shared({ rank: 4, colour: 1 })));
    await expect.element(page.getByRole("dialog").getByText(/would change/)).toBeVisible();
    // The window gets its name a moment after it is there.
    await expect.element(page.getByRole("dialog", { name: "Settings from elsewhere" })).toBeVisible();
    settle();
    expect(await violations()).toEqual([]);
  });
});
