/** Choosing data over the fake client: files, folders, what is pasted or dropped, samples; and which files are not taken. */
import { describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { chooseFiles } from "../../src/ui/actions/choose-data";
import {
  button,
  dropLabel,
  fakeStudio,
  go,
  inputs,
  jsonl,
  ownFile,
  seen,
  upload,
  whenReady,
} from "../support/page-kit";

const { open, desk } = fakeStudio("data");

describe("choosing", () => {
  it("an own file replaces the sample, loses its held-out rows, and a sample can be taken again", async () => {
    const client = open();
    await ownFile();
    await expect.element(button("Start training")).toBeEnabled();
    await expect.element(button("Pirate talk")).toHaveAttribute("aria-pressed", "false");
    await expect.element(page.getByLabelText("Held out", { exact: true })).toHaveValue("0");
    expect(inputs(client, "inspectDataset").at(-1)).toMatchObject({ data: { name: "notes.jsonl" } });
    await button("Feelings").click();
    await seen("Sample: Feelings");
    await whenReady();
    expect(inputs(client, "inspectDataset").at(-1)).toMatchObject({ data: { name: "feelings.csv" } });
    await expect.element(page.getByLabelText("Held out", { exact: true })).toHaveValue("file");
  });

  it("several files make one dataset, in the order of their names", async () => {
    const client = open();
    await whenReady();
    await upload(dropLabel, [jsonl("part-10.jsonl"), jsonl("part-2.jsonl"), jsonl("README.md")]);
    await seen("2 files, 26 B");
    await seen("1 file was not taken: README.md.");
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
    await go("train");
    paste(page.getByLabelText("Rank", { exact: true }).element());
    paste(document.body);
    await seen("clipboard, 17 B");
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
    await seen("clipboard, 17 B");
  });

  it("a file dropped outside every drop zone is taken, with a sign while it hovers", async () => {
    open();
    await whenReady();
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(jsonl("dropped.jsonl"));
    const send = (type: string): boolean =>
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    send("dragover");
    await expect.element(page.getByText("Let go: data becomes the dataset, weights the model")).toBeVisible();
    expect(send("drop")).toBe(false);
    await seen("dropped.jsonl, 13 B");
    await expect
      .poll(() => page.getByText("Let go: data becomes the dataset, weights the model").elements())
      .toEqual([]);
  });

  it("takes every ending that data has, and without an ending what was picked by hand", async () => {
    const client = open();
    await whenReady();
    const names = ["a.psv", "b.tab", "c.jsonlines", "d.rst", "e.log.gz", "f.markdown", "notes"];
    await upload(dropLabel, names.map(jsonl));
    await seen(/^7 files, 91 B/);
    expect(inputs(client, "inspectDataset").at(-1)).toMatchObject({ data: { files: names.map((name) => ({ name })) } });
    expect(page.getByText(/not taken/).elements()).toEqual([]);
  });

  it("of a folder with tables leaves the texts out by name, hidden files silently, and takes them when told to", async () => {
    const client = open();
    await whenReady();
    const inFolder = (path: string): File => Object.defineProperty(jsonl("x"), "path", { value: `set/${path}` });
    const paths = ["train.csv", "notes.txt", "a/card.yml", "LICENSE", "photo.png", ".DS_Store", "more.csv"];
    await chooseFiles(desk(), paths.map(inFolder));
    await seen("set, 26 B");
    await seen("4 files were not taken: a/card.yml, LICENSE, notes.txt and 1 more.");
    await button("Take them too").click();
    await seen("set, 78 B");
    const names = ["a/card.yml", "LICENSE", "more.csv", "notes.txt", "photo.png", "train.csv"];
    expect(inputs(client, "inspectDataset").at(-1)).toMatchObject({ data: { files: names.map((name) => ({ name })) } });
    expect(page.getByText(/not taken/).elements()).toEqual([]);
    await button("Pirate talk").click();
    await whenReady();
  });
});
