/** What is dropped anywhere on the page leads to the step that it is for. */
import { beforeEach, describe, expect, it } from "vitest";
import { page } from "vitest/browser";
import { goTo } from "../../src/ui/go-to";
import { fakeStudio, jsonl, seen, shown, whenReady } from "../support/page-kit";

const { open } = fakeStudio("train");

beforeEach(() => localStorage.clear());

describe("what is dropped on any step", () => {
  const drop = (...files: File[]): void => {
    const dataTransfer = new DataTransfer();
    for (const file of files) dataTransfer.items.add(file);
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  };

  it("leads to Data where it is data, to Model where it holds weights", async () => {
    open();
    await whenReady();
    drop(jsonl("dropped.jsonl"));
    await shown("data");
    await seen("dropped.jsonl, 13 B");
    goTo("train");
    await shown("train");
    drop(new File(["0123456789"], "smol.gguf"));
    await shown("model");
    await expect.element(page.getByRole("heading", { name: "smol" })).toBeVisible();
  });
});
