/** Held-out rows over the fake client: a share, a file, what they share with the training rows, and what a run made of them. */
import { describe, expect, it } from "vitest";
import { page, userEvent } from "vitest/browser";
import {
  button,
  expectOptions,
  fakeStudio,
  go,
  inputs,
  jsonl,
  ownFile,
  seen,
  trainSample,
  upload,
  whenReady,
} from "../support/page-kit";

const { open } = fakeStudio("data");

describe("held-out rows", () => {
  it("are a share by seed, or nothing", async () => {
    const client = open();
    await whenReady();
    await expect.poll(() => inputs(client, "overlap")).toHaveLength(1);
    await page.getByLabelText("Held out", { exact: true }).selectOptions("10 % of the rows, by seed");
    await expectOptions(client, { evalShare: 0.1 });
    await seen("12 rows held out");
    await button("Train the sample").click();
    await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
    expect(inputs(client, "train").at(-1)).toMatchObject({ evalData: null, data: { options: { evalShare: 0.1 } } });
  });

  it("in a file of their own are compared with the training rows", async () => {
    const client = open({ shared: true });
    await ownFile();
    await page.getByLabelText("Held out", { exact: true }).selectOptions("A file of its own");
    await upload("Choose the held-out file", jsonl("notes.eval.jsonl"));
    await seen(/^2 held-out rows are in the training rows too/);
    await page.getByText("Show them").click();
    await seen(/^Held-out line 1:/);
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

  it("are named without a doubt only where all were compared", async () => {
    const overlap = { exact: false, comparedRows: 4000 };
    open({ overlap });
    await seen("None found among the 4,000 held-out rows compared; the data is too large to compare all of it.");
    expect(page.getByText(/^No held-out row/).elements()).toEqual([]);
  });

  it("that were found among some of them are said to be the least", async () => {
    open({ shared: true, overlap: { exact: false, comparedRows: 4000 } });
    await seen(/^At least 2 held-out rows are in the training rows too, going by the 4,000 compared/);
  });

  it("by share are warned of where they are training rows too", async () => {
    open({ info: { sharedHeldOutRows: 3 } });
    await whenReady();
    expect(page.getByText(/in the training rows too/).elements()).toEqual([]);
    await page.getByLabelText("Held out", { exact: true }).selectOptions("10 % of the rows, by seed");
    await seen("3 held-out rows are in the training rows too: the held-out loss will look better than it is.");
  });

  it("that were left out for their names can be taken too", async () => {
    const client = open();
    await ownFile();
    await page.getByLabelText("Held out", { exact: true }).selectOptions("A file of its own");
    await upload("Choose the held-out file", [jsonl("eval.jsonl"), jsonl("README.md")]);
    await seen("1 file was not taken: README.md.");
    await button("Take it too").click();
    await expect
      .poll(() => inputs(client, "overlap").at(-1))
      .toMatchObject({ evalData: { files: [{ name: "eval.jsonl" }, { name: "README.md" }] } });
  });
});

describe("the max length", () => {
  it("is fitted to the held-out rows too, until it is typed", async () => {
    const client = open();
    await whenReady();
    expect(inputs(client, "inspectDataset")).toMatchObject([
      { fitMaxLength: true, evalData: { name: "pirate.eval.jsonl", options: { evalShare: 0 } } },
    ]);
    await go("train");
    await userEvent.fill(page.getByLabelText("Max length").element(), "200");
    await expect
      .poll(() => inputs(client, "inspectDataset").at(-1))
      .toMatchObject({ fitMaxLength: false, evalData: null });
  });
});

describe("the finished run", () => {
  it("tells what it did not learn from and what it did not measure", async () => {
    const heldOut = { rows: 120, truncatedRows: 3, droppedRows: 2, leftOutRows: 1, sampled: false };
    open({ summary: { leftOutRows: 1, heldOut } });
    await whenReady();
    await trainSample().click();
    await seen("1 row with a problem was left out of the training.");
    await seen(
      "Held-out rows: 3 of 120 cut to the max length, 2 too long and not measured, 1 with a problem and not measured.",
    );
  });

  it("says nothing of it where nothing was left out", async () => {
    const heldOut = { rows: 120, truncatedRows: 0, droppedRows: 0, leftOutRows: 0, sampled: false };
    open({ summary: { leftOutRows: 0, heldOut } });
    await whenReady();
    await trainSample().click();
    await seen("Kept in this browser as teal-heron-42.");
    expect(page.getByText(/left out of the training|^Held-out rows:/).elements()).toEqual([]);
  });
});
