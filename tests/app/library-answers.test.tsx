/** What kept runs answered, over the fake client: before and after on a card, and several runs beside each other. */
import { describe, expect, it } from "vitest";
import { page } from "vitest/browser";
import { sampleRun } from "../support/fake-client";
import { severalRuns } from "../support/fake-library";
import { button, fakeStudio, inputs, refusal, seen, whenReady } from "../support/page-kit";

const { open } = fakeStudio("library");
const runs = severalRuns(sampleRun);
const choose = (name: string) => page.getByRole("checkbox", { name: `Choose ${name}` });
const rowsOf = (table: Element): string[][] =>
  [...table.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent ?? ""));

describe("the answers of a run", () => {
  const answers = (name: string) => button(`Answers of ${name} before and after training`);
  const region = (name: string) => page.getByRole("region", { name: `What ${name} answered` });
  const cells = (name: string): string[] =>
    [...region(name).element().querySelectorAll(".run-question, .run-answer")].map((cell) => cell.textContent ?? "");

  it("stand side by side, those before training and the last ones, read once", async () => {
    const client = open({ runs });
    await whenReady();
    await answers("teal-heron-42").click();
    await expect.element(answers("teal-heron-42")).toHaveAttribute("aria-expanded", "true");
    const [plain, pirate] = [
      "Before trainingYou put the tea in the water and wait a little. Then you drink the tea.",
      "After 60 stepsArr, ye drop the leaves in boilin' water, matey!",
    ];
    await expect
      .poll(() => cells("teal-heron-42"))
      .toEqual(["How do I make tea?", plain, pirate, "Who sails here?", plain, pirate]);
    await answers("teal-heron-42").click();
    await expect.poll(() => region("teal-heron-42").elements()).toEqual([]);
    await answers("teal-heron-42").click();
    await expect.poll(() => cells("teal-heron-42")).toHaveLength(6);
    expect(inputs(client, "runLog")).toEqual([{ run: "r4" }]);
  });

  it("are said to be missing where there are none, and an adapter from elsewhere has no such button", async () => {
    open({ runs });
    await whenReady();
    await answers("birch-wren-3").click();
    await seen("No answers are kept of it. Questions are set under Train, before a run starts.");
    expect(answers("style-of-captain-ahab").elements()).toEqual([]);
  });

  it("that cannot be read say why", async () => {
    open({ runs, fail: { runLog: refusal("Its record is damaged.", "storage") } });
    await whenReady();
    await answers("teal-heron-42").click();
    await expect.element(region("teal-heron-42").getByRole("alert")).toHaveTextContent("Its record is damaged.");
  });

  it("are compared where two runs were asked the same", async () => {
    open({ runs });
    await whenReady();
    for (const name of ["teal-heron-42", "cobalt-finch-7", "birch-wren-3"]) await choose(name).click();
    await button("Compare 3 runs").click();
    const plain = "You put the tea in the water and wait a little. Then you drink the tea.";
    const pirate = "Arr, ye drop the leaves in boilin' water, matey!";
    const table = page.getByRole("table", { name: "Who sails here?" });
    await expect.poll(() => table.elements().length).toBe(1);
    expect(rowsOf(table.element())).toEqual([
      ["Asked", "teal-heron-42", "cobalt-finch-7", "birch-wren-3"],
      ["Before training", plain, plain, "–"],
      ["The last time", pirate, pirate, "–"],
    ]);
    await button("Close").click();
    // Of these two only one was asked anything.
    await choose("cobalt-finch-7").click();
    await button("Compare 2 runs").click();
    await expect.element(page.getByRole("table", { name: "Results" })).toBeInTheDocument();
    expect(table.elements()).toEqual([]);
  });
});
