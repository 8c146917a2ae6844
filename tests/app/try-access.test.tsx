/** axe-core finds nothing in any state of the Try step, wide and narrow, light and dark, and nothing scrolls sideways. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { page, userEvent } from "vitest/browser";
import { type FakeOptions, sampleRun } from "../support/fake-client";
import { button, fakeStudio, refusal, seen, violations } from "../support/page-kit";

const { open } = fakeStudio("try");

beforeEach(() => sessionStorage.clear());
afterEach(async () => {
  localStorage.clear();
  await page.viewport(1200, 800);
});

interface State {
  readonly name: string;
  readonly options: FakeOptions;
  readonly reach: () => Promise<void>;
}

const runs = [sampleRun, { ...sampleRun, id: "run-3", name: "grey-crane-8", model: "other/model" }];
const generate = async (): Promise<void> => {
  await expect.element(button("Generate both")).toBeEnabled();
  await button("Generate both").click();
  await expect.element(page.getByText(/tokens, [\d.]+\/s/).nth(1)).toBeVisible();
};

const states: readonly State[] = [
  { name: "without runs", options: {}, reach: () => seen(/^Here the model answers/) },
  {
    name: "with no run that fits",
    options: { runs: runs.slice(1) },
    reach: () => seen(/^The kept runs are for other/),
  },
  {
    name: "answered, in tokens, a number wrong",
    options: { runs },
    reach: async () => {
      await generate();
      await page.getByText("Tokens", { exact: true }).first().click();
      await page.getByText("Sampling", { exact: true }).click();
      await userEvent.fill(page.getByLabelText("Top-p", { exact: true }).element(), "2");
      await expect.element(page.getByText("Top-p is 2; it must be a number above 0, up to 1.").first()).toBeVisible();
    },
  },
  {
    name: "answered, rows measured",
    options: { runs },
    reach: async () => {
      await generate();
      await expect.element(button("Measure")).toBeEnabled();
      await button("Measure").click();
      await seen(/^12 rows: /);
    },
  },
  {
    name: "rows under way",
    options: { runs, holdRows: true },
    reach: async () => {
      await expect.element(button("Measure")).toBeEnabled();
      await button("Measure").click();
      await seen("4 of 12 rows");
    },
  },
  {
    name: "rows that failed",
    options: { runs, fail: { evaluateRows: refusal("notes.jsonl: no row can be measured.") } },
    reach: async () => {
      await expect.element(button("Measure")).toBeEnabled();
      await button("Measure").click();
      await expect.element(page.getByRole("alert")).toBeVisible();
    },
  },
];

describe.each([1200, 390])("at %i px", (width) => {
  describe.each(["Light", "Dark"])("%s", (scheme) => {
    it.each(states)("$name", async ({ options, reach }) => {
      await page.viewport(width, 800);
      open(options);
      await page.getByTitle(scheme).click();
      await reach();
      const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
      for (const animation of ending) animation.finish();
      expect(document.documentElement.scrollWidth, "the page scrolls sideways").toBeLessThanOrEqual(width);
      expect(await violations()).toEqual([]);
    });
  });
});
