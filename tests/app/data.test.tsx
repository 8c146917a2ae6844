/** The data step over the fake client: choosing, reading, mapping, settings, problems, views, held-out rows. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { openModel } from "../../src/ui/actions/model";
import type { CallName, DataOptions } from "../../src/worker/protocol";
import { createFakeClient, type FakeClient, type FakeOptions } from "../support/fake-client";
import { type Mounted, mountStudio } from "../support/mount";
import { button, spinning, whenReady } from "../support/page-kit";

let mounted: Mounted | null = null;
afterEach(() => {
  mounted?.unmount();
  mounted = null;
  vi.restoreAllMocks();
});

function open(options: FakeOptions = {}): FakeClient {
  const client = createFakeClient(options);
  mounted = mountStudio(client);
  return client;
}

const dropLabel = "Drop files anywhere, or choose them";
const jsonl = (name: string): File => new File(['{"text":"a"}\n'], name);

async function upload(label: string, files: File | File[]): Promise<void> {
  const input = document.querySelector<HTMLInputElement>(`input[type=file][aria-label="${label}"]`);
  if (input === null) throw new TypeError(`no file input "${label}"`);
  await userEvent.upload(input, files);
}

const inputs = (client: FakeClient, call: CallName): unknown[] =>
  client.calls.filter((made) => made.call === call).map(({ input }) => input);

/** The options of the look made last. */
const expectOptions = (client: FakeClient, options: Partial<DataOptions>): Promise<void> =>
  expect.poll(() => inputs(client, "inspectDataset").at(-1)).toMatchObject({ data: { options } });

const ownFile = async (): Promise<void> => {
  await whenReady();
  await upload(dropLabel, jsonl("notes.jsonl"));
  await expect.element(page.getByText("notes.jsonl, 13 B")).toBeVisible();
};

const taken = (text: string | RegExp) => expect.element(page.getByText(text).first()).toBeVisible();

describe("choosing", () => {
  it("an own file replaces the sample, loses its held-out rows, and a sample can be taken again", async () => {
    const client = open();
    await ownFile();
    await expect.element(button("Start training")).toBeEnabled();
    await expect.element(button("Pirate talk")).toHaveAttribute("aria-pressed", "false");
    await expect.element(page.getByLabelText("Held out", { exact: true })).toHaveValue("0");
    expect(inputs(client, "inspectDataset").at(-1)).toMatchObject({ data: { name: "notes.jsonl" } });
    await button("Feelings").click();
    await taken("Sample: Feelings");
    await whenReady();
    expect(inputs(client, "inspectDataset").at(-1)).toMatchObject({ data: { name: "feelings.csv" } });
    await expect.element(page.getByLabelText("Held out", { exact: true })).toHaveValue("file");
  });

  it("several files make one dataset, in the order of their names", async () => {
    const client = open();
    await whenReady();
    await upload(dropLabel, [jsonl("part-10.jsonl"), jsonl("part-2.jsonl"), jsonl("README.md")]);
    await taken("2 files, 26 B");
    expect(inputs(client, "inspectDataset").at(-1)).toMatchObject({
      data: { name: "2 files", files: [{ name: "part-2.jsonl" }, { name: "part-10.jsonl" }] },
    });
    await page.getByText("2 files", { exact: true }).click();
    await expect.element(page.getByText("part-10.jsonl")).toBeVisible();
  });

  it("files that are no dataset leave the present one as it is", async () => {
    open();
    await whenReady();
    await upload(dropLabel, [jsonl("a.docx"), jsonl("b.pdf")]);
    await expect.element(page.getByRole("alert")).toHaveTextContent("None of the 2 files is a dataset");
    await expect.element(button("Train the sample")).toBeEnabled();
  });

  it("rows pasted anywhere become a file named clipboard, and text typed into a field does not", async () => {
    const client = open();
    await whenReady();
    const paste = (target: Element): void => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", '{"text":"pasted"}');
      target.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
    };
    paste(page.getByLabelText("Rank", { exact: true }).element());
    paste(document.body);
    await taken("clipboard, 17 B");
    expect(inputs(client, "inspectDataset")).toHaveLength(2);
  });

  it("a box is offered where the browser hands out no clipboard", async () => {
    open();
    await whenReady();
    vi.spyOn(navigator.clipboard, "readText").mockRejectedValue(new DOMException("no", "NotAllowedError"));
    await button("Paste").click();
    await expect.element(button("Use these rows")).toBeDisabled();
    await userEvent.fill(page.getByLabelText("Rows, a table or JSON").element(), '{"text":"pasted"}');
    await button("Use these rows").click();
    await taken("clipboard, 17 B");
  });

  it("a file dropped outside every drop zone is taken, with a sign while it hovers", async () => {
    open();
    await whenReady();
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(jsonl("dropped.jsonl"));
    const send = (type: string): boolean =>
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    send("dragover");
    await expect.element(page.getByText("Let go: the files become the dataset")).toBeVisible();
    expect(send("drop")).toBe(false);
    await taken("dropped.jsonl, 13 B");
    await expect.poll(() => page.getByText("Let go: the files become the dataset").elements()).toEqual([]);
  });
});

describe("reading", () => {
  it("shows the first rows and how far it is, and can be cancelled and begun again", async () => {
    const client = open({ holdReading: true });
    await expect.element(page.getByText("Reading pirate.jsonl…")).toBeVisible();
    await expect.element(page.getByText(/^2.5 kB of 4.9 kB|kB of .*kB$/)).toBeVisible();
    await expect.element(page.getByText("The first rows; the rest is being read.")).toBeVisible();
    await expect.element(page.getByText("Where do I find a good breakfast?").first()).toBeVisible();
    await button("Cancel").click();
    await taken("Reading was cancelled.");
    await expect.element(button("Read the dataset first")).toBeDisabled();
    await expect.poll(spinning).toEqual([]);
    await button("Read it").click();
    await expect.element(page.getByText("Reading pirate.jsonl…")).toBeVisible();
    expect(inputs(client, "inspectDataset")).toHaveLength(2);
  });

  it("says what the files were taken for, and reads them as the person says", async () => {
    const client = open();
    await whenReady();
    await taken("JSON Lines, 120 rows, Chat messages (OpenAI)");
    await page.getByLabelText("Read as").selectOptions("Plain text");
    await taken(/^Plain text, 120 rows/);
    await expectOptions(client, { format: "text", mapping: null });
    await page.getByLabelText("Read as").selectOptions("Best guess: JSON Lines");
    await expectOptions(client, { format: null });
  });

  it("happens again with another model", async () => {
    const client = open();
    await ownFile();
    if (mounted === null) throw new TypeError("nothing is mounted");
    await openModel(mounted.desk, { kind: "files", name: "other", files: [] });
    await taken("notes.jsonl, 13 B");
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
    await taken(/^The columns look like “Instruction and answer \(Alpaca\)”, which is a guess/);
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
    await taken("JSON Lines, 24 rows, Instruction and answer (Alpaca)");
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
    await userEvent.fill(page.getByLabelText("Max length").element(), "200");
    await page.getByText("How rows become examples").click();
    await taken("4 rows longer than 200 tokens");
    await page.getByLabelText("Split").click();
    await expectOptions(client, { tooLong: "split" });
    await expect.element(page.getByText(": 4 rows split")).toBeVisible();
    await page.getByLabelText("Everything").click();
    await expectOptions(client, { lossOn: "all", tooLong: "split" });
    await page.getByLabelText("Chat template").selectOptions("ChatML (Qwen, SmolLM, Yi)");
    await expectOptions(client, { template: { kind: "named", id: "chatml" } });
    await taken(/are no single tokens of this model/);
    await taken("Template: ChatML (Qwen, SmolLM, Yi) · learns: everything · too long: split");
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

describe("held-out rows", () => {
  it("are a share by seed, or nothing", async () => {
    const client = open();
    await whenReady();
    await expect.poll(() => inputs(client, "overlap")).toHaveLength(1);
    await page.getByLabelText("Held out", { exact: true }).selectOptions("10 % of the rows, by seed");
    await expectOptions(client, { evalShare: 0.1 });
    await taken("12 rows held out");
    await button("Train the sample").click();
    await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
    expect(inputs(client, "train").at(-1)).toMatchObject({ evalData: null, data: { options: { evalShare: 0.1 } } });
  });

  it("in a file of their own are compared with the training rows", async () => {
    const client = open({ shared: true });
    await ownFile();
    await page.getByLabelText("Held out", { exact: true }).selectOptions("A file of its own");
    await upload("Choose the held-out file", jsonl("notes.eval.jsonl"));
    await taken(/^2 rows of the held-out file are in the training rows too/);
    await page.getByText("Show them").click();
    await taken(/Line 1:/);
    expect(inputs(client, "overlap").at(-1)).toMatchObject({
      data: { name: "notes.jsonl" },
      evalData: { name: "notes.eval.jsonl", options: { evalShare: 0 } },
    });
  });

  it("that cannot be read say so where they were chosen", async () => {
    open({ fail: { overlap: { code: "bad-input", message: "notes.eval.jsonl line 2: no answer.", data: {} } } });
    await whenReady();
    await expect.element(page.getByRole("alert")).toHaveTextContent("notes.eval.jsonl line 2: no answer.");
  });
});

describe("problems", () => {
  it("are grouped, shown, skipped and taken back; while one stands, training waits and says why", async () => {
    const client = open({ dataset: "problems" });
    await taken("No answer to learn from");
    await taken("Lines that cannot be parsed");
    await taken(/line 6: "}" is missing at the end; close the object. \(column 30\)/);
    const blocked = button("Fix the data first");
    await expect.element(blocked).toBeDisabled();
    const reason = document.getElementById(blocked.element().getAttribute("aria-describedby") ?? "");
    expect(reason?.textContent).toContain("3 of 24 rows cannot be trained");

    await button("Show the rows: No answer to learn from").click();
    await taken("Only rows with: No answer to learn from");
    await taken("1–2 of 2");
    await expect
      .poll(() => [...document.querySelectorAll(".row-chat")].map((row) => row.ariaLabel))
      .toEqual(["Row 3", "Row 9"]);
    await button("Show all rows").click();
    await taken("1–10 of 24");

    await button("Skip these 2 rows: No answer to learn from").click();
    await expectOptions(client, { skip: ["no-answer"] });
    await taken("2 rows, skipped");
    await button("Skip this row: Lines that cannot be parsed").click();
    await expect.element(button("Train the sample")).toBeEnabled();
    await button("Undo skipping: No answer to learn from").click();
    await expectOptions(client, { skip: ["syntax"] });
    await expect.element(button("Fix the data first")).toBeDisabled();
  });
});

describe("the views", () => {
  it("page through rows as a table, a chat and tokens", async () => {
    const client = open();
    await whenReady();
    await taken("1–10 of 120");
    expect(document.querySelectorAll(".turn.trained")).toHaveLength(10);
    await button("Rows after").click();
    await taken("11–20 of 120");
    expect(inputs(client, "viewRows").at(-1)).toEqual({ from: 10, count: 10, problem: null });
    await page.getByRole("tab", { name: "Table" }).click();
    expect(document.querySelector(".rows tbody th")?.textContent).toBe("11");
    await button("Last rows").click();
    await taken("111–120 of 120");
    await expect.element(button("Rows after")).toBeDisabled();
    await button("First rows").click();
    await taken("1–10 of 120");
  });

  it("tell a token's id to the mouse and to the arrow keys", async () => {
    open();
    await whenReady();
    await page.getByRole("tab", { name: "Tokens" }).click();
    await userEvent.hover(page.getByRole("option", { name: "Arr," }).first().element());
    await taken("“Arr,” · id 100 · learned");
    await userEvent.unhover(page.getByRole("option", { name: "Arr," }).first().element());
    const strip = page.getByRole("listbox").first().element();
    if (!(strip instanceof HTMLElement)) throw new TypeError("no strip");
    strip.focus();
    await taken("“<|user|>” · id 0 · context only");
    await userEvent.keyboard("{ArrowRight}{ArrowRight}");
    await taken("“Where” · id 2 · context only");
    expect(document.getElementById(strip.getAttribute("aria-activedescendant") ?? "")?.textContent).toBe("Where");
    await userEvent.keyboard("{End}");
    await taken("“<|end|>” · id 113 · learned");
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
    await taken("11–20 of 120");
  });
});

describe("the figures", () => {
  it("are the worker's, estimated ones said to be so", async () => {
    open({ dataset: "large" });
    await whenReady();
    await taken(/^Estimated from 4,000 rows/);
    const facts = [...document.querySelectorAll("#data .facts > div")].map(({ textContent }) => textContent);
    expect(facts).toEqual(["Rows1.2 M", "Tokens146.5 M", "Learned42.9 %", "Longest row231", "Steps/epoch10"]);
  });

  it("have the histogram as a table too, and a line where the max length cuts", async () => {
    open();
    await whenReady();
    await userEvent.fill(page.getByLabelText("Max length").element(), "210");
    await taken("max length 210");
    const table = document.querySelector("#data figure table");
    expect(table?.querySelectorAll("tbody tr")).toHaveLength(12);
    expect(table?.textContent).toContain("200 to 2198");
    // Bins of 20: 210 lies half into the eleventh of twelve.
    const cut = document.querySelector<HTMLElement>(".lengths-cut");
    expect(Number.parseFloat(cut?.style.left ?? "")).toBeCloseTo((100 * 10.5) / 12, 3);
    expect(document.querySelectorAll(".lengths-bar.beyond")).toHaveLength(1);
  });
});
