/** The data step over the fake client: reading, mapping, settings, problems, views, figures. */
import { describe, expect, it } from "vitest";
import { page, userEvent } from "vitest/browser";
import { openModel } from "../../src/ui/actions/model";
import type { FakeOptions } from "../support/fake-client";
import { button, expectOptions, fakeStudio, go, inputs, ownFile, seen, spinning, whenReady } from "../support/page-kit";

const { open, desk } = fakeStudio("data");

describe("reading", () => {
  it("shows the first rows and how far it is, and can be cancelled and begun again", async () => {
    const client = open({ holdReading: true });
    await expect.element(page.getByText("Reading pirate.jsonl…")).toBeVisible();
    await expect.element(page.getByText(/^2.5 kB of 4.9 kB|kB of .*kB$/)).toBeVisible();
    await expect.element(page.getByText("The first rows; the rest is being read.")).toBeVisible();
    await expect.element(page.getByText("Where do I find a good breakfast?").first()).toBeVisible();
    await button("Cancel").click();
    await seen("Reading was cancelled.");
    await expect.element(button("Read the dataset first")).toBeDisabled();
    await expect.poll(spinning).toEqual([]);
    await button("Read it").click();
    await expect.element(page.getByText("Reading pirate.jsonl…")).toBeVisible();
    expect(inputs(client, "inspectDataset")).toHaveLength(2);
  });

  it("says what the files were taken for, and reads them as the person says", async () => {
    const client = open();
    await whenReady();
    await seen("JSON Lines, 120 rows, Chat messages (OpenAI)");
    await page.getByLabelText("Read as").selectOptions("Plain text");
    await seen(/^Plain text, 120 rows/);
    await expectOptions(client, { format: "text", mapping: null });
    await page.getByLabelText("Read as").selectOptions("Best guess: JSON Lines");
    await expectOptions(client, { format: null });
  });

  it("again keeps training waiting, with the figures where they were", async () => {
    const client = open();
    await whenReady();
    const { call } = client;
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    client.call = async (name, input, callOptions) => {
      if (name === "inspectDataset") await held;
      return call(name, input, callOptions);
    };
    await page.getByLabelText("Read as").selectOptions("Plain text");
    await expect.element(button("Reading the dataset…")).toBeDisabled();
    await expect.element(page.getByText("30 steps · 14,230 tokens in the data")).toBeVisible();
    go();
    await whenReady();
  });

  it("tells what of the files was not read", async () => {
    open({ info: { notes: ["Of the parquet file 2 columns were not read."] } });
    await whenReady();
    await seen("Of the parquet file 2 columns were not read.");
  });

  it("happens again with another model", async () => {
    const client = open();
    await ownFile();
    await openModel(desk(), { kind: "files", name: "other", files: [] });
    await seen("notes.jsonl, 13 B");
    expect(inputs(client, "inspectDataset").at(-1)).toMatchObject({ data: { name: "notes.jsonl" } });
    await expect.element(button("Start training")).toBeEnabled();
  });

  it("that fails after a change can take the change back", async () => {
    const fail: FakeOptions["fail"] = {};
    const client = open({ fail });
    await whenReady();
    Object.assign(fail, { inspectDataset: { code: "bad-input", message: "The template has no end.", data: {} } });
    await page.getByLabelText("Read as").selectOptions("Plain text");
    await expect.element(page.getByRole("alert")).toHaveTextContent("The template has no end.");
    await expect.element(button("Fix the data first")).toBeDisabled();
    Object.assign(fail, { inspectDataset: undefined });
    await button("Undo the last change").click();
    await whenReady();
    await expectOptions(client, { format: null });
  });
});

describe("columns that fit no shape", () => {
  it("are mapped in a dialog that begins with the guess and says what is missing", async () => {
    const client = open({ dataset: "unmapped" });
    await seen(/^The columns look like “Instruction and answer \(Alpaca\)”, which is a guess/);
    await expect.element(button("Fix the data first")).toBeDisabled();
    await button("Check the guess").click();
    const dialog = page.getByRole("dialog");
    await expect.element(dialog.getByText(/^This is a guess/)).toBeVisible();
    await expect.element(dialog.getByLabelText("Answer")).toHaveValue("reply");
    await expect.element(dialog.getByText("Ready", { exact: true })).toBeVisible();
    await dialog.getByLabelText("Answer").selectOptions("choose a column");
    await expect.element(dialog.getByText("Still missing: Answer")).toBeVisible();
    await expect.element(button("Use these columns")).toBeDisabled();
    await dialog.getByLabelText("Answer").selectOptions("source");
    await expect.element(dialog.getByText("log", { exact: true })).toBeVisible();
    await button("Use these columns").click();
    await expectOptions(client, {
      mapping: { shape: "instruction", columns: { instruction: "ask", output: "source" } },
    });
    await seen("JSON Lines, 24 rows, Instruction and answer (Alpaca)");
    await expect.element(button("Train the sample")).toBeEnabled();
    await button("Change: What the columns hold").click();
    await button("Detect again").click();
    await expectOptions(client, { mapping: null });
  });
});

describe("settings", () => {
  it("of template, loss and long rows reach the worker, with the count of long rows", async () => {
    const client = open();
    await whenReady();
    await go("train");
    await userEvent.fill(page.getByLabelText("Max length").element(), "200");
    await go("data");
    await page.getByText("How rows become examples").click();
    await seen("4 rows longer than 200 tokens");
    await page.getByLabelText("Split").click();
    await expectOptions(client, { tooLong: "split" });
    await expect.element(page.getByText(": 4 rows split")).toBeVisible();
    await page.getByLabelText("Everything").click();
    await expectOptions(client, { lossOn: "all", tooLong: "split" });
    await page.getByLabelText("Chat template").selectOptions("ChatML (Qwen, SmolLM, Yi)");
    await expectOptions(client, { template: { kind: "named", id: "chatml" } });
    await seen(/are no single tokens of this model/);
    await seen("Template: ChatML (Qwen, SmolLM, Yi) · learns: everything · too long: split");
  });

  it("take an own template, and show the first row through it", async () => {
    const client = open();
    await whenReady();
    await page.getByText("How rows become examples").click();
    await page.getByLabelText("Chat template").selectOptions("My own (Jinja)");
    const field = page.getByLabelText("Template in Jinja");
    await userEvent.fill(field.element(), "{{ messages[0].content }}");
    expect(inputs(client, "inspectDataset")).toHaveLength(1);
    await button("Use this template").click();
    await expectOptions(client, { template: { kind: "own", jinja: "{{ messages[0].content }}" } });
    await expect.element(page.getByText("The first row, rendered")).toBeVisible();
    expect(document.querySelector(".rendered")?.textContent).toContain("Where do I find a good breakfast?");
  });
});

describe("problems", () => {
  it("are grouped, shown, skipped and taken back; while one stands, training waits and says why", async () => {
    const client = open({ dataset: "problems" });
    await seen("No answer to learn from");
    await seen("Lines that cannot be parsed");
    await seen(/line 6: "}" is missing at the end; close the object. \(column 30\)/);
    const blocked = button("Fix the data first");
    await expect.element(blocked).toBeDisabled();
    const reason = document.getElementById(blocked.element().getAttribute("aria-describedby") ?? "");
    expect(reason?.textContent).toContain("3 of 24 rows cannot be trained");

    await button("Show the rows: No answer to learn from").click();
    await seen("Only rows with: No answer to learn from");
    await seen("1–2 of 2");
    await expect
      .poll(() => [...document.querySelectorAll(".row-chat")].map((row) => row.ariaLabel))
      .toEqual(["Row 3", "Row 9"]);
    await button("Show all rows").click();
    await seen("1–10 of 24");

    await button("Skip these 2 rows: No answer to learn from").click();
    await expectOptions(client, { skip: ["no-answer"] });
    await seen("2 rows, skipped");
    await button("Skip this row: Lines that cannot be parsed").click();
    await expect.element(button("Train the sample")).toBeEnabled();
    await button("Undo skipping: No answer to learn from").click();
    await expectOptions(client, { skip: ["syntax"] });
    await expect.element(button("Fix the data first")).toBeDisabled();
  });
});

describe("problems of data that is looked at in part", () => {
  it("are estimates, and skipping means all such rows", async () => {
    const group = { kind: "no-answer", rows: 3000, skipped: false, examples: [] } as const;
    const client = open({ dataset: "large", info: { problems: [group], refusal: "Rows have no answer." } });
    await seen("about 3,000 rows");
    await expect.element(button("Fix the data first")).toBeDisabled();
    await page.getByText("Skip all such rows (about 3,000)").click();
    await expectOptions(client, { skip: ["no-answer"] });
  });
});

describe("a model without a chat template", () => {
  const group = { kind: "template", rows: 120, skipped: false, examples: [] } as const;
  const refusal = "pirate.jsonl line 1: the row is a chat but the model has no chat template.";

  it("leads from the refusal to the setting", async () => {
    open({ bare: true, info: { problems: [group], refusal } });
    await seen("This model has no chat template of its own, and these rows need one.");
    const field = page.getByLabelText("Chat template", { exact: true }).element();
    expect(field.checkVisibility()).toBe(false);
    await button("Choose a chat template").first().click();
    expect(field.checkVisibility()).toBe(true);
    expect(document.activeElement).toBe(field);
  });

  it("says nothing of it where the refusal has another cause", async () => {
    open({ bare: true, dataset: "problems" });
    await seen("This data cannot be trained on yet");
    expect(page.getByText(/has no chat template of its own/).elements()).toEqual([]);
    expect(button("Choose a chat template").elements()).toEqual([]);
  });
});

describe("the views", () => {
  it("page through rows as a table, a chat and tokens", async () => {
    const client = open();
    await whenReady();
    await seen("1–10 of 120");
    expect(document.querySelectorAll(".turn.trained")).toHaveLength(10);
    await button("Rows after").click();
    await seen("11–20 of 120");
    expect(inputs(client, "viewRows").at(-1)).toEqual({ from: 10, count: 10, problem: null });
    await page.getByRole("tab", { name: "Table" }).click();
    expect(document.querySelector(".rows tbody th")?.textContent).toBe("11");
    await button("Last rows").click();
    await seen("111–120 of 120");
    await expect.element(button("Rows after")).toBeDisabled();
    await button("First rows").click();
    await seen("1–10 of 120");
  });

  it("tell a token's id to the mouse and to the arrow keys", async () => {
    open();
    await whenReady();
    await page.getByRole("tab", { name: "Tokens" }).click();
    await userEvent.hover(page.getByRole("option", { name: "Arr," }).first().element());
    await seen("“Arr,” · id 100 · learned");
    await userEvent.unhover(page.getByRole("option", { name: "Arr," }).first().element());
    const strip = page.getByRole("listbox").first().element();
    if (!(strip instanceof HTMLElement)) throw new TypeError("no strip");
    strip.focus();
    await seen("“<|user|>” · id 0 · context only");
    await userEvent.keyboard("{ArrowRight}{ArrowRight}");
    await seen("“Where” · id 2 · context only");
    expect(document.getElementById(strip.getAttribute("aria-activedescendant") ?? "")?.textContent).toBe("Where");
    await userEvent.keyboard("{End}");
    await seen("“<|end|>” · id 113 · learned");
  });

  it("open large", async () => {
    open();
    await whenReady();
    await button("Show the rows large").click();
    await expect.element(page.getByRole("dialog", { name: "Views of the rows" })).toBeVisible();
    await userEvent.keyboard("{Escape}");
    await expect.poll(() => page.getByRole("dialog").elements().length).toBe(0);
  });

  it("say what failed and try again", async () => {
    const fail: FakeOptions["fail"] = {};
    open({ fail });
    await whenReady();
    Object.assign(fail, { viewRows: { code: "bad-input", message: "pirate.jsonl is gone.", data: {} } });
    await button("Rows after").click();
    await expect.element(page.getByRole("alert")).toHaveTextContent("pirate.jsonl is gone.");
    Object.assign(fail, { viewRows: undefined });
    await button("Try again").click();
    await seen("11–20 of 120");
  });
});

describe("the figures", () => {
  it("are the worker's, estimated ones said to be so", async () => {
    open({ dataset: "large" });
    await whenReady();
    await seen(/^Estimated from 4,000 rows/);
    const facts = [...document.querySelectorAll("#data .facts > div")].map(({ textContent }) => textContent);
    expect(facts).toEqual(["Rows1.2 M", "Tokens146.5 M", "Learned42.9 %", "Longest row231", "Steps/epoch10"]);
  });

  it("have the histogram as a table too, and a line where the max length cuts", async () => {
    open();
    await whenReady();
    await go("train");
    await userEvent.fill(page.getByLabelText("Max length").element(), "210");
    await go("data");
    await seen("max length 210");
    const table = document.querySelector("#data figure table");
    expect(table?.querySelectorAll("tbody tr")).toHaveLength(12);
    expect(table?.textContent).toContain("200 to 2198");
    // Bins of 20: 210 lies half into the eleventh of twelve.
    const cut = document.querySelector<HTMLElement>(".lengths-cut");
    expect(Number.parseFloat(cut?.style.left ?? "")).toBeCloseTo((100 * 10.5) / 12, 3);
    expect(document.querySelectorAll(".lengths-bar.beyond")).toHaveLength(1);
  });
});
