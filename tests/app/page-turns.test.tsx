/** The page over the fake client, where several things could happen at once: one job on the GPU, another model, where the focus goes. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { page } from "vitest/browser";
import { openModel } from "../../src/ui/actions/model";
import type { ErrorData } from "../../src/worker/protocol";
import { createFakeClient, type FakeClient, type FakeOptions, sampleRun } from "../support/fake-client";
import { type Mounted, mountStudio } from "../support/mount";
import { button, spinning, trainSample, whenReady } from "../support/page-kit";

let mounted: Mounted | null = null;
afterEach(() => {
  mounted?.unmount();
  mounted = null;
  vi.restoreAllMocks();
});

function open(options: FakeOptions = {}, environment: Parameters<typeof mountStudio>[1] = {}): FakeClient {
  const client = createFakeClient(options);
  mounted = mountStudio(client, environment);
  return client;
}

const refusal = (message: string, code: ErrorData["code"] = "bad-input"): ErrorData => ({ code, message, data: {} });

describe("one user of the GPU at a time", () => {
  it("keeps training waiting for answers and checks, and these for each other", async () => {
    open({ runs: [sampleRun], pace: 60 });
    await whenReady();
    await button("Generate both").click();
    await expect.element(button("Answering…")).toBeDisabled();
    await expect.element(button("Check the numbers")).toBeDisabled();
    await whenReady();
    await button("Check the numbers").click();
    await expect.element(button("Checking the numbers…")).toBeDisabled();
    await expect.element(button("Generate both")).toBeDisabled();
    await whenReady();
  });

  it("leaves the former result where a start is refused", async () => {
    const fail: { train?: ErrorData } = {};
    open({ fail });
    await whenReady();
    await trainSample().click();
    await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
    fail.train = refusal("Tabtune is at work in another tab.", "busy");
    await trainSample().click();
    await expect.element(page.getByRole("alert")).toHaveTextContent("Tabtune is at work in another tab.");
    await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
    await expect.element(page.getByText("Finished", { exact: true }).first()).toBeVisible();
  });
});

describe("another model", () => {
  const folder = (name: string) => ({ kind: "files", name, files: [] }) as const;

  it("chosen while one opens wins, and the first is given up without an error", async () => {
    const client = open({ pace: 20 });
    await whenReady();
    const desk = mounted?.desk;
    if (desk === undefined) throw new TypeError("nothing is mounted");
    const first = openModel(desk, folder("first"));
    const opening = desk.held.opening;
    const second = openModel(desk, folder("second"));
    expect(opening?.signal.aborted).toBe(true);
    await Promise.all([first, second]);
    expect(desk.stores.model.getState().model).toMatchObject({ state: "ready", value: { name: "second" } });
    expect(client.calls.filter(({ call }) => call === "openModel")).toHaveLength(3);
    await expect.poll(spinning).toEqual([]);
    expect(page.getByRole("alert").elements()).toEqual([]);
  });

  it("marks the runs of the former one and does not offer them for Try", async () => {
    open({ runs: [sampleRun] });
    await whenReady();
    if (mounted === null) throw new TypeError("nothing is mounted");
    await openModel(mounted.desk, folder("other"));
    await expect.element(page.getByText("for tabtune-tiny")).toBeVisible();
    await expect.element(button("Select amber-otter-12")).toBeDisabled();
    await expect.element(button("Download amber-otter-12 as a PEFT adapter (zip)")).toBeEnabled();
    await expect.element(button("Delete amber-otter-12")).toBeEnabled();
    await expect.element(page.getByText(/^The kept runs are for other models/)).toBeVisible();
    await button("Back to the built-in model").click();
    await expect.element(button("Selected amber-otter-12")).toBeEnabled();
  });
});

describe("the focus", () => {
  it("goes to Stop at the start of a run, to its status at the end", async () => {
    open({ holdAt: 5 });
    await whenReady();
    await trainSample().click();
    await expect.poll(() => document.activeElement?.textContent).toBe("Stop and keep");
    await button("Stop and keep").click();
    await expect.poll(() => document.activeElement?.textContent).toBe("Stopped and kept");
    const top = (): number => document.getElementById("train")?.getBoundingClientRect().top ?? -1;
    await expect.poll(top).toBeGreaterThanOrEqual(0);
  });

  it("stays with who types elsewhere", async () => {
    open({ holdAt: 5, runs: [sampleRun] });
    await whenReady();
    await trainSample().click();
    await page.getByLabelText("Prompt", { exact: true }).click();
    mounted?.desk.held.training?.abort();
    await expect.element(page.getByText("Kept in this browser as teal-heron-42.")).toBeVisible();
    expect(document.activeElement).toBe(page.getByLabelText("Prompt", { exact: true }).element());
  });

  it("goes to the next run after a deletion, and to the heading after the last", async () => {
    open({ runs: [sampleRun, { ...sampleRun, id: "run-2", name: "blue-finch-7" }] });
    await whenReady();
    await button("Delete amber-otter-12").click();
    await button("Delete the run").click();
    await expect.poll(() => document.activeElement?.getAttribute("aria-label")).toBe("Selected blue-finch-7");
    await button("Delete blue-finch-7").click();
    await button("Delete the run").click();
    await expect.poll(() => document.activeElement?.textContent).toBe("Library");
  });
});
