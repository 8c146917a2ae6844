/** The page's shape over the fake client: steps by link, address and history, focus and title, step bar, dock, start. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { page, userEvent } from "vitest/browser";
import { hashOf, type Step, steps } from "../../src/ui/stores/route";
import { linkPrefix } from "../../src/ui/stores/shared-settings";
import { strings } from "../../src/ui/strings";
import { type FakeOptions, sampleRun } from "../support/fake-client";
import { smolId } from "../support/fake-models";
import { setHash } from "../support/mount";
import {
  button,
  dropLabel,
  fakeStudio,
  go,
  inputs,
  jsonl,
  refusal,
  seen,
  shown,
  stepLink,
  stepState,
  trainSample,
  upload,
  whenReady,
} from "../support/page-kit";

const { open, desk } = fakeStudio();
const openAt = (step: Step, options: FakeOptions = {}) => open(options, {}, step);
const { titles } = strings.frame;
const link = (name: string | RegExp) => page.getByRole("link", { name });
const shownSteps = (): string[] =>
  ["start", ...steps].filter((step) => document.getElementById(step)?.checkVisibility() === true);
const state = (step: (typeof steps)[number]) => expect.poll(() => stepState(step), { timeout: 5000 });
const heading = (step: Step): Element | null => document.querySelector(`#${step} h2`);

/** Through the address, as typed there. */
async function arrive(step: Step): Promise<void> {
  location.hash = hashOf(step);
  await shown(step);
}

beforeEach(() => localStorage.clear());
afterEach(() => page.viewport(1200, 800));

describe("the steps", () => {
  it("open by link, one at a time, with the address, the focus and the window's title", async () => {
    openAt("start");
    await whenReady();
    expect(document.title).toBe("Tabtune");
    expect(document.activeElement).toBe(document.body);
    for (const step of steps) {
      await go(step);
      expect(shownSteps()).toEqual([step]);
      expect(location.hash).toBe(`#/${step}`);
      await expect.poll(() => document.title).toBe(`${titles[step]} · Tabtune`);
      await expect.poll(() => document.activeElement).toBe(heading(step));
      await expect.element(stepLink(step)).toHaveAttribute("aria-current", "page");
      expect(document.querySelectorAll(".steps [aria-current]")).toHaveLength(1);
    }
    await page.getByRole("heading", { level: 1 }).getByRole("link", { name: "Tabtune", exact: true }).click();
    await shown("start");
    expect(shownSteps()).toEqual(["start"]);
    await expect.poll(() => document.title).toBe("Tabtune");
    await expect.poll(() => document.activeElement).toBe(heading("start"));
    expect(document.querySelectorAll(".steps [aria-current]")).toHaveLength(0);
  });

  it.each(steps)("#/%s opens there, and takes no focus by itself", async (step) => {
    openAt(step);
    await shown(step);
    expect(shownSteps()).toEqual([step]);
    await whenReady();
    expect(document.activeElement).toBe(document.body);
  });

  it("follow back and forward", async () => {
    openAt("start");
    await whenReady();
    await go("model");
    await go("train");
    history.back();
    await shown("model");
    expect(shownSteps()).toEqual(["model"]);
    await expect.poll(() => document.activeElement).toBe(heading("model"));
    history.back();
    await shown("start");
    expect(shownSteps()).toEqual(["start"]);
    history.forward();
    await shown("model");
    history.forward();
    await shown("train");
    expect(shownSteps()).toEqual(["train"]);
  });

  it("that are none lead to the start, at the opening and later", async () => {
    setHash("#/foo");
    open();
    await shown("start");
    await expect.poll(() => location.hash).toBe("#/");
    await go("data");
    location.hash = "#/foo";
    await shown("start");
    await expect.poll(() => location.hash).toBe("#/");
    expect(shownSteps()).toEqual(["start"]);
  });

  it("begin at the heading again where the content is skipped to", async () => {
    openAt("data");
    await whenReady();
    button("Skip to the content").element().focus();
    await userEvent.keyboard("{Enter}");
    await expect.poll(() => document.activeElement).toBe(heading("data"));
  });

  it("stay as they were left", async () => {
    openAt("model");
    await whenReady();
    await page.getByText("From the hub", { exact: true }).click();
    await userEvent.fill(page.getByLabelText("Model id or address").element(), smolId);
    await go("train");
    await page.getByText("Advanced", { exact: true }).click();
    await go("model");
    await expect.element(page.getByLabelText("Model id or address")).toBeVisible();
    await expect.element(page.getByLabelText("Model id or address")).toHaveValue(smolId);
    await go("train");
    await expect.element(page.getByLabelText("Seed")).toBeVisible();
  });
});

describe("a link to settings", () => {
  it("asks where the page opens, and leads to Train once they are taken over", async () => {
    const settings = { tabtune: "settings", version: 1, model: "tabtune-tiny", settings: { rank: 32 } };
    const code = btoa(JSON.stringify(settings)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    setHash(linkPrefix + code);
    open();
    await expect.element(page.getByRole("dialog").getByText("1 setting would change:")).toBeVisible();
    expect(location.hash).toBe("#/");
    await button("Take them over").click();
    await shown("train");
    expect(shownSteps()).toEqual(["train"]);
    await expect.element(page.getByLabelText("Rank", { exact: true })).toHaveValue("32");
  });
});

describe("a run", () => {
  it("leads to Train, goes on behind the other steps, and ends there aloud", async () => {
    openAt("start", { holdAt: 12 });
    await whenReady();
    await trainSample().click();
    await shown("train");
    expect(shownSteps()).toEqual(["train"]);
    await state("train").toBe("Step 12 of 30");
    await expect.poll(() => document.title).toBe("40 % · Train · Tabtune");
    expect(link("See the run").elements()).toEqual([]);
    await go("data");
    await expect.element(link("See the run")).toHaveAttribute("href", "#/train");
    await seen(/^Step 12 of 30 · loss [\d.]+ · .* left/);
    await expect.poll(() => document.title).toBe("40 % · Data · Tabtune");
    const spoken = (): string =>
      [...document.querySelectorAll('[role="status"]')].map(({ textContent }) => textContent).join(" ");
    await expect.poll(spoken).toContain("40 percent");
    for (const step of steps) {
      await go(step);
      await expect.element(button("Stop and keep")).toBeEnabled();
    }
    await go("data");
    await button("Stop and keep").click();
    await state("train").toBe("Stopped and kept");
    await expect.poll(spoken).toContain("Stopped and kept.");
    await expect.poll(() => document.title).toBe("Data · Tabtune");
    await state("library").toBe("1 run");
    await state("try").toBe("teal-heron-42");
    expect(shownSteps()).toEqual(["data"]);
    await expect.element(trainSample()).toBeEnabled();
    await go("train");
    await seen("Kept in this browser as teal-heron-42.");
  });

  it("finishes while another step is shown", async () => {
    openAt("train", { pace: 40 });
    await whenReady();
    await trainSample().click();
    await go("data");
    await expect.poll(() => stepState("train"), { timeout: 20_000 }).toBe("Finished");
    expect(stepLink("train").element().textContent).toContain(", ready, ");
    expect(shownSteps()).toEqual(["data"]);
  });
});

describe("the step bar tells", () => {
  it("what is chosen, and that nothing is there yet", async () => {
    openAt("start");
    await whenReady();
    await state("model").toBe("tabtune-tiny");
    await state("data").toBe("Pirate talk, 120 rows");
    await state("train").toBe("Balanced, 30 steps");
    await state("try").toBe("After a run");
    await state("library").toBe("No runs yet");
    expect(stepLink("model").element().textContent).toContain(", ready, ");
  });

  it("that the model opens", async () => {
    const client = openAt("start", { pace: 300 });
    expect(client.calls.some(({ call }) => call === "openModel")).toBe(false);
    await state("model").toBe("Opening…");
    expect(stepLink("model").element().textContent).toContain(", at work, ");
    await state("data").toBe("Waits for the model");
  });

  it("how far a download is", async () => {
    openAt("model", { holdDownload: true });
    await whenReady();
    await page.getByText("From the hub", { exact: true }).click();
    await userEvent.fill(page.getByLabelText("Model id or address").element(), smolId);
    await userEvent.keyboard("{Enter}");
    await button(/^Download and open/).click();
    await state("model").toBe("Downloading, 50 %");
  });

  it("that the model did not open, or the GPU is not there", async () => {
    openAt("start", { fail: { openModel: refusal("config.json is missing.") } });
    await state("model").toBe("Did not open");
    expect(stepLink("model").element().textContent).toContain(", needs attention, ");
  });

  it("that the GPU is not there", async () => {
    open({}, { hasWebGpu: false }, "start");
    await state("model").toBe("Needs WebGPU");
  });

  it("that the data cannot be read", async () => {
    openAt("train", { fail: { inspectDataset: refusal("notes.jsonl is a picture.") } });
    await state("data").toBe("Cannot be read");
    expect(stepLink("data").element()).toHaveClass("wrong");
  });

  it("that a field is wrong, and the main button leads into it from anywhere", async () => {
    openAt("train");
    await whenReady();
    await userEvent.fill(page.getByLabelText("Rank", { exact: true }).element(), "0");
    await state("train").toBe("Rank is wrong");
    await go("data");
    await button("Fix rank").click();
    await shown("train");
    await expect.element(page.getByLabelText("Rank", { exact: true })).toHaveFocus();
    await arrive("start");
    await button("Fix rank").click();
    await shown("train");
    await expect.element(page.getByLabelText("Rank", { exact: true })).toHaveFocus();
    // Once led there, the heading is where reading begins again.
    await go("data");
    await go("train");
    await expect.poll(() => document.activeElement).toBe(heading("train"));
  });

  it("into a field that was never on the screen, too", async () => {
    openAt("start");
    await whenReady();
    const { recipe } = desk().stores;
    recipe.setState((before) => ({ ...before, errors: { rank: "Rank is 0." }, recipe: null }));
    await button("Fix rank").click();
    await shown("train");
    await expect.element(page.getByLabelText("Rank", { exact: true })).toHaveFocus();
  });

  it("how many runs are kept", async () => {
    openAt("start", { runs: [sampleRun, { ...sampleRun, id: "run-2", name: "blue-finch-7" }] });
    await state("library").toBe("2 runs");
    await state("try").toBe("amber-otter-12");
  });
});

describe("the dock", () => {
  it("leads on from Model to Data to Train", async () => {
    openAt("model");
    await whenReady();
    await link("Next: Data").click();
    await shown("data");
    await link("Next: Train").click();
    await shown("train");
    expect(link(/^Next/).elements()).toEqual([]);
    await expect.element(trainSample()).toBeEnabled();
    for (const step of ["try", "library"] as const) {
      await go(step);
      expect(trainSample().elements()).toEqual([]);
    }
  });

  it("says why the main button is off, and leads where that is told", async () => {
    openAt("train", { dataset: "unmapped" });
    await expect.element(button("Fix the data first")).toBeDisabled();
    const reason = document.getElementById(
      button("Fix the data first").element().getAttribute("aria-describedby") ?? "",
    );
    expect(reason?.textContent).toContain(strings.data.unmapped);
    await link(strings.data.see).click();
    await shown("data");
    await expect.element(button("Fix the data first")).toBeDisabled();
    expect(link(strings.data.see).elements()).toEqual([]);
  });

  it("says at the start, too, why the main button is off", async () => {
    openAt("start", { dataset: "unmapped" });
    await expect.element(button("Fix the data first")).toBeDisabled();
    await link(strings.data.see).click();
    await shown("data");
  });
});

describe("the start", () => {
  it("tells what a run of what is chosen takes, and leads to each choice", async () => {
    openAt("start", { fallback: false });
    await whenReady();
    await seen("3.5 M parameters, int4 ONNX");
    await seen("120 rows, 14,230 tokens");
    await seen(/^30 steps, [\d,]+ tokens in all$/);
    // 30 steps of 4.2 seconds.
    await seen("about 2 minutes · 24.6 MB of GPU memory · nothing more to download");
    for (const [name, step] of [
      ["Change model", "model"],
      ["Change data", "data"],
      ["Change settings", "train"],
    ] as const) {
      await link(name).click();
      await shown(step);
      history.back();
      await shown("start");
    }
  });

  it("leads who comes back to the last run and to all of them", async () => {
    openAt("start", { runs: [sampleRun] });
    await seen(/^Kept last: amber-otter-12\./);
    await link("Try it").click();
    await shown("try");
    expect(desk().stores.library.getState().selected).toBe("run-1");
    await arrive("start");
    await link("All runs").click();
    await shown("library");
  });

  it("takes one's own file and leads to Data", async () => {
    openAt("start");
    await whenReady();
    await upload(dropLabel, jsonl("notes.jsonl"));
    await shown("data");
    await seen("notes.jsonl, 13 B");
    await expect.element(button("Start training")).toBeEnabled();
    // Back at the start it stays chosen, and leads nowhere by itself.
    await arrive("start");
    await seen("notes.jsonl");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(shownSteps()).toEqual(["start"]);
  });

  it("keeps who takes another sample", async () => {
    openAt("start");
    await whenReady();
    await button("Feelings").click();
    await state("data").toMatch(/^Feelings, /);
    expect(shownSteps()).toEqual(["start"]);
  });

  it("leads to Data with the reason where a file is refused", async () => {
    const client = openAt("start");
    await whenReady();
    await upload(dropLabel, [jsonl("a.docx"), jsonl("b.pdf")]);
    await shown("data");
    await expect.element(page.getByRole("alert")).toHaveTextContent("None of the 2 files is a dataset");
    expect(inputs(client, "inspectDataset")).toHaveLength(1);
  });

  it("says during a run where it is, and has no drop zone then", async () => {
    openAt("start", { holdAt: 3 });
    await whenReady();
    await trainSample().click();
    await shown("train");
    await arrive("start");
    await seen("A run is under way.");
    expect(document.querySelector("#start .drop")).toBeNull();
    await page.getByRole("main").getByRole("link", { name: "See the run" }).click();
    await shown("train");
  });
});
