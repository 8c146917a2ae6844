/** The look at a dataset: what it counts, which rows it finds fault with, and what it holds out; whole and by sample. */
import { describe, expect, it } from "vitest";
import { heldOutBatches, heldOutRows, measuredRows, planTraining } from "../../src/data/dataset";
import { DataError } from "../../src/data/errors";
import { dataDefaults } from "../../src/data/options";
import { refusalOf } from "../../src/data/refusal";
import type { RowSource } from "../../src/data/rows/types";
import { ExampleStore } from "../../src/data/survey/example-store";
import { lengthHistogram } from "../../src/data/survey/histogram";
import { commonRows } from "../../src/data/survey/overlap";
import { readRow } from "../../src/data/survey/read-row";
import { readRows } from "../../src/data/survey/row-reader";
import { rowView } from "../../src/data/survey/row-view";
import { splitRows } from "../../src/data/survey/split";
import { tokenHash } from "../../src/data/survey/token-hash";
import { recipeDefaults } from "../../src/training/recipe";
import { datasetInfo } from "../../src/worker/dataset-info";
import { examplesOf, jsonLines, look, sampled } from "../support/dataset";

const recipe = { ...recipeDefaults, pack: false, epochs: 1 };
const numbered = (count: number) => Array.from({ length: count }, (_, row) => ({ text: `row number ${row}` }));

describe("problems", () => {
  const lines = [
    '{"text": "good"}',
    "{no json",
    '{"text": "good too"}',
    '{"what": 1}',
    "",
    '{"text": 5}',
    '{"what": 2}',
    '{"messages": [{"role": "user", "content": "only a question"}]}',
    '{"what": 3}',
  ].join("\n");

  it("are grouped by kind, the most frequent first, each with line, sentence and excerpt", async () => {
    const dataset = await look(lines);
    expect(dataset.survey.problems.groups.map(({ kind, rows }) => [kind, rows])).toEqual([
      ["shape", 3],
      ["syntax", 1],
      ["field", 1],
      ["no-answer", 1],
    ]);
    const [shape, syntax] = dataset.survey.problems.groups;
    expect(shape?.examples.map(({ row, line }) => [row, line])).toEqual([
      [3, 4],
      [5, 7],
      [7, 9],
    ]);
    expect(shape?.examples[0]).toMatchObject({ file: "rows.jsonl", excerpt: '{"what":1}' });
    expect(syntax?.examples[0]).toMatchObject({ line: 2, excerpt: "{no json" });
    expect(syntax?.examples[0]?.message).toMatch(/^rows\.jsonl line 2: not valid JSON/);
    expect(dataset.survey.sums).toMatchObject({ rows: 8, problemRows: 6 });
    expect(dataset.figures).toMatchObject({ examples: 2 });
    expect(dataset.survey.rowsWith("shape")).toEqual([3, 5, 7]);
    expect(dataset.survey.rowsWith("too-long")).toEqual([]);
  });

  it("refuse a run with the first of them, until their kinds are skipped", async () => {
    const dataset = await look(lines);
    const refusal = refusalOf(dataset, []);
    expect(refusal).toBeInstanceOf(DataError);
    expect(refusal?.message).toMatch(
      /^rows\.jsonl line 2: not valid JSON.* \(6 of 8 rows have problems\); .*, or skip the rows with problems\.$/,
    );
    expect(refusalOf(dataset, ["syntax"])?.message).toMatch(/^rows\.jsonl line 4: .*\(5 of 8 rows have problems\)/);
    expect(refusalOf(dataset, ["syntax", "shape", "field", "no-answer"])).toBeNull();
    const plan = planTraining(dataset, recipe);
    expect([plan.steps, plan.leftOutRows()]).toEqual([2, 6]);
  });

  it("show no more than five examples of a kind, and count all", async () => {
    const { survey } = await look(jsonLines(Array.from({ length: 40 }, (_, row) => ({ [`c${row}`]: row }))));
    expect(survey.problems.groups[0]).toMatchObject({ rows: 40 });
    expect(survey.problems.groups[0]?.examples.map(({ row }) => row)).toEqual([0, 1, 2, 3, 4]);
  });

  it("name tokens that the model lacks", async () => {
    const plain = await examplesOf(await look(jsonLines([{ text: "aa" }, { text: "b" }])));
    const last = Math.max(...(plain[1]?.ids.filter((id) => !plain[0]?.ids.includes(id)) ?? []));
    const unknownToken = (ids: ArrayLike<number>) =>
      Array.from(ids).includes(last) ? { problem: `no token ${last}`, remedy: "use another tokenizer" } : null;
    const dataset = await look(jsonLines([{ text: "aa" }, { text: "b" }]), { unknownToken });
    expect(dataset.survey.problems.groups.map(({ kind, rows }) => [kind, rows])).toEqual([["unknown-token", 1]]);
    expect(refusalOf(dataset, [])?.message).toBe(
      `rows.jsonl line 2: no token ${last}; use another tokenizer, or skip the rows with problems.`,
    );
  });

  it("say so when no row is left", async () => {
    const long = jsonLines([{ text: "a long text that goes on and on" }, { text: "another long text" }]);
    const dropped = await look(long, { maxLength: 3, tooLong: "drop" });
    expect(refusalOf(dropped, [])?.message).toBe(
      "rows.jsonl: none of the 2 rows can be used: 2 are longer than the limit and dropped; raise the max length, or truncate or split long rows.",
    );
    const tooLong = await look(long, { maxLength: 3, tooLong: "error" });
    expect(refusalOf(tooLong, [])?.message).toMatch(
      /^rows\.jsonl line 1: the row has \d+ tokens, more than max length 3/,
    );
    expect(refusalOf(tooLong, ["too-long"])?.message).toMatch(/none of the 2 rows can be used: 2 have problems/);
    expect(planTraining(tooLong, recipe).steps).toBe(0);
  });
});

describe("long rows", () => {
  const text = jsonLines([{ text: "short" }, { text: "a longer text that is cut somewhere in its middle" }]);
  it.each([
    ["truncate-right", { examples: 2, truncatedRows: 1, droppedRows: 0, splitRows: 0, longestRow: 8 }],
    ["truncate-left", { examples: 2, truncatedRows: 1, droppedRows: 0, splitRows: 0, longestRow: 8 }],
    ["drop", { examples: 1, truncatedRows: 0, droppedRows: 1, splitRows: 0 }],
    ["split", { truncatedRows: 0, droppedRows: 0, splitRows: 1, longestRow: 8 }],
  ] as const)("%s: are counted", async (tooLong, expected) => {
    const dataset = await look(text, { maxLength: 8, tooLong });
    expect(dataset.figures).toMatchObject(expected);
    const lengths = dataset.survey.histogram;
    expect(lengths.counts.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(lengths.edges.at(-1)).toBeGreaterThan(8);
  });

  it("are read again in their parts when their tokens were not kept", async () => {
    const rows = Array.from({ length: 9 }, (_, row) => ({ text: `${row} goes ${"on and ".repeat(row)}` }));
    const dataset = await look(jsonLines(rows), { maxLength: 6, tooLong: "split" });
    const kept = await examplesOf(dataset);
    const { source, reading, survey } = dataset;
    const store = new ExampleStore(source, reading, 700);
    for (const raw of await source.read(rows.map((_, row) => row))) store.add(raw.row, readRow(raw, reading).examples);
    expect(store.count).toBe(survey.store.count);
    expect(store.count).toBeGreaterThan(rows.length);
    const order = Array.from({ length: store.count }, (_, index) => (7 * index) % store.count);
    const again = await store.load(order);
    expect(again.map(({ ids, counted }) => ({ ids: [...ids], counted: [...counted] }))).toEqual(
      order.map((index) => kept[index]),
    );
  });

  it("are noticed when the file has changed since", async () => {
    const { source, reading } = await look(jsonLines(numbered(3)));
    const store = new ExampleStore(source, reading, 0);
    for (const raw of await source.read([0, 1, 2])) store.add(raw.row, readRow(raw, reading).examples);
    const changed = await look(jsonLines([{ text: "x" }, { text: "y" }, { text: "z" }]));
    const stale = new ExampleStore(changed.source, reading, 0);
    for (const raw of await source.read([0, 1, 2])) stale.add(raw.row, readRow(raw, reading).examples);
    await expect(stale.load([1])).rejects.toThrow(
      "rows.jsonl: row 2 of the dataset is no longer what it was when the file was read; choose the file again.",
    );
  });
});

describe("the split", () => {
  it("holds the same rows out for the same seed, other ones for others, and trains on none of them", async () => {
    const text = jsonLines(numbered(200));
    const held = async (seed: number) => {
      const dataset = await look(text, { evalShare: 0.1, seed });
      expect(dataset.figures).toMatchObject({ heldOutRows: 20, examples: 180 });
      const trained = new Set<string>();
      for await (const { microBatches } of planTraining(dataset, { ...recipe, seed }).batches()) {
        for (const { ids } of microBatches) trained.add(ids.join());
      }
      const heldOut = new Set<string>();
      for await (const { ids } of heldOutBatches(dataset, 1) ?? []) heldOut.add(ids.join());
      expect([trained.size, heldOut.size]).toEqual([180, 20]);
      for (const ids of heldOut) expect(trained.has(ids)).toBe(false);
      return [...heldOut].sort();
    };
    expect(await held(1)).toEqual(await held(1));
    expect(await held(2)).not.toEqual(await held(1));
  });

  it("says what its rows lose, and refuses where none is left to measure", async () => {
    const isHeldOut = splitRows(20, 0.2, 1).isHeldOut;
    const long = { text: "and on ".repeat(50) };
    let seen = 0;
    const rows = numbered(20).map((row, index) => {
      if (!isHeldOut(index)) return index % 2 === 0 ? long : row;
      return [{ what: 1 }, long, row, row][seen++];
    });
    const options = { evalShare: 0.2, seed: 1, maxLength: 40 };
    const cut = await look(jsonLines(rows), options);
    const counts = { truncatedRows: 0, droppedRows: 0, leftOutRows: 1, sampled: false };
    expect(heldOutRows(cut)).toEqual({ ...counts, rows: 3, truncatedRows: 1 });
    const dropped = await look(jsonLines(rows), { ...options, tooLong: "drop" });
    expect(heldOutRows(dropped)).toEqual({ ...counts, rows: 2, droppedRows: 1 });
    const whole = await look(jsonLines(rows), { maxLength: 40 });
    expect(heldOutRows(whole)).toBeNull();
    const longRows = rows.filter((row) => row === long).length;
    expect(measuredRows(whole)).toEqual({ ...counts, rows: 19, truncatedRows: longRows });
    const bad = rows.map((row, index) => (isHeldOut(index) ? { what: index } : row));
    const lost = await look(jsonLines(bad), options);
    expect(heldOutBatches(lost, 64)).toBeNull();
    expect(refusalOf(lost, ["shape"])?.message).toBe(
      "rows.jsonl: none of the 4 held-out rows can be measured: 4 have problems; hold a larger share out, choose another seed, or mend the rows.",
    );
    expect(refusalOf(await look(jsonLines(bad), { maxLength: 40 }), ["shape"])).toBeNull();
  });

  it("leaves at least one row on either side, and none out without a share", () => {
    expect(splitRows(2, 0.01, 1)).toMatchObject({ heldOut: 1, trained: 1 });
    expect(splitRows(1, 0.5, 1)).toMatchObject({ heldOut: 0, trained: 1 });
    expect(splitRows(1000, 0, 1)).toMatchObject({ heldOut: 0, trained: 1000 });
    expect(splitRows(0, 0.5, 1)).toMatchObject({ heldOut: 0, trained: 0 });
  });
});

describe("rows that are the same", () => {
  it("are counted within a dataset and between two", async () => {
    const rows = numbered(30);
    const dataset = await look(jsonLines([...rows, ...rows.slice(0, 4), { text: "row number 0" }]));
    expect(dataset.figures.duplicateRows).toBe(5);
    const heldOut = await look(
      jsonLines([{ text: "row number 7" }, { text: "something else" }, { text: "row number 0" }]),
    );
    expect(commonRows(heldOut.survey, dataset.survey)).toEqual({ compared: 3, count: 2, rows: [0, 2] });
    // Held-out rows count, however often they are trained on.
    expect(commonRows(dataset.survey, heldOut.survey)).toEqual({ compared: 35, count: 4, rows: [0, 7, 30, 34] });
  });

  it("are counted on both sides of a split", async () => {
    const rows = numbered(60).flatMap((row, index) => (index < 40 ? [row, row] : [row]));
    const dataset = await look(jsonLines(rows), { evalShare: 0.3, seed: 4 });
    const trained = new Set<string>();
    for await (const { microBatches } of planTraining(dataset, recipe).batches()) {
      for (const { ids } of microBatches) trained.add(ids.join());
    }
    let shared = 0;
    for await (const { ids } of heldOutBatches(dataset, 1) ?? []) if (trained.has(ids.join())) shared++;
    expect(shared).toBeGreaterThan(5);
    expect(shared).toBeLessThan(30);
    expect(dataset.figures).toMatchObject({ heldOutRows: 30, duplicateRows: 40, sharedHeldOutRows: shared });
    expect((await look(jsonLines(rows))).figures.sharedHeldOutRows).toBe(0);
  });

  it("are told apart by every token and its place", () => {
    const hash = (...ids: number[]) => tokenHash([{ ids: Uint32Array.from(ids) }]);
    expect(hash(1, 2, 3)).toBe(tokenHash([{ ids: Uint32Array.of(1) }, { ids: Uint32Array.of(2, 3) }]));
    const hashes = [hash(), hash(0), hash(0, 0), hash(1, 2), hash(2, 1), hash(1, 2, 0), hash(0, 1, 2)];
    for (let id = 0; id < 20_000; id++) hashes.push(hash(5, id, 6), hash(id, 5, 6));
    const [, , , , , , , ...rest] = hashes;
    // 5 5 6 is in twice.
    expect(new Set(rest).size).toBe(39_999);
    expect(new Set(hashes.slice(0, 7)).size).toBe(7);
    for (const value of hashes) expect(Number.isSafeInteger(value) && value >= 0 && value < 2 ** 53).toBe(true);
  });
});

describe("lengthHistogram", () => {
  it("has round edges, about 24 bins, and every length in the right one", () => {
    const lengths = Uint32Array.from({ length: 1000 }, (_, index) => 1 + ((index * 37) % 479));
    const { edges, counts } = lengthHistogram(lengths);
    expect(edges).toEqual(Array.from({ length: 25 }, (_, index) => 20 * index));
    for (const [bin, count] of counts.entries()) {
      const [from = 0, to = 0] = edges.slice(bin, bin + 2);
      expect(count).toBe(lengths.filter((length) => length >= from && length < to).length);
    }
  });

  it("keeps its detail where one row is a thousand times longer", () => {
    const lengths = Uint32Array.from({ length: 1000 }, (_, index) => (index === 500 ? 100_000 : 1 + (index % 50)));
    const { edges, counts } = lengthHistogram(lengths);
    expect(edges.slice(0, 3)).toEqual([0, 5, 10]);
    expect(edges.at(-1)).toBeGreaterThan(100_000);
    expect(counts.at(-1)).toBe(1);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1000);
  });

  it("is defined for no rows and for rows of one length", () => {
    expect(lengthHistogram(new Uint32Array())).toEqual({ edges: [0, 1], counts: [0] });
    expect(lengthHistogram(Uint32Array.of(7, 7)).counts.reduce((sum, count) => sum + count, 0)).toBe(2);
  });
});

describe("reading rows", () => {
  it("never holds many long rows at once, however short the others are", async () => {
    const padding = "x".repeat(20_000);
    const lines = Array.from({ length: 20_000 }, (_, row) => ({
      text: `${row}`,
      ...(row >= 9000 && row < 9600 ? { padding } : {}),
    }));
    const { source, reading } = await look(jsonLines(lines), { limits: { ...sampled, sampleRows: 1 } });
    const most = { bytes: 0, rows: 0 };
    const watched: RowSource = {
      ...source,
      async read(rows) {
        const raws = await source.read(rows);
        const bytes = raws.reduce((sum, raw) => sum + JSON.stringify("value" in raw ? raw.value : null).length, 0);
        most.bytes = Math.max(most.bytes, bytes);
        most.rows = Math.max(most.rows, rows.length);
        return raws;
      },
    };
    let next = 0;
    for await (const { raw } of readRows(watched, source.rows, { ...reading, maxLength: 8 }))
      expect(raw.row).toBe(next++);
    expect(next).toBe(20_000);
    expect(most.bytes).toBeLessThan(1.1 * 2 ** 20);
    expect(most.bytes).toBeGreaterThan(0.9 * 2 ** 20);
    expect(most.rows).toBe(512);
  });
});

describe("a row's views", () => {
  const viewsOf = async (rows: readonly unknown[], options: Parameters<typeof look>[1] = {}) => {
    const { source, reading } = await look(jsonLines(rows), options);
    return (await source.read(rows.map((_, row) => row))).map((raw) => rowView(readRow(raw, reading), reading));
  };

  it("are its cells, its turns with those that are trained, and the tokens with their texts", async () => {
    const messages = [
      { role: "system", content: "Be short." },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello." },
    ];
    const [view] = await viewsOf([{ messages, id: 7 }]);
    expect(view).toMatchObject({ row: 0, file: "rows.jsonl", line: 1, problem: null });
    expect(view?.cells).toEqual({ messages: JSON.stringify(messages), id: "7" });
    expect(view?.turns).toEqual(messages.map((message) => ({ ...message, trained: message.role === "assistant" })));
    expect(view?.tokens.length).toBe(view?.length);
    expect(view?.tokens.map(({ text }) => text).join("")).toContain("Hello.");
    const counted = view?.tokens.filter((token) => token.counted).map(({ text }) => text);
    expect(counted?.join("")).toMatch(/^Hello\.<\|im_end\|>/);
  });

  it("are there for completions, texts, bad rows and what is no object", async () => {
    const [completion, text, bad, list] = await viewsOf([
      { prompt: "2+2=", completion: "4" },
      { text: "x".repeat(9000) },
      { text: 5 },
      [1, 2],
    ]);
    expect(completion?.turns?.map(({ role, trained }) => [role, trained])).toEqual([
      ["prompt", false],
      ["completion", true],
    ]);
    expect(text?.turns?.[0]?.content).toHaveLength(4001);
    expect(text?.cells["text"]).toHaveLength(4001);
    expect(bad).toMatchObject({ turns: null, tokens: [], cells: { text: "5" } });
    expect(bad?.problem).toMatch(/^rows\.jsonl line 3, text: /);
    expect(list).toMatchObject({ cells: { "": "[1,2]" }, turns: null });
  });

  it("bound what a hostile row holds", async () => {
    const deep = `{"text": ${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
    const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`c${index}`, index])));
    const { source, reading } = await look(`${deep}\n${wide}\n`);
    const [first, second] = (await source.read([0, 1])).map((raw) => rowView(readRow(raw, reading), reading));
    expect(first?.problem).not.toBeNull();
    expect(JSON.stringify(first).length).toBeLessThan(20_000);
    expect(Object.keys(second?.cells ?? {})).toHaveLength(200);
  });
});

describe("a sample", () => {
  it("is a seeded part of a large dataset from which its figures are estimated", async () => {
    const rows = Array.from({ length: 3000 }, (_, row) =>
      row % 10 === 0 ? { what: row } : { text: `row ${row % 7}` },
    );
    const limits = { ...sampled, sampleRows: 600, heldOutRows: 100 };
    const dataset = await look(jsonLines(rows), { limits, evalShare: 0.2 });
    const { survey, figures } = dataset;
    expect(survey).toMatchObject({ exact: false, trainedRows: 600, sums: { rows: 700 } });
    expect(figures.heldOutRows).toBe(600);
    expect(Math.abs(figures.examples - 2160)).toBeLessThan(100);
    expect(heldOutBatches(dataset, 64)?.maxTokens).toBeGreaterThan(0);
    expect((await look(jsonLines(rows), { limits, evalShare: 0.2 })).survey.hashes).toEqual(survey.hashes);
    expect((await look(jsonLines(rows), { limits, evalShare: 0.2, seed: 2 })).survey.rowsWith("shape")).not.toEqual(
      survey.rowsWith("shape"),
    );
    expect(refusalOf(dataset, [])?.message).toMatch(/\(\d+ of the 700 rows looked at have problems\)/);
    expect(refusalOf(dataset, ["shape"])).toBeNull();
    expect(heldOutRows(dataset)).toMatchObject({ sampled: true });
    // For all rows, as the other figures are.
    const { problems } = await datasetInfo(dataset, dataDefaults, { ...recipe, learningRate: 1e-3 });
    expect(problems).toMatchObject([{ kind: "shape" }]);
    expect(Math.abs((problems[0]?.rows ?? 0) - 300)).toBeLessThan(100);
  });

  it("takes over where small files hold too many tokens, and ends at its own limit of tokens", async () => {
    const text = jsonLines(numbered(500));
    const whole = await look(text);
    expect(whole.survey.exact).toBe(true);
    const projected = await look(text, { limits: { sampleRows: 50, tokens: whole.figures.tokens - 1 } });
    expect(projected.survey).toMatchObject({ exact: false, sums: { rows: 50 } });
    const short = await look(text, { limits: { tokens: 1, sampleTokens: 30 } });
    expect(short.survey.sums.rows).toBeLessThan(10);
    expect(Math.abs(short.figures.tokens / whole.figures.tokens - 1)).toBeLessThan(0.2);
  });

  it("can be stopped in its middle", async () => {
    const controller = new AbortController();
    const done: number[] = [];
    const looking = look(jsonLines(numbered(60_000)), {
      signal: controller.signal,
      onProgress: (rows) => {
        done.push(rows);
        controller.abort();
      },
    });
    await expect(looking).rejects.toMatchObject({ name: "AbortError" });
    expect(done.at(-1)).toBeLessThan(60_000);
  });
});
