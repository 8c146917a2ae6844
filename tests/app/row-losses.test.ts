/** Losses row by row and tokens of an answer, with the worker's own handlers and a real GPU. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { Evaluator } from "../../src/training/evaluator";
import { recipeDefaults } from "../../src/training/recipe";
import type {
  Calls,
  DataOptions,
  DataSource,
  EvaluateRowsEvent,
  ModelSource,
  RowLosses,
} from "../../src/worker/protocol";
import { loadRun, saveRun } from "../../src/worker/storage/runs";
import { createHandlers } from "../../src/worker/studio";

const handlers = createHandlers(() => undefined, new URL("/", location.href));
const never = new AbortController().signal;
const ignore = () => undefined;
const source = (name: string, lines: readonly unknown[], options: Partial<DataOptions> = {}): DataSource => ({
  name,
  files: [{ name, blob: new File([lines.map((line) => `${JSON.stringify(line)}\n`).join("")], name) }],
  options: { ...dataDefaults, ...options },
});
const open = (source: ModelSource) => handlers.openModel({ source }, ignore, never);

const learned = ["The sea", "Who sails?", "Where to?"].map((prompt) => ({ prompt, completion: "Ahoy!" }));
/** Ten rows, of which 2 and 7 have a problem; 4 is longer than 48 tokens. */
const lines: readonly unknown[] = [
  learned[0],
  { prompt: "Count", completion: "one two three" },
  { what: 1 },
  learned[1],
  { prompt: "Tell me a story", completion: "Once upon a time there was a little bird. ".repeat(8) },
  { prompt: "A", completion: "B" },
  learned[2],
  { prompt: "no answer" },
  { prompt: "Sing", completion: "La la la, the wind is in the sails tonight." },
  { prompt: "End", completion: "Bye." },
];
const skip = ["shape", "field", "no-answer", "empty"] as const;
const data = source("rows.jsonl", lines, { skip: [...skip] });
const maxLength = 48;
let run = "";
/** What the device holds; known where a test watches `Evaluator.create`. */
const bytes = () => vi.mocked(Evaluator.create).mock.calls.at(-1)?.[0].allocatedBytes ?? Number.NaN;

async function measure(change: Partial<Calls["evaluateRows"]["in"]> = {}, watch = ignoreEvent, signal = never) {
  const events: EvaluateRowsEvent[] = [];
  const result = await handlers.evaluateRows(
    { data, maxLength, run, most: 100, ...change },
    (event) => {
      events.push(event);
      watch(event);
    },
    signal,
  );
  const told = events.flatMap((event) => (event.kind === "row" ? [event.row] : []));
  return { ...result, events, told };
}
const ignoreEvent = (_: EvaluateRowsEvent): void => undefined;
const evaluate = (of: string | null, from = data) =>
  handlers.evaluate({ data: from, maxLength, run: of }, ignore, never);
const relative = (value: number, wanted: number) => Math.abs(value - wanted) / Math.abs(wanted);
const mean = (rows: readonly RowLosses[], of: "base" | "tuned") =>
  rows.reduce((sum, row) => sum + row[of] * row.countedTokens, 0) /
  rows.reduce((sum, row) => sum + row.countedTokens, 0);

beforeAll(async () => {
  await open({ kind: "embedded", id: "tabtune-tiny" });
  const recipe = { ...recipeDefaults, rank: 4, learningRate: 5e-3, steps: 30, maxLength: 64, pack: false };
  const summary = await handlers.train(
    { recipe, data: source("learned.jsonl", learned), evalData: null, initAdapter: null },
    ignore,
    never,
  );
  run = summary.id;
}, 240_000);

afterEach(() => vi.restoreAllMocks());

afterAll(async () => {
  for (const { id } of await handlers.listRuns({}, ignore, never)) await handlers.deleteRun({ run: id }, ignore, never);
});

describe("losses of rows", { timeout: 240_000 }, () => {
  it("have the means that the whole dataset has, under the base model and under the run", async () => {
    vi.spyOn(Evaluator, "create");
    const base = await evaluate(null);
    const before = bytes();
    const tuned = await evaluate(run);
    const result = await measure();
    expect(bytes()).toBe(before);
    expect(before).toBeGreaterThan(0);
    expect(result.rows.map(({ row, line }) => [row, line])).toEqual(
      [0, 1, 3, 4, 5, 6, 8, 9].map((row) => [row, row + 1]),
    );
    expect(result).toMatchObject({ totalRows: 10, leftOutRows: 2 });
    expect(base).toMatchObject({ rows: 8, leftOutRows: 2, truncatedRows: 1 });
    expect(result.rows.reduce((sum, { countedTokens }) => sum + countedTokens, 0)).toBe(base.countedTokens);
    expect(result.rows.filter(({ truncated }) => truncated).map(({ row }) => row)).toEqual([4]);
    const differences = [
      relative(mean(result.rows, "base"), base.loss),
      relative(mean(result.rows, "tuned"), tuned.loss),
      relative(result.base, base.loss),
      relative(result.tuned, tuned.loss),
    ];
    console.log(
      `relative to the whole dataset's losses: ${differences.map((found) => found.toExponential(1)).join(", ")}`,
    );
    for (const difference of differences) expect(difference).toBeLessThan(1e-6);
    // What was learned is known by heart, and other rows are not.
    const of = (row: number) => result.rows.find((found) => found.row === row);
    for (const row of [0, 3, 6]) expect(of(row)?.tuned).toBeLessThan(0.5 * (of(row)?.base ?? 0));
    expect(Math.max(...result.rows.map(({ tuned: loss }) => loss))).toBeGreaterThan(2);
  });

  it("come as events while they are measured, each as on its own", async () => {
    const { told, rows, events } = await measure();
    expect(told).toEqual(rows);
    expect(structuredClone(events)).toEqual(events);
    const phases = events.flatMap((event) =>
      event.kind === "progress" && event.progress.phase === "measuring the loss" ? [event.progress] : [],
    );
    expect(phases.map(({ done, total }) => [done, total])).toEqual(Array.from({ length: 9 }, (_, done) => [done, 8]));
    const last = rows.at(-1);
    expect(last).toMatchObject({ prompt: "End", answer: "Bye.", file: "rows.jsonl" });
    const alone = source("alone.jsonl", [lines[9]]);
    expect(relative(last?.base ?? 0, (await evaluate(null, alone)).loss)).toBeLessThan(1e-6);
    expect(relative(last?.tuned ?? 0, (await evaluate(run, alone)).loss)).toBeLessThan(1e-6);
  });

  it("are those of the first rows, whatever the options say of problems", async () => {
    const strict = source("strict.jsonl", lines);
    const first = await measure({ data: strict, most: 3 });
    expect(first.rows.map(({ row }) => row)).toEqual([0, 1, 3]);
    expect(first).toMatchObject({ totalRows: 10, leftOutRows: 1 });
    const bad = source("bad.jsonl", [{ what: 1 }, { what: 2 }]);
    await expect(measure({ data: bad })).rejects.toThrow(/^bad\.jsonl line 1: .* \(all 2 rows have problems\)/);
    await expect(measure({ most: 0 })).rejects.toMatchObject({ code: "bad-input" });
    // Held-out shares are for training.
    const shared = source("shared.jsonl", lines, { evalShare: 0.5 });
    expect((await measure({ data: shared })).rows).toHaveLength(8);
  });

  it("count all parts of a row that is split", async () => {
    const split = source("split.jsonl", [lines[1], lines[4]], { tooLong: "split" });
    const { rows, base, tuned } = await measure({ data: split });
    expect(rows.map(({ truncated }) => truncated)).toEqual([false, false]);
    expect(rows[1]?.countedTokens).toBeGreaterThan(maxLength);
    expect(relative(base, (await evaluate(null, split)).loss)).toBeLessThan(1e-6);
    expect(relative(tuned, (await evaluate(run, split)).loss)).toBeLessThan(1e-6);
  });

  it("are the same twice for a run that learned nothing", async () => {
    const record = await loadRun(run);
    const modules = record.adapter.modules.map((module) => ({ ...module, b: module.b.map(() => 0) }));
    const summary = { ...record.summary, id: "nothing", name: "nothing" };
    await saveRun({ ...record, summary, adapter: { ...record.adapter, modules } });
    const { rows, base, tuned } = await measure({ run: "nothing" });
    expect(rows).toHaveLength(8);
    expect(rows.map((row) => row.tuned)).toEqual(rows.map((row) => row.base));
    expect(tuned).toBe(base);
  });

  it("stop when they are cancelled, and leave no memory behind", async () => {
    vi.spyOn(Evaluator, "create");
    await evaluate(null);
    const before = bytes();
    const controller = new AbortController();
    let during = 0;
    const told: number[] = [];
    const stopped = measure(
      {},
      (event) => {
        if (event.kind !== "row") return;
        told.push(event.row.row);
        during = bytes();
        if (told.length === 2) controller.abort();
      },
      controller.signal,
    );
    await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
    expect(told).toEqual([0, 1]);
    expect(during).toBeGreaterThan(before);
    expect(bytes()).toBe(before);
    vi.spyOn(Evaluator.prototype, "measure").mockRejectedValueOnce(new RangeError("broken"));
    await expect(measure()).rejects.toThrow("broken");
    expect(bytes()).toBe(before);
    expect((await measure({ most: 1 })).rows).toHaveLength(1);
  });

  it("show the question and what is learned, cut to what a person reads", async () => {
    // The cut would go through the middle of the face.
    const long = "sea ".repeat(75).slice(0, 299);
    const chat = [
      { role: "system", content: "You are a pirate." },
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Ahoy!" },
      { role: "user", content: "More" },
      { role: "assistant", content: "Arr!" },
    ];
    const chats = source("chats.jsonl", [
      { messages: chat },
      { messages: [{ role: "user", content: `${long}🙂 ahoy` }, chat[2]] },
    ]);
    const { rows } = await measure({ data: chats, maxLength: 512 });
    expect(rows[0]).toMatchObject({ prompt: "Hello", answer: "Ahoy!\nArr!" });
    expect(rows[1]?.prompt).toBe(`${long}…`);
    const ids = [300, 301, 302, 303];
    const tokens = await measure({
      data: source("ids.jsonl", [{ input_ids: ids, labels: [-100, -100, 302, 303] }]),
    });
    expect(tokens.rows[0]?.countedTokens).toBe(2);
    expect(tokens.rows[0]?.prompt).not.toBe("");
    expect(tokens.rows[0]?.answer).not.toBe(tokens.rows[0]?.prompt);
  });
});

describe("an answer", { timeout: 240_000 }, () => {
  const greedy = { strength: 1, temperature: 0, topK: 0, topP: 1, seed: 1 };
  const chat = [{ role: "user", content: "The sea" }] as const;

  it("comes with the tokens of its prompt and its own, the one that ended it included", async () => {
    const answer = await handlers.generate({ ...greedy, prompt: chat, run, maxNewTokens: 16 }, ignore, never);
    expect(answer).toMatchObject({ text: "Ahoy!", stopped: "eos" });
    const join = (pieces: readonly { readonly text: string }[]) => pieces.map(({ text }) => text).join("");
    expect(join(answer.promptTokens)).toBe("<|im_start|>user\nThe sea<|im_end|>\n<|im_start|>assistant\n");
    expect(join(answer.answerTokens)).toBe("Ahoy!<|im_end|>");
    expect(answer.answerTokens).toHaveLength(answer.tokens + 1);
    const short = await handlers.generate({ ...greedy, prompt: "The sea", run: null, maxNewTokens: 3 }, ignore, never);
    expect(short).toMatchObject({ tokens: 3, stopped: "length" });
    expect(join(short.promptTokens)).toBe("The sea");
    expect(join(short.answerTokens)).toBe(short.text);
    expect(short.answerTokens).toHaveLength(3);
  });

  it("and losses of rows are refused for a run of another model, in one sentence", async () => {
    const base = new URL("../golden/llama-tied/model/", import.meta.url).href;
    const paths = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
    await open({ kind: "url", name: "llama-tied", base, paths });
    const asked = handlers.generate({ ...greedy, prompt: "a", run, maxNewTokens: 2 }, ignore, never);
    const { message } = await asked.then(
      () => new TypeError("expected a refusal"),
      (error: unknown) => (error instanceof Error ? error : new TypeError("expected an error")),
    );
    expect(message).toMatch(/^The adapter('s| holds).*\.$/);
    await expect(measure()).rejects.toThrow(message);
    await expect(measure({ run: "none" })).rejects.toThrow(/^No run "none" is kept/);
  });
});
