/** The library over the fake client: what a card says, names, notes, deleting and undoing, comparing, importing, other tabs. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { mostCompared } from "../../src/ui/stores/library";
import { runsChannel } from "../../src/worker/client";
import { sampleRun } from "../support/fake-client";
import { severalRuns } from "../support/fake-library";
import { button, fakeStudio, go, inputs, refusal, seen, upload, whenReady } from "../support/page-kit";

const { open, desk } = fakeStudio("library");
beforeEach(() => localStorage.clear());

const runs = severalRuns(sampleRun);
const library = () => desk().stores.library.getState();
const choose = (name: string) => page.getByRole("checkbox", { name: `Choose ${name}` });
const heading = (name: string) => page.getByRole("heading", { name, exact: true });
const card = (name: string) => page.getByRole("listitem").filter({ has: heading(name) });
const gone = (name: string) => expect.poll(() => heading(name).elements().length).toBe(0);
const saved = () => {
  const blobs: Blob[] = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    if (blob instanceof Blob) blobs.push(blob);
    return "blob:test";
  });
  const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
  const files = () => click.mock.contexts.map((link) => (link instanceof HTMLAnchorElement ? link.download : ""));
  return { blobs, files };
};
const dropLabel = "Import an adapter: drop a PEFT folder or zip, or choose its files";
const adapterZip = (): File => new File(["PK"], "captain.zip");

async function remove(name: string): Promise<void> {
  await button(`Delete ${name}`).click();
  await button("Delete the run").click();
}

describe("an empty library", () => {
  it("says what belongs there, and offers to import", async () => {
    open();
    await whenReady();
    await seen(/^No runs yet/);
    await seen(/^adapter_config.json and adapter_model.safetensors, or the zip of all runs/);
    expect(page.getByText("Choose all").elements()).toEqual([]);
    expect(page.getByText("Storage", { exact: true }).elements()).toEqual([]);
  });
});

describe("a card", () => {
  it("tells model, date, steps, time, size, losses, and what it changed of the run before", async () => {
    open({ runs });
    await whenReady();
    const [, teal] = runs;
    await expect.element(card("teal-heron-42")).toHaveTextContent("pirate.jsonl · tabtune-tiny");
    await expect.element(card("teal-heron-42")).toHaveTextContent("60 steps · 13 s · 393 kB");
    await expect
      .element(card("teal-heron-42"))
      .toHaveTextContent(`Final loss ${teal?.losses.at(-1)?.toFixed(3) ?? ""}`);
    await expect.element(card("teal-heron-42")).toHaveTextContent("Held-out loss 3.310 → 2.120");
    await expect.element(card("teal-heron-42")).toHaveTextContent("Against cobalt-finch-7: epochs 3 → 6");
    await expect
      .element(card("cobalt-finch-7"))
      .toHaveTextContent("Against amber-otter-12: rank 8 → 16, learning rate 0.002 → 0.001");
    await expect.element(card("cobalt-finch-7")).toHaveTextContent("stopped early");
    await expect.element(card("amber-otter-12")).toHaveTextContent("Same settings as birch-wren-3");
    // An adapter from elsewhere has no settings to differ in and no curve.
    await expect.element(card("style-of-captain-ahab")).toHaveTextContent("imported adapter · tabtune-tiny");
    expect(card("style-of-captain-ahab").element().textContent).not.toMatch(/Against|Same settings|New run/);
  });

  it("leads to Try with its adapter chosen", async () => {
    open({ runs });
    await whenReady();
    await button("Try amber-otter-12").click();
    expect(library().selected).toBe("r2");
    await expect.element(page.getByRole("heading", { name: "Try", exact: true })).toHaveFocus();
    await go("library");
    await expect.element(card("amber-otter-12")).toHaveTextContent("in Try");
  });

  it("puts its settings into the form, and leads there", async () => {
    open({ runs });
    await whenReady();
    await button("New run from this, with the settings of teal-heron-42").click();
    await expect.element(page.getByRole("heading", { name: "Train", exact: true })).toHaveFocus();
    expect(desk().stores.recipe.getState().recipe).toEqual(runs[1]?.recipe);
    await seen("The settings of teal-heron-42 are in the form. The data is the one chosen now.");
  });
});

describe("a name", () => {
  it("is changed with Enter, and the focus stays where it was", async () => {
    const client = open({ runs });
    await whenReady();
    await button("Rename amber-otter-12").click();
    await expect.element(page.getByLabelText("New name of amber-otter-12")).toHaveFocus();
    await userEvent.keyboard("the pirate{Enter}");
    await expect.element(heading("the pirate")).toBeVisible();
    await expect.element(button("Rename the pirate")).toHaveFocus();
    expect(inputs(client, "updateRun")).toEqual([{ run: "r2", name: "the pirate" }]);
    await seen("Renamed to the pirate.");
  });

  it("that another run has is refused beside the field; Escape keeps the old one", async () => {
    open({ runs });
    await whenReady();
    await button("Rename amber-otter-12").click();
    const field = page.getByLabelText("New name of amber-otter-12");
    await userEvent.fill(field, "Teal-Heron-42");
    await button("Save the name").click();
    await seen('There is already a run named "teal-heron-42"; choose another name.');
    await expect.element(field).toHaveAttribute("aria-invalid", "true");
    await field.click();
    await userEvent.keyboard("{Escape}");
    await expect.element(heading("amber-otter-12")).toBeVisible();
    await expect.element(button("Rename amber-otter-12")).toHaveFocus();
  });
});

describe("a note", () => {
  it("has lines, and is kept when the field is left", async () => {
    const client = open({ runs });
    await whenReady();
    const note = page.getByLabelText("Note on amber-otter-12");
    await userEvent.type(note, "rank 8 is enough{Enter}second line");
    expect(inputs(client, "updateRun")).toEqual([]);
    await userEvent.tab();
    await seen("Note kept.");
    expect(inputs(client, "updateRun")).toEqual([{ run: "r2", note: "rank 8 is enough\nsecond line" }]);
    await expect.element(note).toHaveValue("rank 8 is enough\nsecond line");
  });

  it("that cannot be kept stays in the field, with the reason", async () => {
    open({ runs, fail: { updateRun: refusal("The browser has no room to keep the change.", "storage") } });
    await whenReady();
    const note = page.getByLabelText("Note on amber-otter-12");
    await userEvent.type(note, "mine");
    await userEvent.tab();
    await seen("The browser has no room to keep the change.");
    await expect.element(note).toHaveValue("mine");
  });
});

describe("deleting", () => {
  it("says what goes, takes it off the list at once, and Undo brings it back", async () => {
    const client = open({ runs });
    await whenReady();
    await button("Delete amber-otter-12").click();
    await seen(/^Its adapter \(197 kB\), loss log, sample answers, settings and notes are removed from this browser/);
    await button("Delete the run").click();
    await gone("amber-otter-12");
    await seen("amber-otter-12 deleted.");
    await expect.element(button("Undo")).toHaveFocus();
    expect(inputs(client, "hideRuns")).toEqual([{ runs: ["r2"] }]);
    await button("Undo").click();
    await expect.element(heading("amber-otter-12")).toBeVisible();
    await seen("amber-otter-12 brought back.");
    expect(inputs(client, "deleteRun")).toEqual([]);
    expect(button("Undo").elements()).toEqual([]);
  });

  it("is for good when the time is over, and the focus goes on", async () => {
    const client = open({ runs });
    await whenReady();
    await remove("amber-otter-12");
    await expect.element(button("Undo")).toHaveFocus();
    await expect.poll(() => inputs(client, "deleteRun"), { timeout: 20_000 }).toEqual([{ run: "r2" }]);
    expect(button("Undo").elements()).toEqual([]);
    await expect.poll(() => document.activeElement?.tagName).toBe("BUTTON");
  });

  it("takes several, and one Undo brings back what was deleted since", async () => {
    const client = open({ runs });
    await whenReady();
    await choose("teal-heron-42").click();
    await choose("birch-wren-3").click();
    await button("Delete the 2 runs chosen").click();
    await expect.element(page.getByRole("dialog", { name: "Delete teal-heron-42 and birch-wren-3?" })).toBeVisible();
    await button("Delete 2 runs").click();
    await gone("birch-wren-3");
    expect(library().chosen).toEqual([]);
    await remove("amber-otter-12");
    await seen(/^teal-heron-42, birch-wren-3 and amber-otter-12 deleted\./);
    await button("Undo").click();
    await expect.poll(() => library().runs.map(({ id }) => id)).toEqual(["r5", "r4", "r3", "r2", "r1"]);
    expect(inputs(client, "restoreRuns")).toEqual([{ runs: ["r4", "r1", "r2"] }]);
  });

  it("that fails leaves the run in the list, with the reason", async () => {
    open({ runs, fail: { hideRuns: refusal("The disk is gone.", "storage") } });
    await whenReady();
    await remove("amber-otter-12");
    await expect.element(page.getByRole("alert")).toHaveTextContent("The disk is gone.");
    await expect.element(heading("amber-otter-12")).toBeVisible();
    expect(button("Undo").elements()).toEqual([]);
  });
});

describe("comparing", () => {
  it("draws the curves, lists results and what differs first, and reads each log once", async () => {
    const client = open({ runs });
    await whenReady();
    await expect.element(button("Compare")).toBeDisabled();
    await choose("teal-heron-42").click();
    await choose("amber-otter-12").click();
    await button("Compare 2 runs").click();
    await expect.element(page.getByRole("dialog", { name: "2 runs compared" })).toBeVisible();
    const differing = page.getByRole("table", { name: "Settings that differ" });
    expect(rowsOf(differing.element())).toEqual([
      ["Setting", "teal-heron-42", "amber-otter-12"],
      ["Rank", "16", "8"],
      ["Learning rate", "0.001", "0.002"],
      ["Epochs", "6", "3"],
    ]);
    expect(rowsOf(page.getByRole("table", { name: "Results" }).element())).toContainEqual([
      "Held-out loss",
      "3.310 → 2.120",
      "3.310 → 2.510",
    ]);
    const table = () => page.getByRole("table", { name: /by step, for each run/ });
    expect(rowsOf(table().element())[0]).toEqual(["Step", "teal-heron-42", "amber-otter-12"]);
    await page.getByLabelText("What is drawn").selectOptions("Held-out loss");
    await expect.poll(() => rowsOf(table().element()).at(-1)).toEqual(["60", "2.12", "–"]);
    expect(document.querySelectorAll(".comparison canvas")).toHaveLength(1);
    await button("Close").click();
    await button("Compare 2 runs").click();
    expect(inputs(client, "runLog")).toEqual([{ run: "r4" }, { run: "r2" }]);
  });

  it("gives a CSV with a row for each step and a column for each run", async () => {
    open({ runs: runs.map((run) => (run.id === "r2" ? { ...run, name: 'a, "quoted" one' } : run)) });
    await whenReady();
    const { blobs, files } = saved();
    await choose("teal-heron-42").click();
    await choose('a, "quoted" one').click();
    await button("Compare 2 runs").click();
    await expect.poll(() => Object.values(library().logs).map(({ state }) => state)).toEqual(["ready", "ready"]);
    await button("Save as CSV").click();
    expect(files()).toEqual(["tabtune-comparison.csv"]);
    const lines = (await blobs[0]?.text())?.replace("\ufeff", "").split("\r\n") ?? [];
    expect(lines[0]).toBe(
      'step,teal-heron-42,teal-heron-42 (held-out),"a, ""quoted"" one","a, ""quoted"" one (held-out)"',
    );
    expect(lines[1]).toBe("0,,3.31,,3.31");
    const [teal, amber] = [runs[1], runs[3]];
    expect(lines[2]).toBe(`1,${teal?.losses[0]},,${amber?.losses[0]},`);
    // Steps 0 to 60, the head, and the end of the last line.
    expect(lines).toHaveLength(63);
    expect(lines[61]).toBe(`60,${teal?.losses[59]},${teal?.evalAfter},,`);
  });

  it("goes without a log that cannot be read, and says so", async () => {
    open({ runs, fail: { runLog: refusal("Its record is damaged.", "storage") } });
    await whenReady();
    await choose("teal-heron-42").click();
    await choose("amber-otter-12").click();
    await button("Compare 2 runs").click();
    await seen("teal-heron-42: Its record is damaged.");
    expect(rowsOf(page.getByRole("table", { name: /^Loss by step/ }).element())).toHaveLength(26);
  });

  it("takes as many as can be told apart", async () => {
    const many = Array.from({ length: mostCompared + 1 }, (_, index) => ({
      ...sampleRun,
      id: `m${index}`,
      name: `run-${index}`,
    }));
    open({ runs: many });
    await whenReady();
    await page.getByLabelText("Choose all").click();
    await seen("Choose at most 8 to compare them.");
    await expect.element(button("Compare")).toBeDisabled();
    await choose("run-3").click();
    await expect.element(button("Compare 8 runs")).toBeEnabled();
  });
});

const rowsOf = (table: Element): string[][] =>
  [...table.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent ?? ""));

describe("storage", () => {
  it("tells what the runs take and what the browser allows, and leads to the models", async () => {
    open({ runs });
    await whenReady();
    await seen(
      /^5 runs, 1\.6 MB\. This site takes 40\.0 MB of the 60\.0 GB that the browser allows it\. The browser may/,
    );
    await button("Downloaded models: none").click();
    await seen(/^Nothing yet\. What you download/);
    await expect.element(page.getByRole("heading", { name: "Model", exact: true })).toHaveFocus();
  });

  it("asks the browser to keep everything", async () => {
    vi.spyOn(navigator.storage, "persist").mockResolvedValue(false);
    open({ runs });
    await whenReady();
    await button("Ask it to keep everything").click();
    await seen(/^The browser did not agree/);
  });

  it("gives all runs as one file", async () => {
    const client = open({ runs });
    await whenReady();
    const { files } = saved();
    await seen(/^A backup for you: .* notes and sample answers\./);
    await button("Download all runs (zip)").click();
    await seen("5 runs packed.");
    expect(files()).toEqual(["tabtune-runs-2026-03-08.zip"]);
    expect(inputs(client, "exportRuns")).toEqual([{ runs: null }]);
  });
});

describe("importing an adapter", () => {
  it("keeps it and chooses it for Try", async () => {
    const client = open({ runs });
    await whenReady();
    await upload(dropLabel, adapterZip());
    await seen("Imported as captain.");
    await expect.element(heading("captain")).toBeVisible();
    expect(library().runs.find(({ id }) => id === library().selected)?.name).toBe("captain");
    expect(inputs(client, "importAdapters")).toMatchObject([{ files: [{ name: "captain.zip" }] }]);
  });

  it("whose history could not be read says so", async () => {
    open({ runs });
    await whenReady();
    await upload(dropLabel, new File(["PK"], "changed.zip"));
    await seen(/^Imported as changed\. changed came without its history: tabtune-run\.json is not valid JSON/);
    expect(page.getByRole("alert").elements()).toEqual([]);
  });

  it("takes what is dropped anywhere on the library, and not as data", async () => {
    const client = open({ runs });
    await whenReady();
    const looks = inputs(client, "inspectDataset").length;
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(adapterZip());
    const drop = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer });
    card("amber-otter-12").element().dispatchEvent(drop);
    await seen("Imported as captain.");
    expect(drop.defaultPrevented).toBe(true);
    expect(inputs(client, "inspectDataset")).toHaveLength(looks);
  });

  it("that fails says why in the worker's sentence", async () => {
    const message = "adapter_config.json says use_dora; train it without DoRA.";
    open({ runs, fail: { importAdapters: refusal(message) } });
    await whenReady();
    await upload(dropLabel, adapterZip());
    await expect.element(page.getByRole("alert")).toHaveTextContent("This adapter was not imported");
    await expect.element(page.getByRole("alert")).toHaveTextContent(message);
    expect(library().runs).toHaveLength(5);
  });

  it("waits for its base model", async () => {
    open({ runs, fail: { openModel: refusal("config.json is missing.") } });
    await seen("Open the model that the adapter was trained on first.");
    await expect.element(button("Choose its folder")).toBeDisabled();
  });
});

describe("another tab", () => {
  it("that keeps or deletes a run shows here, and what is chosen stays true", async () => {
    const client = open({ runs });
    await whenReady();
    await choose("amber-otter-12").click();
    await choose("birch-wren-3").click();
    const channel = new BroadcastChannel(runsChannel);
    await client.call("deleteRun", { run: "r2" });
    channel.postMessage("changed");
    await gone("amber-otter-12");
    expect(library().chosen).toEqual(["r1"]);
    channel.close();
  });
});
