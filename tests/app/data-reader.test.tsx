/** The data step over the fake client where no device opens: rows are read all the same, and training says what it needs. */
import { describe, expect, it } from "vitest";
import { page, userEvent } from "vitest/browser";
import { openModel } from "../../src/ui/actions/model";
import type { ErrorData } from "../../src/worker/protocol";
import type { FakeOptions } from "../support/fake-client";
import {
  button,
  dropLabel,
  expectOptions,
  fakeStudio,
  go,
  inputs,
  jsonl,
  refusal,
  seen,
  shown,
  spinning,
  stepState,
  upload,
  violations,
} from "../support/page-kit";

const { open, desk } = fakeStudio("data");
const noApi = { hasWebGpu: false };
const noDevice: FakeOptions = { fail: { probe: refusal("No graphics device opened.", "gpu") } };

describe("without a GPU", () => {
  it.each([
    ["no WebGPU", {}, noApi],
    ["a device that does not open", noDevice, {}],
  ])("the sample's rows, figures and tokens are there: %s", async (_, options, environment) => {
    const client = open(options, environment);
    await seen("JSON Lines, 120 rows, Chat messages (OpenAI)");
    await seen("Where do I find a good breakfast?");
    await page.getByRole("tab", { name: "Tokens" }).click();
    await userEvent.hover(page.getByRole("option", { name: "Arr," }).first().element());
    await seen("“Arr,” · id 100 · learned");
    await page.getByRole("tab", { name: "Table" }).click();
    expect(document.querySelectorAll("#data figure table tbody tr")).toHaveLength(12);
    expect([stepState("model"), stepState("data")]).toEqual(["Needs WebGPU", "Pirate talk, 120 rows"]);
    await expect.element(button("Training needs WebGPU").first()).toBeDisabled();
    await expect.poll(spinning).toEqual([]);
    expect(await violations()).toEqual([]);
    expect(inputs(client, "openReader")).toEqual([{ source: { kind: "embedded", id: "tabtune-tiny" } }]);
    for (const call of ["openModel", "plan", "calibrate"] as const) expect(inputs(client, call)).toEqual([]);
    await go("model");
    await seen(/^tabtune-tiny is not loaded without a GPU; its tokenizer is here/);
    await go("train");
    await seen("The memory is planned once a model is open and the data is read.");
    expect(stepState("train")).toBe("Balanced, 30 steps");
    expect(desk().stores.recipe.getState()).toMatchObject({ plan: null, maxPositions: 1024 });
  });

  it("problems are shown and skipped, and another setting of the run is looked at", async () => {
    const client = open({ dataset: "problems" }, noApi);
    await seen("Lines that cannot be parsed");
    await button("Show the rows: No answer to learn from").click();
    await seen("1–2 of 2");
    await button("Skip these 2 rows: No answer to learn from").click();
    await expectOptions(client, { skip: ["no-answer"] });
    await seen("2 rows, skipped");
    await go("train");
    await page.getByLabelText("Max length").fill("64");
    await expect.poll(() => inputs(client, "inspectDataset").at(-1)).toMatchObject({ recipe: { maxLength: 64 } });
  });

  it("columns of an own file are mapped", async () => {
    const client = open({ dataset: "unmapped" }, noApi);
    await shown("data");
    await upload(dropLabel, jsonl("notes.jsonl"));
    await seen("notes.jsonl, 13 B");
    await button("Check the guess").click();
    await button("Use these columns").click();
    await expectOptions(client, {
      mapping: { shape: "instruction", columns: { instruction: "ask", output: "reply" } },
    });
    await seen("JSON Lines, 24 rows, Instruction and answer (Alpaca)");
    expect(inputs(client, "inspectDataset").at(-1)).toMatchObject({ data: { name: "notes.jsonl" } });
  });

  it("a tokenizer that cannot be fetched is told, and fetched again", async () => {
    const fail: { openReader?: ErrorData } = { openReader: refusal("tokenizer.json cannot be fetched.") };
    open({ fail }, noApi);
    await seen("tokenizer.json cannot be fetched.");
    expect(stepState("data")).toBe("Cannot be read");
    delete fail.openReader;
    await button("Try again").click();
    await seen("JSON Lines, 120 rows, Chat messages (OpenAI)");
    expect(page.getByText("tokenizer.json cannot be fetched.").elements()).toEqual([]);
  });

  it("a model that opens later takes over", async () => {
    const client = open({}, noApi);
    await seen("JSON Lines, 120 rows, Chat messages (OpenAI)");
    await openModel(desk(), { kind: "url", name: "elsewhere", base: "", paths: [] });
    expect(desk().stores.model.getState()).toMatchObject({ name: "elsewhere", reader: { state: "idle" } });
    expect(inputs(client, "inspectDataset")).toHaveLength(2);
    expect(inputs(client, "plan")).toHaveLength(1);
  });
});
