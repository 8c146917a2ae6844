/** Files: reading JSON Lines as a stream, choosing the format, loading a whole dataset, and the sentence for each bad file. */
import { existsSync, openAsBlob } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadDataset } from "../../src/data/dataset";
import { DataError } from "../../src/data/errors";
import { chooseFormat, datasetFormats } from "../../src/data/formats/index";
import { format as jsonl } from "../../src/data/formats/jsonl";
import type { Conversation } from "../../src/data/types";
import { goldenTokenizer, shapesGolden } from "../support/data-tokenizer";

const good = '{"prompt": "a", "completion": "b"}';

/** A blob whose stream comes in exactly these chunks. */
class ChunkedBlob extends Blob {
  readonly #chunks: readonly Uint8Array<ArrayBuffer>[];
  constructor(chunks: readonly Uint8Array<ArrayBuffer>[]) {
    super([...chunks]);
    this.#chunks = chunks;
  }
  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const chunks = this.#chunks;
    return new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
  }
}

async function rowsOf(blob: Blob, name = "rows.jsonl"): Promise<Conversation[]> {
  const rows: Conversation[] = [];
  for await (const row of jsonl.read(blob, name)) rows.push(row);
  return rows;
}

async function load(content: BlobPart, options: { name?: string; maxLength?: number; template?: string | null } = {}) {
  const { name = "rows.jsonl", maxLength = 512, template = "chatml" } = options;
  return loadDataset(new Blob([content]), name, await goldenTokenizer(template), { maxLength });
}

describe("the JSON Lines reader", () => {
  it("counts blank lines, takes CRLF, a byte order mark and a last line without a line feed", async () => {
    const rows = await rowsOf(new Blob([`\uFEFF${good}\r\n\r\n   \n\n{"text": "é"}\r\n{"text": "last"}`]));
    expect(rows.map(({ origin }) => origin.line)).toEqual([1, 5, 6]);
    expect(rows[1]).toEqual({ kind: "text", text: "é", origin: { file: "rows.jsonl", line: 5 } });
  });

  it("gives the same rows however the bytes are cut", async () => {
    const text = `\uFEFF${good}\r\n\n{"text": "Größe 你好 🙂"}\n{"text": "\\u2028 \u2028 x"}\r\n${good}`;
    const bytes = new TextEncoder().encode(text);
    const whole = await rowsOf(new Blob([bytes]));
    expect(whole).toHaveLength(4);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await rowsOf(new ChunkedBlob([bytes.slice(0, cut), bytes.slice(cut)]))).toEqual(whole);
    }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: bytes.length }), { maxLength: 12 }), async (cuts) => {
        const ends = [...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
        expect(await rowsOf(new ChunkedBlob(chunks))).toEqual(whole);
      }),
    );
  });

  it("says how far it is and lets go of the file when the reader stops", async () => {
    const blob = new Blob([`${good}\n\n${good}\n${good}`]);
    const done: number[] = [];
    for await (const _ of jsonl.read(blob, "rows.jsonl", (bytes) => done.push(bytes)));
    expect(done).toEqual([35, 36, 71, blob.size]);
    let cancelled = false;
    const endless = new (class extends Blob {
      override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
        return new ReadableStream({
          pull: (controller) => controller.enqueue(new TextEncoder().encode(`${good}\n`)),
          cancel: () => {
            cancelled = true;
          },
        });
      }
    })();
    for await (const _ of jsonl.read(endless, "rows.jsonl")) break;
    expect(cancelled).toBe(true);
  });

  it("says so when the file goes away while it is read", async () => {
    const gone = new (class extends Blob {
      override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
        let pulled = 0;
        return new ReadableStream({
          pull: (controller) => {
            if (pulled++ > 0) throw new DOMException("gone", "NotReadableError");
            controller.enqueue(new TextEncoder().encode(`${good}\n`));
          },
        });
      }
    })();
    await expect(rowsOf(gone)).rejects.toThrow(
      "rows.jsonl: the file cannot be read; check that it still exists and choose it again.",
    );
  });

  it("refuses a line of more than 32 MB before it is in memory", async () => {
    let served = 0;
    const endless = new (class extends Blob {
      override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
        const chunk = new Uint8Array(1024 * 1024).fill(32);
        return new ReadableStream({
          pull: (controller) => {
            served++;
            controller.enqueue(chunk);
          },
        });
      }
    })();
    await expect(rowsOf(endless)).rejects.toThrow(
      "rows.jsonl line 1: the line is longer than 32 MB; put one JSON object on each line.",
    );
    expect(served).toBeLessThan(40);
  });
});

describe("dataset formats", () => {
  it("have their file's name as id", () => {
    for (const [path, { id }] of Object.entries(datasetFormats)) expect(path).toBe(`./${id}.ts`);
    expect(Object.values(datasetFormats)).toContain(jsonl);
  });

  it("are chosen by content where the name says nothing", async () => {
    expect(await chooseFormat(new Blob([` \n${good}`]), "data")).toBe(jsonl);
    expect(await chooseFormat(new Blob([good]), "data.json")).toBe(jsonl);
  });
});

describe("loadDataset", () => {
  it("counts what it tokenized", async () => {
    const rows = shapesGolden.cases.filter(
      ({ template, bos, maxLength }) => template === "chatml" && !bos && maxLength === 512,
    );
    const text = rows.map(({ row }) => JSON.stringify(row)).join("\n");
    const progress: number[] = [];
    const dataset = await loadDataset(new Blob([text]), "golden.jsonl", await goldenTokenizer("chatml"), {
      maxLength: 512,
      onProgress: (done, total) => progress.push(done / total),
    });
    expect(dataset.name).toBe("golden.jsonl");
    expect(dataset.counts).toEqual({
      rows: rows.length,
      tokens: rows.reduce((sum, { ids }) => sum + (ids?.length ?? 0), 0),
      countedTokens: rows.flatMap(({ labels }) => labels ?? []).filter((label) => label !== -100).length,
      truncatedRows: 0,
      longestRow: Math.max(...rows.map(({ ids }) => ids?.length ?? 0)),
    });
    expect(dataset.examples.map(({ origin }) => origin.line)).toEqual(rows.map((_, index) => index + 1));
    expect(progress.at(-1)).toBe(1);
  });

  it("cuts long rows at max length", async () => {
    const { counts, examples } = await load(`{"text": "${"word ".repeat(50)}"}\n{"text": "x"}`, { maxLength: 10 });
    expect(counts).toMatchObject({ rows: 2, truncatedRows: 1, longestRow: 10 });
    expect(examples[0]?.truncated).toBeGreaterThan(0);
  });

  it("stops when aborted, also in the middle", async () => {
    const controller = new AbortController();
    const text = `${good}\n`.repeat(200_000);
    const loading = loadDataset(new Blob([text]), "rows.jsonl", await goldenTokenizer(null), {
      maxLength: 512,
      onProgress: () => controller.abort(),
      signal: controller.signal,
    });
    await expect(loading).rejects.toMatchObject({ name: "AbortError" });
  });

  it("shows a file that went away as one sentence", async () => {
    const gone = new (class extends Blob {
      override slice(): Blob {
        const blob = new Blob(["x"]);
        blob.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotReadableError"));
        return blob;
      }
    })(["x"]);
    await expect(loadDataset(gone, "gone.jsonl", await goldenTokenizer(null), { maxLength: 8 })).rejects.toThrow(
      "gone.jsonl: the file cannot be read; check that it still exists and choose it again.",
    );
  });

  const bytes = (...values: number[]) => Uint8Array.from(values);
  const bad: readonly (readonly [
    name: string,
    content: BlobPart,
    line: number | null,
    sentence: string,
    file?: string,
  ])[] = [
    ["an empty file", "", null, "rows.jsonl: the file is empty; choose a file with at least one row."],
    ["only blank lines", "\n \r\n\n", null, "rows.jsonl: the file has no rows; choose a file with at least one row."],
    [
      "a binary file",
      bytes(0x50, 0x4b, 3, 4, 0, 0),
      null,
      "rows.jsonl: the file is binary and in no known dataset format; give one of the known formats (JSON Lines)",
    ],
    ["UTF-16", bytes(0xff, 0xfe, 0x7b, 0x00), null, "rows.jsonl: the file is in UTF-16; save it with UTF-8 encoding."],
    [
      "another format",
      "a,b\n1,2\n",
      null,
      "data.csv: the file is in no known dataset format (it begins a,b 1,2); give one of",
      "data.csv",
    ],
    [
      "one JSON list",
      '[{"text": "a"}]',
      null,
      'data.json: the file is in no known dataset format (it begins [{"text": "a"}]);',
      "data.json",
    ],
    ["a list in a .jsonl", '[{"text": "a"}]', 1, "rows.jsonl line 1: the row is a list of 1, not an object;"],
    ["text in a .jsonl", "hello there\n", 1, "rows.jsonl line 1: not valid JSON"],
    [
      "JSON over several lines",
      `{\n  "text": "a"\n}`,
      1,
      "(the line begins {); every line must hold one whole JSON object,",
    ],
    [
      "a cut line",
      `${good}\n\n{"text": "a`,
      3,
      'rows.jsonl line 3: not valid JSON at column 12 (the line begins {"text": "a);',
    ],
    [
      "bytes that are no UTF-8",
      bytes(0x7b, 0x7d, 0x0a, 0x7b, 0xff, 0x7d),
      1,
      "rows.jsonl line 1: the row has no columns",
    ],
    [
      "a second line that is no UTF-8",
      new Blob([`${good}\n`, bytes(0x22, 0xc3, 0x22)]),
      2,
      "rows.jsonl line 2: the line is not valid UTF-8; save the file with UTF-8 encoding.",
    ],
    [
      "a row with nothing left",
      `{"text": "b"}\n{"prompt": "${"long ".repeat(99)}", "completion": "x"}`,
      2,
      "rows.jsonl line 2: all counted tokens lie beyond max length 16 (the row has",
    ],
  ];
  for (const [name, content, line, sentence, file = "rows.jsonl"] of bad) {
    it(`refuses ${name}`, async () => {
      const error: unknown = await load(content, { name: file, maxLength: 16 }).catch((reason: unknown) => reason);
      if (!(error instanceof DataError)) throw error;
      expect(error.message).toContain(sentence);
      expect(error.message).toMatch(/^[^\n]*\.$/);
      expect(error).toMatchObject({ file, line });
    });
  }
});

describe("public datasets", () => {
  const files: Readonly<Record<string, readonly [path: string, rows: number]>> = {
    text: ["mlx-examples/train.jsonl", 1000],
    "long texts": ["llama-factory-demo/c4_demo.jsonl", 300],
  };
  for (const [name, [path, rows]] of Object.entries(files)) {
    const full = fileURLToPath(new URL(`../../../shared/data/datasets/${path}`, import.meta.url));
    const absent = !existsSync(full);
    if (absent) console.warn(`NOT RUN: ${full} is absent, so loading ${path} is not tested here.`);
    it.skipIf(absent)(`load: ${name}`, { timeout: 60_000 }, async () => {
      const blob = await openAsBlob(full);
      const { counts } = await loadDataset(blob, path, await goldenTokenizer("chatml"), { maxLength: 256 });
      expect(counts.rows).toBe(rows);
      expect(counts.countedTokens).toBe(counts.tokens - counts.rows);
    });
  }
});
