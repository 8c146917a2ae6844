/** Everything by keyboard: the command palette, the list of keys, single keys and how they are switched off. */
import { afterEach, describe, expect, it } from "vitest";
import { page, userEvent } from "vitest/browser";
import { sampleRun } from "../support/fake-client";
import { button, fakeStudio, inputs, seen, violations, whenReady } from "../support/page-kit";

const { open } = fakeStudio();
afterEach(async () => {
  localStorage.clear();
  history.replaceState(null, "", `${location.pathname}${location.search}`);
  await page.viewport(1200, 800);
});

const search = () => page.getByRole("combobox", { name: "What do you want to do?" });
const dialog = (name: string) => page.getByRole("dialog", { name });
const option = (name: string | RegExp) => page.getByRole("option", { name });
const chosen = (): string => document.querySelector('[role=option][aria-selected="true"]')?.textContent ?? "";

async function openPalette(): Promise<void> {
  await userEvent.keyboard("{Control>}k{/Control}");
  await expect.element(search()).toHaveFocus();
}

/** What an entering dialog still moves. */
function settle(): void {
  for (const animation of document.getAnimations()) {
    if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
  }
}

describe("the command palette", () => {
  it("trains the sample by keyboard alone", async () => {
    const client = open();
    await whenReady();
    await openPalette();
    await userEvent.keyboard("train sam");
    await expect.poll(chosen).toContain("Train the sample");
    await expect.element(search()).toHaveAttribute("aria-activedescendant", "command-train");
    await userEvent.keyboard("{Enter}");
    await expect.poll(() => inputs(client, "train").length).toBe(1);
    await expect.element(search()).not.toBeInTheDocument();
    await expect.poll(() => location.hash).toBe("#/train");
  });

  it("is walked with the arrows, and gives the focus back", async () => {
    open();
    await whenReady();
    button("Commands").element().focus();
    await userEvent.keyboard("{Enter}");
    await expect.element(search()).toHaveFocus();
    await userEvent.keyboard("{ArrowDown}{ArrowDown}");
    await expect.poll(chosen).toContain("Measure the speed");
    await userEvent.keyboard("{ArrowUp}{ArrowUp}");
    await expect.poll(chosen).toContain("Show all keys");
    await userEvent.keyboard("zebra");
    await seen("No command has these words.");
    await userEvent.keyboard("{Escape}");
    await expect.element(search()).not.toBeInTheDocument();
    await expect.element(button("Commands")).toHaveFocus();
  });

  it("says why a command is off, and does not run it", async () => {
    const client = open();
    await whenReady();
    await openPalette();
    await userEvent.keyboard("generate");
    await expect.element(option(/There is no kept run yet; train first\./)).toHaveAttribute("aria-disabled", "true");
    await userEvent.keyboard("{Enter}");
    await expect.element(search()).toHaveFocus();
    expect(inputs(client, "generate")).toEqual([]);
  });
});

describe("keys", () => {
  it("lists them under ?, by the palette and by a button", async () => {
    open();
    await whenReady();
    await userEvent.keyboard("?");
    await expect.element(dialog("Keys")).toBeVisible();
    await userEvent.keyboard("2");
    expect(location.hash).not.toBe("#/data");
    await userEvent.keyboard("{Escape}");
    await expect.element(dialog("Keys")).not.toBeInTheDocument();
    await openPalette();
    await userEvent.keyboard("shortcuts{Enter}");
    await expect.element(dialog("Keys")).toBeVisible();
    await userEvent.keyboard("{Escape}");
    await expect.element(dialog("Keys")).not.toBeInTheDocument();
    await button("Keys").click();
    await expect.element(dialog("Keys")).toBeVisible();
    await userEvent.keyboard("{Escape}");
    await expect.element(button("Keys")).toHaveFocus();
  });

  it("go to the steps, and never while one types", async () => {
    open();
    await whenReady();
    await userEvent.keyboard("3");
    await expect.element(page.getByRole("heading", { name: "Train", exact: true })).toHaveFocus();
    const rank = page.getByLabelText("Rank", { exact: true });
    await userEvent.fill(rank.element(), "");
    await userEvent.keyboard("1?");
    await expect.element(rank).toHaveValue("1?");
    expect(location.hash).toBe("#/train");
    await expect.element(dialog("Keys")).not.toBeInTheDocument();
    rank.element().blur();
    await userEvent.keyboard("{Alt>}1{/Alt}");
    expect(location.hash).toBe("#/train");
    await userEvent.keyboard("1");
    await expect.poll(() => location.hash).toBe("#/model");
  });

  it("are switched off, which is remembered", async () => {
    open();
    await whenReady();
    await userEvent.keyboard("?");
    await page.getByLabelText("Single keys act").click();
    await seen("Single keys are switched off.");
    await userEvent.keyboard("{Escape}");
    await expect.element(dialog("Keys")).not.toBeInTheDocument();
    await userEvent.keyboard("2?");
    expect(location.hash).not.toBe("#/data");
    await expect.element(dialog("Keys")).not.toBeInTheDocument();
    expect(localStorage.getItem("tabtune.single-keys")).toBe("false");
    await openPalette();
  });

  it("turn the colour scheme, and begin a run", async () => {
    const client = open();
    await whenReady();
    await page.getByTitle("Light").click();
    await userEvent.keyboard("{Control>}j{/Control}");
    await expect.element(document.documentElement).toHaveAttribute("data-mantine-color-scheme", "dark");
    await seen("Colour scheme: Dark");
    (document.activeElement as HTMLElement | null)?.blur();
    await userEvent.keyboard("{Control>}{Enter}{/Control}");
    await expect.poll(() => inputs(client, "train").length).toBe(1);
  });
});

describe.each([1200, 390])("axe at %i px", (width) => {
  it.each(["Light", "Dark"])("%s", async (scheme) => {
    await page.viewport(width, 800);
    open({ runs: [sampleRun] });
    await page.getByTitle(scheme).click();
    await whenReady();
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    await openPalette();
    await userEvent.keyboard("{ArrowDown}{ArrowDown}");
    settle();
    expect(await violations()).toEqual([]);
    await userEvent.keyboard("keys{Enter}");
    await expect.element(dialog("Keys")).toBeVisible();
    await expect.element(search()).not.toBeInTheDocument();
    settle();
    expect(await violations()).toEqual([]);
  });
});
