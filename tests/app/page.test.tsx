/** The page over the fake client: first screen, main button, a whole run, errors, stores. */
import { describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { inspect } from "../../src/ui/actions/data";
import { train } from "../../src/ui/actions/train";
import { strings } from "../../src/ui/strings";
import { type FakeOptions, sampleRun } from "../support/fake-client";
import {
  button,
  fakeStudio,
  go,
  refusal,
  seen,
  spinning,
  stepState,
  trainSample,
  whenReady,
} from "../support/page-kit";

const { open, desk } = fakeStudio("train");
const start = (options: FakeOptions = {}) => open(options, {}, "start");

describe("the first screen", () => {
  it("is ready to train the sample, says so, and says what it costs", async () => {
    start();
    await whenReady();
    await expect.element(page.getByText("120 rows, 14,230 tokens")).toBeVisible();
    await expect.element(page.getByText(/^30 steps, [\d,]+ tokens in all$/)).toBeVisible();
    await expect.element(page.getByText("Your data stays on this device")).toBeVisible();
    await expect.element(page.getByText("GPU: google swiftshader")).toBeVisible();
    await expect.element(page.getByText(/training will be slow/)).toBeVisible();
    expect(stepState("library")).toBe("No runs yet");
  });

  it("has the steps in their order, and shows one at a time", async () => {
    start();
    await whenReady();
    const titles = [...document.querySelectorAll(".step-title")].map(({ firstChild }) => firstChild?.textContent);
    expect(titles).toEqual(["Model", "Data", "Train", "Try", "Library"]);
    for (const step of ["model", "data", "train", "try", "library"] as const) {
      await go(step);
      const headings = [...document.querySelectorAll("section h2")].filter((heading) => heading.checkVisibility());
      expect(headings.map(({ textContent }) => textContent)).toEqual([strings.frame.titles[step]]);
    }
  });

  it("tells in the dock what a run of what is chosen is", async () => {
    open();
    await whenReady();
    await expect.element(page.getByText("30 steps · 14,230 tokens in the data")).toBeVisible();
  });

  it("says nothing about slowness on a real GPU", async () => {
    start({ fallback: false });
    await whenReady();
    expect(page.getByText(/training will be slow/).elements()).toHaveLength(0);
  });

  it("greys context tokens and marks learned ones", async () => {
    open({}, {}, "data");
    await whenReady();
    await page.getByRole("tab", { name: "Tokens" }).click();
    const row = document.querySelector(".tokens");
    expect(row?.querySelectorAll(".masked").length).toBe(12);
    expect(row?.querySelectorAll(".counted").length).toBe(14);
  });
});

describe("WebGPU that is not there", () => {
  it.each([
    [{ hasWebGpu: false }, "On Linux the browser keeps WebGPU from this GPU"],
    [{ hasWebGpu: false, secureContext: false }, "WebGPU is switched off on this address"],
  ])("is explained: %j", async (environment, title) => {
    open({ runs: [sampleRun] }, environment, "start");
    await expect.element(page.getByText(title)).toBeVisible();
    await expect.element(button("Training needs WebGPU")).toBeDisabled();
    await go("library");
    await expect.element(button("Download amber-otter-12 as a PEFT adapter (zip)")).toBeEnabled();
  });

  it("is told apart from a device that does not open", async () => {
    start({ fail: { probe: refusal("The browser gave no graphics adapter.", "gpu") } });
    await expect.element(page.getByText("WebGPU is here, but no graphics device opened")).toBeVisible();
    await expect.element(page.getByText(/The browser gave no graphics adapter\./)).toBeVisible();
    await expect.element(button("Reload the page")).toBeEnabled();
  });

  it("can go away later", async () => {
    const client = start();
    await whenReady();
    client.loseDevice("driver reset");
    await expect.element(page.getByText(/driver reset/)).toBeVisible();
    await expect.element(button("Training needs WebGPU")).toBeDisabled();
  });
});

describe("a run", () => {
  it("ends in the library, chosen, and can be tried beside the base", async () => {
    const client = start();
    await whenReady();
    await trainSample().click();
    await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
    await go("library");
    const library = page.getByRole("region", { name: "Library" });
    await expect.element(library.getByText("Held-out loss 3.310 → 2.610").first()).toBeVisible();
    await expect.element(page.getByText("in Try", { exact: true })).toBeVisible();
    await go("try");
    await button("Generate both").click();
    const answers = page.getByRole("region", { name: "Try" });
    await expect.element(answers.getByText(/boilin' water, matey!$/)).toBeVisible();
    await expect.element(answers.getByText("You put the tea in the water and wait a little.")).toBeVisible();
    const asked = client.calls.filter(({ call }) => call === "generate").map(({ input }) => input);
    expect(asked).toMatchObject([
      { run: null, strength: 0 },
      { run: "run-new", strength: 1 },
    ]);
    expect(spinning()).toEqual([]);
  });

  it("trains with what the form says, steps and scientific numbers included", async () => {
    const client = open();
    await whenReady();
    await userEvent.fill(page.getByLabelText("Learning rate").element(), "2e-4");
    await page.getByLabelText("Unit of the length").selectOptions("steps");
    await userEvent.fill(page.getByLabelText("Train for").element(), "3");
    await page.getByText("q_proj", { exact: true }).click();
    await expect.element(page.getByText(/^3 steps ·/)).toBeVisible();
    await expect.element(page.getByText("Few steps change little: raise the steps.")).toBeVisible();
    await trainSample().click();
    await seen("Step 3 of 3");
    const input = client.calls.find(({ call }) => call === "train")?.input;
    expect(input).toMatchObject({
      recipe: {
        learningRate: 2e-4,
        steps: 3,
        targetModules: ["k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
      },
      data: { name: "pirate.jsonl" },
      evalData: { name: "pirate.eval.jsonl" },
    });
  });

  it("can be stopped and keeps what it learned", async () => {
    open({ holdAt: 5 });
    await whenReady();
    await trainSample().click();
    await seen("Step 5 of 30");
    await button("Stop and keep").click();
    await expect.element(page.getByRole("main").getByText("Stopped and kept", { exact: true }).first()).toBeVisible();
    await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
    await expect.element(trainSample()).toBeEnabled();
  });

  it("looks into the data afterwards where its start cut a look short", async () => {
    open();
    await whenReady();
    const at = desk();
    const look = inspect(at);
    expect(at.stores.data.getState().info.state).toBe("busy");
    await Promise.all([look, train(at)]);
    expect(at.stores.training.getState().phase).toBe("finished");
    expect(at.stores.data.getState().info.state).toBe("ready");
  });

  it("looks into the data afterwards where a setting changed meanwhile", async () => {
    const client = open({ holdAt: 1 });
    await whenReady();
    await page.getByLabelText("Unit of the length").selectOptions("steps");
    await userEvent.fill(page.getByLabelText("Train for").element(), "7");
    await trainSample().click();
    await expect.element(button("Stop and keep")).toBeVisible();
    // Longer than the pause after which a changed setting is looked at.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(client.calls.filter(({ call }) => call === "inspectDataset")).toHaveLength(1);
    await button("Stop and keep").click();
    await expect.element(page.getByText(/^7 steps ·/)).toBeVisible();
  });

  it("leaves a look that was done before it as it is", async () => {
    const client = open();
    await whenReady();
    await trainSample().click();
    await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
    expect(client.calls.filter(({ call }) => call === "inspectDataset")).toHaveLength(1);
  });

  it("shows the settings it was started with, not the form's", async () => {
    open();
    await whenReady();
    await trainSample().click();
    await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
    await userEvent.fill(page.getByLabelText("Rank", { exact: true }).element(), "99");
    await page.getByText("Settings of this run").click();
    const shown = [...document.querySelectorAll(".run details dd")].map(({ textContent }) => textContent);
    expect(shown[0]).toBe("8");
  });

  it("has a table of its losses for those who cannot see the curve", async () => {
    open();
    await whenReady();
    await trainSample().click();
    await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
    await page.getByText("Numbers as a table").click();
    await expect.element(page.getByText("Every 2 steps of the run, and the last")).toBeVisible();
    const rows = [...document.querySelectorAll("#train .run-table tbody tr")];
    expect(rows).toHaveLength(16);
    expect(rows.at(-1)?.firstChild?.textContent).toBe("30");
    expect(document.querySelector("#train .chart canvas")).not.toBeNull();
  });

  it("guards the tab only while it lasts", async () => {
    const leaving = (): boolean => !window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
    open({ holdAt: 2 });
    await whenReady();
    expect(leaving()).toBe(false);
    await trainSample().click();
    await expect.element(button("Stop and keep")).toBeVisible();
    expect(leaving()).toBe(true);
    await button("Stop and keep").click();
    await expect.element(trainSample()).toBeEnabled();
    expect(leaving()).toBe(false);
  });
});

describe("errors", () => {
  it("of a run name the cause, offer one action, and leave nothing spinning", async () => {
    const client = open({ fail: { train: refusal("The loss became infinite at step 7.", "diverged") } });
    await whenReady();
    expect(client.calls.filter(({ call }) => call === "listRuns")).toHaveLength(1);
    const before = Number(document.querySelector<HTMLInputElement>("#field-learningRate")?.value);
    await trainSample().click();
    await expect.element(page.getByRole("alert")).toHaveTextContent("The loss became infinite at step 7.");
    // The failed run may have been kept.
    expect(client.calls.filter(({ call }) => call === "listRuns")).toHaveLength(2);
    expect(spinning()).toEqual([]);
    await button("Halve the learning rate").click();
    expect(Number(document.querySelector<HTMLInputElement>("#field-learningRate")?.value)).toBe(before / 2);
    await expect.element(trainSample()).toBeEnabled();
  });

  it("of a dataset leave the page usable and lead back to the sample", async () => {
    const fail = { inspectDataset: refusal("notes.jsonl, line 3: the row has no known shape.") };
    const client = open({ fail }, {}, "data");
    await expect.element(page.getByRole("alert")).toHaveTextContent("notes.jsonl, line 3: the row has no known shape.");
    await expect.element(button("Choose a dataset")).toBeDisabled();
    expect(spinning()).toEqual([]);
    expect(client.calls.some(({ call }) => call === "train")).toBe(false);
  });

  it("of a model folder lead back to the built-in one", async () => {
    open({ fail: { openModel: refusal("config.json of folder x names no model_type.") } }, {}, "model");
    await expect.element(page.getByRole("alert")).toHaveTextContent("config.json of folder x names no model_type.");
    await expect.element(button("Choose a model")).toBeDisabled();
    await expect.element(button("Try again")).toBeEnabled();
    expect(spinning()).toEqual([]);
  });

  it.each(["selfCheck", "generate", "exportAdapter", "hideRuns", "listRuns"] as const)(
    "of %s are shown where it was asked",
    async (call) => {
      const fail = { [call]: refusal(`No ${call} today; try tomorrow.`, "internal") };
      const asked = call === "selfCheck" ? "model" : call === "generate" ? "try" : "library";
      open({ runs: [sampleRun], fail }, {}, asked);
      await whenReady();
      if (call === "selfCheck") await button("Check the numbers").click();
      if (call === "generate") await button("Generate both").click();
      if (call === "exportAdapter") await button(/^Download amber/).click();
      if (call === "hideRuns") {
        await button("Delete amber-otter-12").click();
        await button("Delete the run").click();
      }
      await expect.element(page.getByRole("alert")).toHaveTextContent(`No ${call} today; try tomorrow.`);
      await expect.poll(spinning).toEqual([]);
    },
  );
});

describe("settings", () => {
  it.each([
    ["Rank", "0", "Rank is 0; it must be a whole number from 1 to 1024."],
    ["Learning rate", "abc", 'Learning rate is "abc"; it must be a number above 0, up to 10, such as 2e-4.'],
    ["Max length", "", 'Max length is ""; it must be a whole number, 2 or more.'],
    ["Train for", "-1", "Epochs is -1; it must be a number above 0."],
  ])("%s of %j is refused beside the field, and the main button leads there", async (label, typed, message) => {
    open();
    await whenReady();
    const field = page.getByLabelText(label, { exact: true });
    await userEvent.fill(field.element(), typed);
    await expect.element(page.getByText(message)).toBeVisible();
    const fix = button(/^Fix /);
    await fix.click();
    await expect.element(field).toHaveFocus();
    expect(field.element().getAttribute("aria-invalid")).toBe("true");
  });

  it("behind Advanced are opened when they are what is wrong", async () => {
    open();
    await whenReady();
    await page.getByText("Advanced", { exact: true }).click();
    await userEvent.fill(page.getByLabelText("Seed").element(), "x");
    await page.getByText("Advanced", { exact: true }).click();
    await button("Fix seed").click();
    await expect.element(page.getByLabelText("Seed")).toHaveFocus();
  });

  it("need at least one layer to adapt", async () => {
    open();
    await whenReady();
    for (const module of ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]) {
      await page.getByText(module, { exact: true }).click();
    }
    await expect.element(button("Fix layers to adapt")).toBeEnabled();
  });
});

describe("the library", () => {
  it("names what a deletion takes, and deletes after a yes only", async () => {
    const client = open({ runs: [sampleRun] }, {}, "library");
    await whenReady();
    await button("Delete amber-otter-12").click();
    await expect
      .element(page.getByText(/Its adapter \(197 kB\), loss log, sample answers, settings and notes are removed/))
      .toBeVisible();
    await button("Keep it").click();
    await expect.poll(() => page.getByRole("dialog").elements().length).toBe(0);
    expect(client.calls.some(({ call }) => call === "hideRuns")).toBe(false);
    await button("Delete amber-otter-12").click();
    await button("Delete the run").click();
    await seen(/^No runs yet\. What you train/);
  });

  it("hands out a file by the name the export gave", async () => {
    open({ runs: [sampleRun] }, {}, "library");
    await whenReady();
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
    await button(/^Download amber/).click();
    const saved = (): unknown[] =>
      click.mock.contexts.map((link) => (link instanceof HTMLAnchorElement ? [link.download, link.protocol] : null));
    await expect.poll(saved).toEqual([["run-1.zip", "blob:"]]);
  });
});

describe("stores", () => {
  it("hold plain data only, through a whole run", async () => {
    open({ runs: [sampleRun] });
    await whenReady();
    await trainSample().click();
    await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
    await go("model");
    await button("Check the numbers").click();
    await expect.element(page.getByText(/agree on all 32 tokens/)).toBeVisible();
    for (const [name, store] of Object.entries(desk().stores)) {
      const state: unknown = store.getState();
      expect(JSON.parse(JSON.stringify(state)), name).toEqual(state);
    }
  });
});
