/** Which format a file is taken for: by its content first, with the others offered. */
import { existsSync, openAsBlob, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { datasetFormats, rankFormats } from "../../src/data/formats/index";
import { openRows } from "../../src/data/rows/open-rows";
import { openDefaults } from "../support/rows";

const best = (text: string, name: string) => rankFormats(new TextEncoder().encode(text), name)[0]?.format.id;

describe("dataset formats", () => {
  it("have their file's name as id and a label of their own", () => {
    for (const [path, { id }] of Object.entries(datasetFormats)) expect(path).toBe(`./${id}.ts`);
    const formats = Object.values(datasetFormats);
    expect(new Set(formats.map(({ label }) => label)).size).toBe(formats.length);
    expect(formats.map(({ id }) => id)).toEqual(expect.arrayContaining(["json", "jsonl", "text"]));
  });

  it("are chosen by content where the name misleads or says nothing", () => {
    const row = '{"text": "a"}';
    const cases: readonly (readonly [text: string, name: string, id: string])[] = [
      [`${row}\n${row}\n`, "rows.jsonl", "jsonl"],
      [`${row}\n${row}\n`, "rows.json", "jsonl"],
      [`${row}\n${row}\n`, "rows.txt", "jsonl"],
      [`${row}\n${row}\n`, "rows", "jsonl"],
      [`${row}\n`, "rows.jsonl", "jsonl"],
      [`[${row}]`, "rows.jsonl", "json"],
      [`[\n${row},\n${row}\n]`, "rows.jsonl", "json"],
      [`[\n${row},\n${row}\n]`, "rows", "json"],
      ['{\n  "text": "a"\n}\n{\n  "text": "b"\n}\n', "rows.jsonl", "json"],
      [`{"data": [${row}]}`, "rows.json", "json"],
      ["Hello there, friend.\n\nHow are you?\n", "notes.md", "text"],
      ["[link](https://example.org) is a link.\n", "notes.md", "text"],
      ["Just some words\nwithout a name\n", "notes", "text"],
    ];
    for (const [text, name, id] of cases) expect(best(text, name), `${name}: ${text}`).toBe(id);
  });
});

const root = fileURLToPath(new URL("../../../shared/data/datasets/", import.meta.url));
const absent = !existsSync(root);
if (absent) console.warn(`NOT RUN: ${root} is absent, so the public datasets are not indexed here.`);

/** Rows as an independent count has them (`wc -l`, `json.load`); the text's are passages. */
const expected: Readonly<Record<string, readonly [format: string, rows: number]>> = {
  "axolotl-fixtures/alpaca/alpaca.json": ["json", 2],
  "axolotl-fixtures/conversation.json": ["json", 1],
  "fastchat/data/dummy_conversation.json": ["json", 500],
  "gsm8k/test.jsonl": ["jsonl", 1319],
  "gsm8k/train.jsonl": ["jsonl", 7473],
  "litgpt-fixtures/alpaca.json": ["json", 23],
  "litgpt-fixtures/dolly.json": ["json", 12],
  "llama-factory-demo/c4_demo.jsonl": ["jsonl", 300],
  "llama-factory-demo/glaive_toolcall_en_demo.json": ["json", 300],
  "llama-factory-demo/identity.json": ["json", 91],
  "llms-from-scratch/ch07/01_main-chapter-code/instruction-data.json": ["json", 1100],
  "mlx-examples/train.jsonl": ["jsonl", 1000],
  "self-instruct-seed/data/seed_tasks.jsonl": ["jsonl", 175],
  "llms-from-scratch/ch02/01_main-chapter-code/the-verdict.txt": ["text", 10],
};

describe.skipIf(absent)("public datasets (skipped where ../shared is absent)", () => {
  it("are taken for what they are, with every row a value", async () => {
    const found: Record<string, readonly [format: string | undefined, rows: number]> = {};
    for (const path of Object.keys(expected)) {
      const source = await openRows([{ name: path, blob: await openAsBlob(`${root}${path}`) }], openDefaults);
      const rows = await source.read(Array.from({ length: source.rows }, (_, row) => row));
      expect(rows.filter((row) => "error" in row)).toEqual([]);
      found[path] = [source.files[0]?.format, source.rows];
    }
    expect(found).toEqual(expected);
  });

  it("are chosen by what their names promise, all of them", async () => {
    const promised = { jsonl: "jsonl", json: "json", tsv: "csv", yml: "yaml", parquet: "parquet", txt: "text" };
    const files = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith("LICENSE"))
      .map((entry) => `${entry.parentPath}/${entry.name}`);
    const wrong: string[] = [];
    for (const file of files) {
      const head = new Uint8Array(await (await openAsBlob(file)).slice(0, 65_536).arrayBuffer());
      const [best] = rankFormats(head, file);
      const extension = file.slice(file.lastIndexOf(".") + 1);
      const expected = Object.entries(promised).find(([name]) => name === extension)?.[1];
      if (best?.format.id !== expected) wrong.push(`${file}: ${best?.format.id} ${best?.score}`);
    }
    expect(files.length).toBeGreaterThan(40);
    expect(wrong).toEqual([]);
  });
});
