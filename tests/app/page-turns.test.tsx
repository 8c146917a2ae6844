/** The page over the fake client, where several things could happen at once: one job on the GPU, another model, where the focus goes. */
import { describe, expect, it } from "vitest";
import { page } from "vitest/browser";
import { openModel } from "../../src/ui/actions/model";
import { dataDefaults } from "../../src/worker/client";
import type { CallName, ErrorData } from "../../src/worker/protocol";
import { type FakeClient, sampleRun } from "../support/fake-client";
import {
  button,
  fakeStudio,
  go,
  inputs,
  refusal,
  seen,
  spinning,
  stepState,
  trainSample,
  whenReady,
} from "../support/page-kit";

const { open, desk } = fakeStudio("train");

/** Calls of this name wait until what comes back is called. */
function hold(client: FakeClient, name: CallName): () => void {
  const { call } = client;
  let go = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  client.call = async (called, input, options) => {
    if (called === name) await held;
    return call(called, input, options);
  };
  return go;
}

describe("one user of the GPU at a time", () => {
  it("keeps training waiting for answers and checks, and these for each other", async () => {
    const client = open({ runs: [sampleRun] }, {}, "try");
    await whenReady();
    const answer = hold(client, "generate");
    await button("Generate both").click();
    await go("model");
    await expect.element(button("Answering…")).toBeDisabled();
    await expect.element(button("Check the numbers")).toBeDisabled();
    answer();
    await whenReady();
    const check = hold(client, "selfCheck");
    await button("Check the numbers").click();
    await go("train");
    await expect.element(button("Checking the numbers…")).toBeDisabled();
    await go("try");
    await expect.element(button("Generate both")).toBeDisabled();
    check();
    await expect.element(button("Generate both")).toBeEnabled();
    await go("train");
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
    await expect.element(page.getByRole("main").getByText("Finished", { exact: true }).first()).toBeVisible();
  });
});

describe("another model", () => {
  const folder = (name: string) => ({ kind: "files", name, files: [] }) as const;

  it("chosen while one opens wins, and the first is given up without an error", async () => {
    const client = open({ pace: 20 });
    await whenReady();
    const at = desk();
    const first = openModel(at, folder("first"));
    const opening = at.held.opening;
    const second = openModel(at, folder("second"));
    expect(opening?.signal.aborted).toBe(true);
    await Promise.all([first, second]);
    expect(at.stores.model.getState().model).toMatchObject({ state: "ready", value: { name: "second" } });
    expect(client.calls.filter(({ call }) => call === "openModel")).toHaveLength(3);
    await expect.poll(spinning).toEqual([]);
    expect(page.getByRole("alert").elements()).toEqual([]);
  });

  it("marks the runs of the former one and does not offer them for Try", async () => {
    open({ runs: [sampleRun] }, {}, "library");
    await whenReady();
    await openModel(desk(), folder("other"));
    await expect.element(page.getByText("for tabtune-tiny")).toBeVisible();
    await expect.element(button("Try amber-otter-12")).toBeDisabled();
    await expect.element(button("Download amber-otter-12 as a PEFT adapter (zip)")).toBeEnabled();
    await expect.element(button("Delete amber-otter-12")).toBeEnabled();
    await go("try");
    await expect.element(page.getByText(/^The kept runs are for other models/)).toBeVisible();
    await go("model");
    await button("Back to the built-in model").click();
    await go("library");
    await expect.element(button("Try amber-otter-12")).toBeEnabled();
  });
});

describe("a model without a chat template", () => {
  const prompts = (client: FakeClient): unknown[] =>
    inputs(client, "generate").map((input) =>
      typeof input === "object" && input !== null && "prompt" in input ? input.prompt : null,
    );
  const asText = "How do I make a good cup of tea?";

  it("chats with the run that brings a template of its own, and continues text without it", async () => {
    const dataOptions = { ...dataDefaults, template: { kind: "named", id: "chatml" } } as const;
    const client = open({ bare: true, runs: [{ ...sampleRun, dataOptions }] }, {}, "try");
    await whenReady();
    await seen(/^The base model has no chat template/);
    await button("Generate both").click();
    await seen(/boilin' water, matey!$/);
    expect(prompts(client)).toEqual([asText, [{ role: "user", content: asText }]]);
    await page.getByText("As plain text").click();
    await button("Generate both").click();
    await expect.poll(() => prompts(client).slice(2)).toEqual([asText, asText]);
  });

  it("takes plain text where the run has none either", async () => {
    const client = open({ bare: true, runs: [sampleRun] }, {}, "try");
    await whenReady();
    expect(page.getByText("As a chat message").elements()).toEqual([]);
    await button("Generate both").click();
    await expect.poll(() => prompts(client)).toEqual([asText, asText]);
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
    await go("try");
    await page.getByLabelText("Prompt", { exact: true }).click();
    desk().held.training?.abort();
    await expect.poll(() => stepState("train")).toBe("Stopped and kept");
    expect(document.activeElement).toBe(page.getByLabelText("Prompt", { exact: true }).element());
    await go("train");
    await seen("Kept in this browser as teal-heron-42.");
  });

  it("goes to Undo after a deletion, and back to the run", async () => {
    open({ runs: [sampleRun, { ...sampleRun, id: "run-2", name: "blue-finch-7" }] }, {}, "library");
    await whenReady();
    await button("Delete amber-otter-12").click();
    await button("Delete the run").click();
    await expect.element(button("Undo")).toHaveFocus();
    await button("Undo").click();
    await expect.element(button("Rename amber-otter-12")).toHaveFocus();
  });
});
