/** axe-core finds nothing in any state of a run, wide and narrow, light and dark, and nothing scrolls sideways. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { page } from "vitest/browser";
import type { FakeOptions } from "../support/fake-client";
import { courses } from "../support/fake-training";
import { fakeStudio, refusal, seen, trainSample, violations, whenReady } from "../support/page-kit";

const { open } = fakeStudio("train");

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

const diverged = { ...refusal("Training diverged at step 8.", "diverged"), data: { step: 8 } };
const states: readonly State[] = [
  {
    name: "running, read out, the table open",
    options: { holdAt: 20, course: courses.noisy },
    reach: async () => {
      await seen("Step 20 of 30");
      await page.getByText("Numbers as a table").click();
      await seen("Every step of the run");
      document.querySelector<HTMLElement>("[role=slider][aria-label='Reading line']")?.focus();
    },
  },
  {
    name: "with warnings",
    options: {
      holdAt: 25,
      course: { loss: (step) => (step === 5 ? Number.NaN : 1 + step / 5), norm: (step) => (step === 20 ? 30 : 1) },
    },
    reach: async () => {
      await seen("Step 25 of 30");
      await seen(/^The loss rises/);
      await seen(/^A gradient spike/);
    },
  },
  {
    name: "finished, the questions open",
    options: { course: { ...courses.noisy, samplesFailAt: 23 } },
    reach: async () => {
      await seen("Kept in this browser as teal-heron-42.");
      await seen(/^No more sample answers/);
      await page.getByText("Questions to ask while it trains").click();
    },
  },
  {
    name: "failed on the way",
    options: { course: { breakAt: { step: 7, error: diverged } } },
    reach: async () => {
      await seen("The loss ran away");
    },
  },
];

describe.each([1200, 390])("at %i px", (width) => {
  describe.each(["Light", "Dark"])("%s", (scheme) => {
    it.each(states)("$name", async ({ options, reach }) => {
      await page.viewport(width, 800);
      open(options);
      await page.getByTitle(scheme).click();
      await whenReady();
      await trainSample().click();
      await reach();
      const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
      for (const animation of ending) animation.finish();
      expect(document.documentElement.scrollWidth, "the page scrolls sideways").toBeLessThanOrEqual(width);
      expect(await violations()).toEqual([]);
    });
  });
});
