/** The whole line from file to token ids: every format gives the same ones, bad files and rows get one sentence, public datasets load. */
import { existsSync, openAsBlob, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { DataError, type ProblemKind } from "../../src/data/errors";
import { type ColumnMapping, dataDefaults } from "../../src/data/options";
import { refusalOf } from "../../src/data/refusal";
import { openRows } from "../../src/data/rows/open-rows";
import type { DataFile } from "../../src/data/rows/types";
import { detectShape } from "../../src/data/shapes/index";
import { recipeDefaults } from "../../src/training/recipe";
import { datasetInfo } from "../../src/worker/dataset-info";
import { shapesGolden } from "../support/data-tokenizer";
import { examplesOf, jsonLines, look } from "../support/dataset";
import { gzip, openDefaults } from "../support/rows";

const good = '{"prompt": "a", "completion": "b"}';

describe("a dataset", () => {
  it("has TRL's ids and labels and counts what it tokenized", async () => {
    const rows = shapesGolden.cases.filter(
      ({ template, bos, maxLength }) => template === "chatml" && !bos && maxLength === 512,
    );
    const dataset = await look(jsonLines(rows.map(({ row }) => row)));
    const examples = await examplesOf(dataset);
    expect(examples.map(({ ids }) => ids)).toEqual(rows.map(({ ids }) => ids));
    expect(dataset.survey.sums).toEqual({
      rows: rows.length,
      problemRows: 0,
      droppedRows: 0,
      splitRows: 0,
      truncatedRows: 0,
    });
    expect(dataset.figures).toMatchObject({
      examples: rows.length,
      tokens: rows.reduce((sum, { ids }) => sum + (ids?.length ?? 0), 0),
      countedTokens: rows.flatMap(({ labels }) => labels ?? []).filter((label) => label !== -100).length,
      longestRow: Math.max(...rows.map(({ ids }) => ids?.length ?? 0)),
    });
    expect(refusalOf(dataset, [])).toBeNull();
  });

  it("numbers rows through several files, and names the file of a bad one", async () => {
    const files = ["a", "b"].map((name) => ({
      name: `${name}.jsonl`,
      blob: new Blob([`${good}\n{"x": 1}\n${good}\n`]),
    }));
    const { survey, source } = await look(files);
    expect(source.rows).toBe(6);
    expect(survey.problems.groups[0]?.examples.map(({ row, file, line }) => [row, file, line])).toEqual([
      [1, "a.jsonl", 2],
      [4, "b.jsonl", 2],
    ]);
  });

  it("tells the page what of its file no row has", async () => {
    const columnData = [
      { name: "text", data: ["One bird.", "Two birds."], type: "STRING" as const },
      { name: "sound", data: [Uint8Array.of(255, 1), Uint8Array.of(254, 2)], type: "BYTE_ARRAY" as const },
    ];
    const dataset = await look([{ name: "rows.parquet", blob: new Blob([parquetWriteBuffer({ columnData })]) }]);
    const { notes } = await datasetInfo(dataset, dataDefaults, { ...recipeDefaults, learningRate: 1e-3 });
    expect(notes).toEqual([expect.stringMatching(/^rows\.parquet.*sound.*\.$/)]);
  });

  it("is stopped while its file is read", async () => {
    const controller = new AbortController();
    const blob = new Blob([`${good}\n`.repeat(200_000)]);
    const opening = openRows([{ name: "rows.jsonl", blob }], {
      ...openDefaults,
      signal: controller.signal,
      // Comes after the first piece of the file, however fast the machine is.
      onHead: () => controller.abort(),
    });
    await expect(opening).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("the same rows", () => {
  const pairs = [
    { prompt: "Who are you?", completion: "A small red boat." },
    { prompt: 'Say "hello, world"', completion: "hello,\nworld" },
    { prompt: "Größe? 你好 🙂", completion: "1,85 m; sehr groß" },
    { prompt: "  spaces  ", completion: "\ttab" },
    { prompt: "= 1 + 1", completion: "2" },
  ];
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const table = (delimiter: string, newline: string) =>
    [
      ["prompt", "completion"].join(delimiter),
      ...pairs.map((row) => [cell(row.prompt), cell(row.completion)].join(delimiter)),
    ]
      .map((line) => line + newline)
      .join("");
  const parquet = () =>
    new Blob([
      parquetWriteBuffer({
        columnData: [
          { name: "prompt", data: pairs.map(({ prompt }) => prompt), type: "STRING" },
          { name: "completion", data: pairs.map(({ completion }) => completion), type: "STRING" },
        ],
      }),
    ]);
  const forms: Readonly<Record<string, () => Promise<DataFile>>> = {
    CSV: async () => ({ name: "rows.csv", blob: new Blob([table(",", "\n")]) }),
    "CSV of Excel": async () => ({ name: "rows.csv", blob: new Blob(["\uFEFF", table(";", "\r\n")]) }),
    TSV: async () => ({ name: "rows.tsv", blob: new Blob([table("\t", "\n")]) }),
    JSON: async () => ({ name: "rows.json", blob: new Blob([JSON.stringify(pairs, null, 2)]) }),
    "JSON, gzip": async () => ({ name: "rows.json.gz", blob: await gzip(JSON.stringify(pairs)) }),
    Parquet: async () => ({ name: "rows.parquet", blob: parquet() }),
  };
  for (const [form, file] of Object.entries(forms)) {
    it(`give the same tokens from ${form} as from JSON Lines`, async () => {
      const expected = await examplesOf(await look(jsonLines(pairs)));
      expect(expected).toHaveLength(pairs.length);
      const dataset = await look([await file()]);
      expect(dataset.survey.problems.groups).toEqual([]);
      expect(await examplesOf(dataset)).toEqual(expected);
    });
  }
});

describe("bad data", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  const bad: readonly (readonly [
    name: string,
    content: BlobPart,
    kind: ProblemKind,
    sentence: string,
    file?: string,
  ])[] = [
    ["an empty file", "", "file", "rows.jsonl: the file is empty; choose a file with at least one row."],
    ["only blank lines", "\n \r\n\n", "file", "rows.jsonl: the file has no rows; choose a file with at least one row."],
    ["a zip", bytes(0x50, 0x4b, 3, 4, 0, 0), "file", "rows.jsonl: the file is a ZIP archive"],
    ["a cut line", `${good}\n\n{"text": "a`, "syntax", "rows.jsonl line 3: not valid JSON"],
    ["another shape", '{"a": 1}', "shape", 'rows.jsonl line 1: the row has the columns "a", which is no known shape;'],
    ["no text", '{"text": 7}', "field", "rows.jsonl line 1, text: "],
    [
      "a line that is no UTF-8",
      new Blob([`${good}\n`, bytes(0x22, 0xc3, 0x22)]),
      "encoding",
      "rows.jsonl line 2: the line is not valid UTF-8; save the file with UTF-8 encoding",
    ],
    [
      "a row with nothing left",
      `{"text": "b"}\n{"prompt": "${"long ".repeat(99)}", "completion": "x"}`,
      "nothing-counted",
      "rows.jsonl line 2: all counted tokens lie beyond max length 16 (the row has",
    ],
  ];
  for (const [name, content, kind, sentence, file = "rows.jsonl"] of bad) {
    it(`${name} is refused`, async () => {
      const error: unknown = await look([{ name: file, blob: new Blob([content]) }], { maxLength: 16 }).then(
        (dataset) => refusalOf(dataset, []),
        (reason: unknown) => reason,
      );
      if (!(error instanceof DataError)) throw new TypeError(`not refused: ${String(error)}`);
      expect(error.message).toContain(sentence);
      expect(error.message).toMatch(/^[^\n]*\.$/);
      expect(error).toMatchObject({ kind, file });
    });
  }

  it("that goes away while it is looked at is one sentence", async () => {
    let gone = false;
    class Vanishing extends Blob {
      override slice(start?: number, end?: number): Blob {
        const blob = super.slice(start, end);
        if (gone) blob.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotReadableError"));
        return blob;
      }
    }
    const blob = new Vanishing([`${good}\n`.repeat(50_000)]);
    const onProgress = () => {
      gone = true;
    };
    await expect(look([{ name: "gone.jsonl", blob }], { onProgress })).rejects.toThrow(
      "gone.jsonl: the file cannot be read; check that it still exists and choose it again.",
    );
  });
});

describe("public datasets", () => {
  const folder = resolve(import.meta.dirname, "../../../shared/data/datasets");
  if (!existsSync(folder)) {
    console.warn(`SKIPPED: the public datasets are not at ${folder}; only small files of their make were loaded.`);
    it.skip("the public datasets are not beside the repository (../shared/data/datasets)");
    return;
  }
  /** Rows that are rightly refused: nothing to learn, no dataset, a broken entry. */
  const refused: Readonly<Record<string, readonly [rows: number, kind: ProblemKind]>> = {
    "axolotl-fixtures/conversation.missingturns.json": [1, "empty"],
    "chatterbot/chatterbot_corpus/data/english/trivia.yml": [1, "syntax"],
    "fastchat/fastchat/llm_judge/data/mt_bench/question.jsonl": [80, "shape"],
    "llama-factory-demo/dataset_info.json": [1, "shape"],
  };
  /** Tables without a header: a person says which column is what. */
  const goEmotions = { shape: "text-label", columns: { text: "column 1", label: "column 2" } };
  const mappings: Readonly<Record<string, ColumnMapping>> = {
    "goemotions/original/dev.tsv": goEmotions,
    "goemotions/original/test.tsv": goEmotions,
    "goemotions/original/train.tsv": goEmotions,
  };
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(jsonl?|csv|tsv|parquet|txt|ya?ml)$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
  it("are there", () => expect(files.length).toBeGreaterThan(40));

  it.each(files)("%s: every row is trained or refused for a reason", { timeout: 180_000 }, async (file) => {
    const listed = [{ name: file, blob: await openAsBlob(join(folder, file)) }];
    const source = await openRows(listed, openDefaults);
    const head = await source.read(Array.from({ length: Math.min(20, source.rows) }, (_, row) => row));
    // As a person would who agrees with the guess.
    const { suggestion } = detectShape(head.flatMap((raw) => ("error" in raw ? [] : [raw.value])));
    const mapping = mappings[file] ?? suggestion;
    // Rows of ids were made with a tokenizer of 32000 tokens; the golden one has 400.
    const isTokens = readFileSync(join(folder, file), "utf8").slice(0, 200).includes("input_ids");
    const { survey } = await look(listed, { maxLength: 1e6, mapping, limits: { tokens: 1e9 } });
    const groups = survey.problems.groups.map(({ kind, rows }) => [rows, kind]);
    const [first] = survey.problems.groups;
    const expected = isTokens ? [[1, "unknown-token"]] : refused[file] ? [refused[file]] : [];
    expect(groups, first?.examples[0]?.message ?? "").toEqual(expected);
    expect(survey.sums.rows).toBe(source.rows);
    expect(survey.store.count + survey.sums.problemRows).toBe(source.rows);
  });
});
