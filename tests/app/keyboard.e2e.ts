/** The whole way without a mouse on the built studio: own file, settings, run, answers, library, download. */
import { expect, type Page, test } from "@playwright/test";

const rows = Array.from({ length: 12 }, (_, index) =>
  JSON.stringify({ prompt: `Question ${index}: what is the colour of the sky?`, completion: `Answer ${index}: blue.` }),
).join("\n");

/** What has the focus: its accessible name, as far as a label, its text or aria-label give it. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) return "";
    const labels = "labels" in element ? [...((element as HTMLInputElement).labels ?? [])] : [];
    const name = element.getAttribute("aria-label") ?? labels.map((label) => label.textContent).join(" ");
    return (name || element.textContent || "").trim();
  });

/** Presses Tab until the focus is on what is called so. */
async function tabTo(page: Page, name: RegExp, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press(key);
    const now = await focused(page);
    if (name.test(now)) return;
    passed.push(now.slice(0, 30));
  }
  throw new Error(`The focus never came to ${name}; it passed ${passed.join(" | ")}.`);
}

test("the whole way by keyboard alone", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Train the sample" })).toBeEnabled({ timeout: 120_000 });

  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  await expect(page.locator("#start h2")).toBeFocused();

  const choosing = page.waitForEvent("filechooser");
  await tabTo(page, /^Drop files anywhere/);
  await page.keyboard.press("Enter");
  await (await choosing).setFiles({ name: "mine.jsonl", mimeType: "application/jsonl", buffer: Buffer.from(rows) });
  await expect(page.locator("#data h2")).toBeFocused();
  await expect(page.getByRole("button", { name: "Start training" })).toBeEnabled({ timeout: 60_000 });

  await tabTo(page, /^Next: Train$/);
  await page.keyboard.press("Enter");
  await expect(page.locator("#train h2")).toBeFocused();
  await tabTo(page, /^Unit of the length$/);
  await page.keyboard.type("steps");
  await tabTo(page, /^Train for/, "Shift+Tab");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("3");
  await tabTo(page, /^Start training$/);
  await page.keyboard.press("Enter");
  await expect(page.getByText("Kept in this browser as")).toBeVisible({ timeout: 150_000 });

  await tabTo(page, /^Try it$/);
  await page.keyboard.press("Enter");
  await expect(page.locator("#try h2")).toBeFocused();
  await tabTo(page, /^Prompt/);
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("What is the colour of the sky?");
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.locator("#try").getByText(/tokens, [\d.]+\/s/)).toHaveCount(2, { timeout: 120_000 });

  await tabTo(page, /^Library/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(page.locator("#library h2")).toBeFocused();
  const downloading = page.waitForEvent("download");
  await tabTo(page, /^Download /);
  await page.keyboard.press("Enter");
  expect((await downloading).suggestedFilename()).toMatch(/^[a-z]+-[a-z]+-\d+\.zip$/);
});
