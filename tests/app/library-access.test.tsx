/** axe-core finds nothing in any state of the library, wide and narrow, light and dark, and nothing scrolls sideways. */
import { afterEach, describe, expect, it } from "vitest";
import { page, userEvent } from "vitest/browser";
import { createFakeClient, type FakeOptions, sampleRun } from "../support/fake-client";
import { severalRuns } from "../support/fake-library";
import { type Mounted, mountStudio } from "../support/mount";
import { button, refusal, seen, upload, violations, whenReady } from "../support/page-kit";

let mounted: Mounted | null = null;
afterEach(async () => {
  mounted?.unmount();
  mounted = null;
  localStorage.clear();
  await page.viewport(1200, 800);
});

const runs = severalRuns(sampleRun);
const choose = (name: string) => page.getByRole("checkbox", { name: `Choose ${name}` }).click();

interface State {
  readonly name: string;
  readonly options: FakeOptions;
  readonly reach: () => Promise<void>;
}

const states: readonly State[] = [
  {
    name: "several runs, one chosen, one being renamed to a name that is taken",
    options: { runs },
    reach: async () => {
      await choose("teal-heron-42");
      await button("Rename amber-otter-12").click();
      await userEvent.fill(page.getByLabelText("New name of amber-otter-12"), "teal-heron-42");
      await button("Save the name").click();
      await seen(/^There is already a run/);
    },
  },
  {
    name: "the answers of two runs open, one without any",
    options: { runs },
    reach: async () => {
      await button("Answers of teal-heron-42 before and after training").click();
      await button("Answers of birch-wren-3 before and after training").click();
      await seen("After 60 steps");
      await seen(/^No answers are kept of it/);
    },
  },
  {
    name: "comparing",
    options: { runs },
    reach: async () => {
      await page.getByLabelText("Choose all").click();
      await button("Compare 5 runs").click();
      await page.getByText(/settings that are the same/).click();
      await expect.element(button("Save as CSV")).toBeInTheDocument();
    },
  },
  {
    name: "asking before several are deleted",
    options: { runs },
    reach: async () => {
      await page.getByLabelText("Choose all").click();
      await button("Delete the 5 runs chosen").click();
      await expect.element(page.getByRole("dialog")).toBeVisible();
    },
  },
  {
    name: "a run deleted, an import refused",
    options: { runs, fail: { importAdapters: refusal("captain.zip is no zip, or a damaged one; pack it again.") } },
    reach: async () => {
      await button("Delete amber-otter-12").click();
      await button("Delete the run").click();
      await expect.element(button("Undo")).toBeVisible();
      await upload(
        "Import an adapter: drop a PEFT folder or zip, or choose its files",
        new File(["PK"], "captain.zip"),
      );
      await expect.element(page.getByRole("alert")).toBeVisible();
    },
  },
];

describe.each([1200, 390])("at %i px", (width) => {
  describe.each(["Light", "Dark"])("%s", (scheme) => {
    it.each(states)("$name", async ({ options, reach }) => {
      await page.viewport(width, 800);
      mounted = mountStudio(createFakeClient(options), {}, "library");
      await page.getByTitle(scheme).click();
      await expect.poll(() => document.documentElement.dataset["mantineColorScheme"]).toBe(scheme.toLowerCase());
      await whenReady();
      await reach();
      const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
      for (const animation of ending) animation.finish();
      expect(document.documentElement.scrollWidth, "the page scrolls sideways").toBeLessThanOrEqual(width);
      expect(await violations()).toEqual([]);
    });
  });
});
