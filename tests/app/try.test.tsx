/** The Try step over the fake client: sampling, runs, tokens, copying, and the losses of single rows. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { ErrorData } from "../../src/worker/protocol";
import { type FakeClient, type FakeOptions, sampleRun } from "../support/fake-client";
import { button, fakeStudio, inputs, refusal, seen, spinning } from "../support/page-kit";

const { open: mount, desk } = fakeStudio("try");
const otter = sampleRun;
const heron = { ...sampleRun, id: "run-2", name: "teal-heron-3", dataset: "notes.jsonl" };
const foreign = { ...sampleRun, id: "run-3", name: "grey-crane-8", model: "other/model" };

beforeEach(async () => {
  sessionStorage.clear();
  await page.viewport(1200, 800);
});

async function open(options: FakeOptions = { runs: [otter] }): Promise<FakeClient> {
  const client = mount(options);
  await expect.element(button("Generate both")).toBeEnabled();
  return client;
}

/** With the held-out rows of the sample chosen. */
async function openWithData(options: FakeOptions = { runs: [otter] }): Promise<FakeClient> {
  const client = await open(options);
  await expect.poll(() => desk().stores.data.getState().shown).not.toBeNull();
  await expect.element(button("Measure")).toBeEnabled();
  return client;
}

const unfold = () => page.getByText("Sampling", { exact: true }).click();
const type = (label: string, value: string) =>
  userEvent.fill(page.getByLabelText(label, { exact: true }).element(), value);
const answers = () => page.getByRole("region", { name: "Answers", exact: true });
const generate = async (): Promise<void> => {
  await button("Generate both").click();
  await expect
    .element(
      answers()
        .getByText(/tokens, [\d.]+\/s/)
        .nth(1),
    )
    .toBeVisible();
};
const clipboard = (): string[] => {
  const texts: string[] = [];
  vi.spyOn(navigator.clipboard, "writeText").mockImplementation(async (text) => {
    texts.push(text);
  });
  return texts;
};
const table = () => page.getByRole("table", { name: /^Loss of each row/ });
const column = (index: number): string[] =>
  [...table().element().querySelectorAll("tbody tr")].map((row) => row.children[index]?.textContent ?? "");
const measure = async (): Promise<void> => {
  await button("Measure").click();
  await seen(/^12 rows: /);
};

describe("without a run that fits", () => {
  it("says what belongs here and leads to training", async () => {
    mount({});
    await seen(/^Here the model answers before and after training/);
    await button("Go to training").click();
    expect(location.hash).toBe("#/train");
  });

  it("lets the base model answer and lists the others with the reason", async () => {
    mount({ runs: [foreign] });
    await seen(/^The kept runs are for other models/);
    const option = page.getByRole("option", { name: "grey-crane-8, for other/model" });
    expect(option.element()).toHaveProperty("disabled", true);
    await button("Generate with the base").click();
    await seen("You put the tea in the water and wait a little.");
    expect(page.getByRole("heading", { name: "Row by row" }).elements()).toEqual([]);
  });
});

describe("the answers", () => {
  it("are drawn with every number of the form", async () => {
    const client = await open();
    await unfold();
    await seen(/^At temperature 0 the likeliest token is always taken/);
    await type("Temperature", "8e-1");
    await type("Top-k", "40");
    await type("Top-p", "19/20");
    await type("Sampling seed", "7");
    await seen("temperature 0.8, top-k 40, top-p 0.95, seed 7");
    await page.getByLabelText("Longest answer").selectOptions("128 tokens");
    await generate();
    const drawn = { temperature: 0.8, topK: 40, topP: 0.95, seed: 7, maxNewTokens: 128 };
    expect(inputs(client, "generate")).toEqual([
      expect.objectContaining({ ...drawn, run: null, strength: 0 }),
      expect.objectContaining({ ...drawn, run: otter.id, strength: 1 }),
    ]);
    await button("Back to greedy").click();
    await seen("greedy");
    await expect.element(page.getByLabelText("Temperature", { exact: true })).toHaveFocus();
  });

  it.each([
    ["Temperature", "warm", 'Temperature is "warm"; it must be a number from 0 to 10.'],
    ["Top-p", "0", "Top-p is 0; it must be a number above 0, up to 1."],
  ])("wait for a right %s", async (label, typed, sentence) => {
    const client = await open();
    await unfold();
    await type(label, typed);
    await expect
      .element(page.getByLabelText(label, { exact: true }))
      .toHaveAccessibleDescription(expect.stringContaining(sentence));
    await expect.element(button("Generate both")).toBeDisabled();
    await expect.element(button("Generate both")).toHaveAccessibleDescription(sentence);
    await page.getByLabelText("Prompt", { exact: true }).click();
    await userEvent.keyboard("{Control>}{Enter}{/Control}");
    expect(inputs(client, "generate")).toEqual([]);
  });

  it("come from the run that is chosen, and keep its name when another one is", async () => {
    const client = await open({ runs: [otter, heron, foreign] });
    await page.getByLabelText("Run", { exact: true }).selectOptions("run-2");
    await generate();
    expect(inputs(client, "generate").at(-1)).toMatchObject({ run: "run-2" });
    await expect.element(page.getByRole("heading", { name: "Tuned: teal-heron-3" })).toBeVisible();
    await page.getByLabelText("Run", { exact: true }).selectOptions(otter.id);
    await expect.element(page.getByRole("heading", { name: "Tuned: teal-heron-3" })).toBeVisible();
    await generate();
    await expect.element(page.getByRole("heading", { name: "Tuned: amber-otter-12" })).toBeVisible();
  });

  it("take a prompt of the data, a strength, and can be stopped, by keyboard alone", async () => {
    const client = await open({ runs: [otter], pace: 40 });
    await expect.element(button("What is the weather like?")).toBeVisible();
    const example = button("What is the weather like?").element();
    if (example instanceof HTMLElement) example.focus();
    await userEvent.keyboard("{Enter}");
    await expect.element(page.getByLabelText("Prompt", { exact: true })).toHaveFocus();
    await expect.element(page.getByLabelText("Prompt", { exact: true })).toHaveValue("What is the weather like?");
    const thumb = page.getByRole("slider", { name: "Adapter strength" }).element();
    if (thumb instanceof HTMLElement) thumb.focus();
    await userEvent.keyboard("{ArrowLeft}{ArrowLeft}");
    await expect
      .element(page.getByRole("slider", { name: "Adapter strength" }))
      .toHaveAttribute("aria-valuenow", "0.9");
    const go = button("Generate both").element();
    if (go instanceof HTMLElement) go.focus();
    await userEvent.keyboard("{Enter}");
    await expect.element(button("Stop")).toHaveFocus();
    await expect.element(answers().getByText(/^You put/)).toBeVisible();
    await userEvent.keyboard("{Enter}");
    await expect.element(button("Generate both")).toHaveFocus();
    await expect.element(answers().getByText(/ · stopped$/)).toBeVisible();
    expect(inputs(client, "generate")).toMatchObject([{ prompt: [{ content: "What is the weather like?" }] }]);
    expect(spinning()).toEqual([]);
  });

  it("show the tokens that they are made of, special ones and spaces too", async () => {
    await open();
    await generate();
    await page.getByText("Tokens", { exact: true }).first().click();
    const list = page.getByRole("listbox", { name: "Tokens, Base; arrow keys tell each one's id" });
    const tokens = [...list.element().querySelectorAll(".token")];
    expect(tokens.map(({ textContent }) => textContent)).toEqual(
      expect.arrayContaining(["<|user|>", "↵\n", "·do", "<|end|>"]),
    );
    expect(tokens[0]?.className).toContain("masked");
    expect(tokens.at(-1)?.className).toContain("counted");
    const box = list.element();
    if (box instanceof HTMLElement) box.focus();
    await userEvent.keyboard("{End}");
    await seen("“<|end|>” · id 2 · answer");
    await userEvent.keyboard("{Home}");
    await seen("“<|user|>” · id 1 · prompt");
  });

  it("show the tokens of the answer however long the prompt is", async () => {
    await open();
    await generate();
    await page.getByText("Tokens", { exact: true }).first().click();
    const { base } = desk().stores.trial.getState();
    const promptTokens = Array.from({ length: 200 }, (_, id) => ({ id, text: ` p${id}` }));
    const answerTokens = Array.from({ length: 90 }, (_, id) => ({ id, text: ` a${id}` }));
    if (base.summary === null) expect.fail("nothing was answered");
    desk().stores.trial.setState({ base: { ...base, summary: { ...base.summary, promptTokens, answerTokens } } });
    const list = page.getByRole("listbox", { name: /^Tokens, Base/ });
    const shown = (kind: string) => [...list.element().querySelectorAll(`.${kind}`)].map((token) => token.textContent);
    await expect.poll(() => shown("masked").length).toBe(80);
    expect(shown("counted")).toHaveLength(80);
    expect(shown("counted")[0]).toBe("·a0");
  });

  it("are copied as Markdown, or shown to be copied by hand", async () => {
    await open();
    const texts = clipboard();
    await generate();
    await button("Copy as Markdown").first().click();
    await seen("Copied.");
    expect(texts[0]).toContain(
      "- Run: amber-otter-12, strength 1.00\n- Prompt: as a chat message\n- Sampling: greedy, at most 64 tokens",
    );
    expect(texts[0]).toContain("```text\nArr, ye drop the leaves in boilin' water, matey!\n```");
    vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new TypeError("denied"));
    await button("Copy as Markdown").first().click();
    await expect.element(page.getByLabelText("Copy this by hand")).toHaveValue(texts[0] ?? "");
  });
});

describe("row by row", () => {
  it("measures the held-out rows with the run, worst first", async () => {
    const client = await openWithData();
    await seen("Held-out rows show what was learned for real.");
    await measure();
    expect(inputs(client, "evaluateRows")).toMatchObject([
      { run: otter.id, most: 25, data: { name: "pirate.eval.jsonl" }, maxLength: 512 },
    ]);
    await seen(/^12 rows: [\d.]+ → [\d.]+; better in 10, worse in 2$/);
    const differences = column(4);
    expect(differences).toHaveLength(12);
    expect(differences[0]).toBe("+0.210 worse");
    expect(differences.at(-1)).toMatch(/^−\d\.\d{3} better$/);
    const values = differences.map((text) => Number(text.replace("−", "-").replace(/ .*/, "")));
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    expect(spinning()).toEqual([]);
  });

  it("measures the dataset itself where that is wanted, and says what it means", async () => {
    const client = await openWithData();
    await page.getByLabelText("Rows", { exact: true }).selectOptions("dataset");
    await seen(/^On rows that it was trained on, a lower loss also measures what was learned by heart/);
    await page.getByLabelText("At most").selectOptions("400");
    await measure();
    expect(inputs(client, "evaluateRows")).toMatchObject([{ most: 400, data: { name: "pirate.jsonl" } }]);
  });

  it("is sorted by a press on a column, and turned round by another", async () => {
    await openWithData();
    await measure();
    const header = (name: string) => page.getByRole("columnheader", { name });
    await expect.element(header("Difference")).toHaveAttribute("aria-sort", "descending");
    await button("Row").click();
    await expect.element(header("Row")).toHaveAttribute("aria-sort", "ascending");
    await expect.element(header("Difference")).not.toHaveAttribute("aria-sort");
    expect(column(0).slice(0, 3)).toEqual(["line 1", "line 2", "line 3"]);
    await button("Row").click();
    expect(column(0)[0]).toBe("line 12");
    await button("Base loss").click();
    const losses = column(2).map(Number);
    expect(losses).toEqual(losses.toSorted((a, b) => b - a));
  });

  it("keeps what was measured when it is cancelled, and has the GPU to itself meanwhile", async () => {
    await openWithData({ runs: [otter], holdRows: true });
    await button("Measure").click();
    await seen("4 of 12 rows");
    await seen(/^Measuring the loss/);
    await expect.element(button("Generate both")).toBeDisabled();
    await expect.element(button("Generate both")).toHaveAccessibleDescription(/^Waits for the rows/);
    location.hash = "#/train";
    await expect.element(button("Measuring rows…")).toBeDisabled();
    location.hash = "#/try";
    await button("Cancel").click();
    await seen("Stopped after 4 rows; these stay.");
    await seen(/^4 rows: /);
    expect(column(0)).toHaveLength(4);
    await expect.element(button("Generate both")).toBeEnabled();
    expect(spinning()).toEqual([]);
  });

  it("says what its rows belong to once something else is chosen", async () => {
    await openWithData({ runs: [otter, heron] });
    await measure();
    await page.getByLabelText("Run", { exact: true }).selectOptions("run-2");
    await seen(/^Measured earlier: run amber-otter-12 of tabtune-tiny on pirate.eval.jsonl\./);
    await button("Measure").click();
    await expect.poll(() => page.getByText(/^Measured earlier/).elements()).toEqual([]);
    await seen(/^12 rows: /);
  });

  it("keeps the focus on the button that turned to the last page", async () => {
    await openWithData();
    await measure();
    desk().stores.rowLosses.setState(({ rows }) => ({
      rows: [...rows, ...rows, ...rows].map((row, at) => ({ ...row, row: at })),
    }));
    await button("Rows after").click();
    await seen("26–36 of 36 rows");
    await expect.element(button("Rows after")).toHaveFocus();
    await expect.element(button("Rows after")).toHaveAttribute("aria-disabled", "true");
    await userEvent.keyboard("{Enter}");
    await seen("26–36 of 36 rows");
  });

  it("tells an error and tries again", async () => {
    const fail: { evaluateRows?: ErrorData } = { evaluateRows: refusal("pirate.eval.jsonl: no row can be measured.") };
    await openWithData({ runs: [otter], fail });
    await button("Measure").click();
    await expect.element(page.getByRole("alert")).toHaveTextContent("pirate.eval.jsonl: no row can be measured.");
    expect(spinning()).toEqual([]);
    delete fail.evaluateRows;
    await button("Try again").click();
    await seen(/^12 rows: /);
    expect(page.getByRole("alert").elements()).toEqual([]);
  });

  it("is copied as a Markdown table in the order shown", async () => {
    await openWithData();
    const texts = clipboard();
    await measure();
    await button("Copy as Markdown table").click();
    await expect.poll(() => texts).toHaveLength(1);
    const lines = (texts[0] ?? "").split("\n").filter((line) => line.startsWith("| pirate.jsonl"));
    expect(lines).toHaveLength(12);
    expect(lines[0]).toContain("| pirate.jsonl line 5 | Do you have a parrot? |");
  });
});
