/** What is pure of trying a run: sampling as typed, the order of measured rows, what they say, and the Markdown of both. */
import { describe, expect, it } from "vitest";
import { createStores } from "../../src/ui/stores";
import { gpuUser } from "../../src/ui/stores/gpu";
import { editText } from "../../src/ui/stores/recipe";
import { type Origin, originOf, rowsFrom, sameOrigin } from "../../src/ui/stores/row-losses";
import { nextSort, sortRows, summarize, verdict, worstFirst } from "../../src/ui/stores/row-order";
import { readSampling, samplingDefaults } from "../../src/ui/stores/sampling";
import type { Answer, Asked } from "../../src/ui/stores/trial";
import { strings } from "../../src/ui/strings";
import { answersMarkdown, rowsMarkdown } from "../../src/ui/trial-markdown";
import { dataDefaults } from "../../src/worker/client";
import type { DataSource, ModelInfo, RowLosses } from "../../src/worker/protocol";
import { sampleRun } from "../support/fake-client";

describe("sampling", () => {
  it("reads what people type", () => {
    const typed = { temperature: "8e-1", topK: " 40 ", topP: "19/20", seed: "0" };
    expect(readSampling(typed)).toEqual({ sampling: { temperature: 0.8, topK: 40, topP: 0.95, seed: 0 }, errors: {} });
    expect(readSampling(samplingDefaults).sampling).toEqual({ temperature: 0, topK: 0, topP: 1, seed: 42 });
  });

  it.each([
    ["temperature", "-1", "Temperature is -1; it must be a number from 0 to 10."],
    ["temperature", "warm", 'Temperature is "warm"; it must be a number from 0 to 10.'],
    ["topK", "1.5", "Top-k is 1.5; it must be a whole number from 0 to 1000000."],
    ["topP", "0", "Top-p is 0; it must be a number above 0, up to 1."],
    ["topP", "1.01", "Top-p is 1.01; it must be a number above 0, up to 1."],
    ["seed", "4294967296", "Sampling seed is 4294967296; it must be a whole number from 0 to 4294967295."],
    ["seed", "1,000", 'Sampling seed is "1,000", which may mean 1000 or 1.000; write it without the comma.'],
    ["seed", "", 'Sampling seed is ""; it must be a whole number from 0 to 4294967295.'],
  ] as const)("says of %s %j what is wrong", (field, typed, sentence) => {
    const { sampling, errors } = readSampling({ ...samplingDefaults, [field]: typed });
    expect(sampling).toBeNull();
    expect(errors).toEqual({ [field]: sentence });
  });

  it("is told in one line, without what plays no part", () => {
    const { told } = strings.trial.sampling;
    expect(told({ temperature: 0, topK: 40, topP: 0.9, seed: 1 })).toBe("greedy");
    expect(told({ temperature: 0.8, topK: 0, topP: 0.95, seed: 42 })).toBe("temperature 0.8, top-p 0.95, seed 42");
    expect(told({ temperature: 1, topK: 5, topP: 1, seed: 7 })).toBe("temperature 1, top-k 5, seed 7");
  });
});

const rowOf = (row: number, base: number, tuned: number, countedTokens = 10): RowLosses => ({
  row,
  file: "notes.jsonl",
  line: row + 1,
  prompt: `prompt ${row}`,
  answer: `answer ${row}`,
  countedTokens,
  truncated: false,
  base,
  tuned,
});
const rows = [rowOf(0, 3, 1, 30), rowOf(1, 2, 2.5), rowOf(2, 4, 4.0001), rowOf(3, 1, 1.5)];
const order = (sorted: readonly RowLosses[]): number[] => sorted.map(({ row }) => row);

describe("measured rows", () => {
  it("begin with the one that got worst; equal ones stay in order", () => {
    expect(order(sortRows(rows, worstFirst))).toEqual([1, 3, 2, 0]);
    expect(order(sortRows(rows, { by: "difference", descending: false }))).toEqual([0, 2, 1, 3]);
    expect(order(sortRows(rows, { by: "base", descending: true }))).toEqual([2, 0, 1, 3]);
    expect(order(sortRows(rows, { by: "tuned", descending: false }))).toEqual([0, 3, 1, 2]);
    expect(order(rows)).toEqual([0, 1, 2, 3]);
  });

  it("put a loss that is no number among the worst", () => {
    const broken = [rowOf(0, 3, 1), rowOf(1, 3, Number.NaN), rowOf(2, 3, Number.POSITIVE_INFINITY)];
    expect(order(sortRows(broken, worstFirst))).toEqual([1, 2, 0]);
  });

  it("turn round when the column is pressed again", () => {
    expect(nextSort(worstFirst, "difference")).toEqual({ by: "difference", descending: false });
    expect(nextSort(worstFirst, "base")).toEqual({ by: "base", descending: true });
    expect(nextSort(worstFirst, "row")).toEqual({ by: "row", descending: false });
  });

  it("are summed up by token, and what the digits do not show is the same", () => {
    expect(rows.map(verdict)).toEqual(["better", "worse", "same", "worse"]);
    const summary = summarize(rows);
    expect(summary).toMatchObject({ rows: 4, better: 1, worse: 2, same: 1 });
    expect(summary?.base).toBeCloseTo((30 * 3 + 10 * (2 + 4 + 1)) / 60, 12);
    expect(summary?.tuned).toBeCloseTo((30 * 1 + 10 * (2.5 + 4.0001 + 1.5)) / 60, 12);
    expect(summarize([])).toBeNull();
    expect(strings.trial.rows.summary({ rows: 12, base: 3.31, tuned: 2.61, better: 11, worse: 1, same: 0 })).toBe(
      "12 rows: 3.310 → 2.610; better in 11, worse in 1",
    );
  });

  it("have a signed difference, and zero has no sign", () => {
    const { difference } = strings.trial.rows;
    expect([0.5, -1.25, 0.0001, -0.0001].map(difference)).toEqual(["+0.500", "−1.250", "0.000", "0.000"]);
  });
});

describe("where rows belong", () => {
  const stores = () => {
    const made = createStores({ secureContext: true, hasWebGpu: true }, "tiny");
    const model: ModelInfo = JSON.parse('{"name":"tiny"}');
    made.model.setState({ model: { state: "ready", value: model } });
    made.library.setState({ runs: [sampleRun, { ...sampleRun, id: "run-2" }], selected: sampleRun.id });
    made.data.setState({ name: "a.jsonl", bytes: 10 });
    return { made, model };
  };
  const source = (name: string, lastModified = 0): DataSource => ({
    name,
    files: [{ name, blob: new File(["0123456789"], name, { lastModified }) }],
    options: dataDefaults,
  });
  const now = ({ made }: ReturnType<typeof stores>, data?: DataSource): Origin | null => {
    const { name, heldOutName } = made.data.getState();
    const from = rowsFrom(made.rowLosses.getState(), { heldOutName });
    const chosen = data ?? source((from === "heldOut" ? heldOutName : name) ?? "");
    return originOf(made.model.getState(), made.library.getState(), made.recipe.getState(), from, chosen);
  };

  it("is model, run and data; each makes another place", () => {
    const at = stores();
    const first = now(at);
    expect(first).toMatchObject({ run: sampleRun.id, from: "dataset", dataName: "a.jsonl" });
    expect(sameOrigin(first, now(at))).toBe(true);
    at.made.data.setState({ heldOutName: "b.jsonl" });
    const second = now(at);
    expect(second).toMatchObject({ from: "heldOut", dataName: "b.jsonl" });
    expect(sameOrigin(first, second)).toBe(false);
    at.made.library.setState({ selected: "run-2" });
    expect(sameOrigin(second, now(at))).toBe(false);
    const third = now(at);
    at.made.model.setState({ model: { state: "ready", value: { ...at.model } } });
    expect(sameOrigin(third, now(at))).toBe(false);
    at.made.library.setState({ selected: null });
    expect(now(at)).toBeNull();
  });

  it.each(["dataset", "heldOut"] as const)(
    "is another file at the same name and size, and another max length: %s",
    (from) => {
      const at = stores();
      if (from === "heldOut") at.made.data.setState({ heldOutName: "a.jsonl" });
      const first = now(at);
      expect(first?.from).toBe(from);
      expect(sameOrigin(first, now(at, source("a.jsonl", 1)))).toBe(false);
      editText(at.made.recipe, "maxLength", "64");
      expect(now(at)?.maxLength).toBe(64);
      expect(sameOrigin(first, now(at))).toBe(false);
    },
  );

  it("has the GPU while it is measured", () => {
    const { made } = stores();
    const user = () =>
      gpuUser({
        training: made.training.getState(),
        trial: made.trial.getState(),
        rowLosses: made.rowLosses.getState(),
        model: made.model.getState(),
      });
    expect(user()).toBeNull();
    made.rowLosses.setState({ phase: "measuring" });
    expect(user()).toBe("measuring");
  });
});

describe("Markdown", () => {
  const asked: Asked = {
    prompt: "Say ```hi```",
    chat: { base: false, tuned: true },
    model: "tiny",
    run: "amber-otter-12",
    strength: 0.5,
    maxNewTokens: 64,
    sampling: { temperature: 0.8, topK: 0, topP: 0.95, seed: 42 },
  };
  const answer = (text: string, stopped: "eos" | "length"): Answer => ({
    state: "done",
    text,
    summary: { tokens: 1, milliseconds: 1, stopped, promptTokens: [], answerTokens: [] },
  });

  it("holds the prompt, what it was made with, and both answers, whatever they hold", () => {
    expect(answersMarkdown(asked, answer("Hi.", "eos"), answer("Arr | `x`", "length"))).toBe(
      `## Base and tuned

- Model: tiny
- Run: amber-otter-12, strength 0.50
- Prompt: base as plain text, tuned as a chat message
- Sampling: temperature 0.8, top-p 0.95, seed 42, at most 64 tokens

### Prompt

\`\`\`\`text
Say \`\`\`hi\`\`\`
\`\`\`\`

### Base

\`\`\`text
Hi.
\`\`\`

### Tuned: amber-otter-12, strength 0.50

\`\`\`text
Arr | \`x\`
\`\`\`

(cut at the longest answer)

`,
    );
    expect(answersMarkdown({ ...asked, run: null }, answer("Hi.", "eos"), answer("", "eos"))).not.toContain("Tuned");
    const named = answersMarkdown({ ...asked, model: "a_b", run: "<i>\n# x" }, answer("", "eos"), answer("", "eos"));
    expect(named).toContain("- Model: a\\_b\n- Run: &lt;i> # x, strength 0.50\n");
    expect(named).toContain("### Tuned: &lt;i> # x, strength 0.50\n");
  });

  it("holds the rows in the order shown; no cell ends its table", () => {
    const model: ModelInfo = JSON.parse('{"name":"tiny"}');
    const origin: Origin = {
      model,
      run: "1",
      runName: "otter",
      from: "heldOut",
      dataName: "n_1.jsonl",
      data: "",
      maxLength: 64,
    };
    const row = { ...rowOf(0, 3, 1), prompt: "a | b\n<b>c</b>", answer: "d\\e" };
    const lines = rowsMarkdown([row], origin).split("\n");
    expect(lines).toEqual([
      "- Model: tiny",
      "- Run: otter, strength 1.00",
      "- Data: n\\_1.jsonl",
      "",
      "1 row: 3.000 → 1.000; better in 1, worse in 0",
      "",
      "| Row | Prompt | Answer | Base loss | Tuned loss | Difference |",
      "| --- | --- | --- | ---: | ---: | ---: |",
      "| notes.jsonl line 1 | a \\| b &lt;b>c&lt;/b> | d\\\\e | 3.000 | 1.000 | −2.000 |",
      "",
      "",
    ]);
  });
});
