/** Files → rows: compressed, in UTF-16, several at once, gone, cut off, too large; the cache; what is said on the way. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/data/errors";
import { memorySpool } from "../../src/data/rows/memory-spool";
import { openRows } from "../../src/data/rows/open-rows";
import type { DataFile, IndexCache, OpenRowsOptions, RawRow } from "../../src/data/rows/types";
import { gzip, openDefaults, rowsOf, valuesOf } from "../support/rows";

const good = '{"prompt": "a", "completion": "b"}';

function utf16(text: string, littleEndian: boolean): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < text.length; at++) view.setUint16(2 * at, text.charCodeAt(at), littleEndian);
  return bytes;
}

async function refusal(content: BlobPart, name = "rows.jsonl", options: Partial<OpenRowsOptions> = {}) {
  const error: unknown = await rowsOf([{ name, blob: new Blob([content]) }], options).catch(
    (reason: unknown) => reason,
  );
  if (!(error instanceof DataError)) throw new TypeError(`not refused: ${String(error)}`);
  expect(error.message).toMatch(/^[^\n]*\.$/);
  return error.message;
}

/** A file whose slices can be made to fail, and are counted. */
class WatchedBlob extends Blob {
  readonly slices: (readonly [start: number, end: number])[] = [];
  gone = false;
  override slice(start = 0, end = this.size): Blob {
    this.slices.push([start, end]);
    const blob = super.slice(start, end);
    if (this.gone) blob.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotReadableError"));
    return blob;
  }
}

function memoryCache(): IndexCache & { readonly values: Map<string, unknown> } {
  const values = new Map<string, unknown>();
  return {
    values,
    get: async (key) => structuredClone(values.get(key)),
    set: async (key, value) => {
      values.set(key, structuredClone(value));
    },
  };
}

describe("the same rows", () => {
  const rows = [{ text: "Größe 你好 🙂\u2028" }, { prompt: "a\nb", completion: "" }, { text: "last" }];
  const forms: Readonly<Record<string, readonly [name: string, text: string]>> = {
    "JSON Lines": ["rows.jsonl", `${rows.map((row) => JSON.stringify(row)).join("\r\n\r\n")}\n`],
    "a JSON list": ["rows.json", JSON.stringify(rows, null, 2)],
  };
  for (const [form, [name, text]] of Object.entries(forms)) {
    it(`come from ${form} in any wrapping`, async () => {
      const plain = await rowsOf(text, {}, name);
      expect(valuesOf(plain)).toEqual(rows);
      const wrappings: readonly (readonly [string, Blob])[] = [
        [name, new Blob(["\uFEFF", text])],
        [`${name}.gz`, await gzip(text)],
        [`${name}.gz`, await gzip(`\uFEFF${text}`)],
        [name, await gzip(utf16(`\uFEFF${text}`, true))],
        [name, new Blob([utf16(`\uFEFF${text}`, true)])],
        [name, new Blob([utf16(`\uFEFF${text}`, false)])],
        [name, new Blob([utf16(text, true)])],
        [name, new Blob([utf16(text, false)])],
      ];
      for (const [wrapped, blob] of wrappings) {
        const heads: RawRow[][] = [];
        const found = await rowsOf([{ name: wrapped, blob }], { onHead: (head) => heads.push([...head]) });
        expect(found).toEqual(plain.map((row) => ({ ...row, origin: { ...row.origin, file: wrapped } })));
        expect(heads).toHaveLength(1);
        expect(found.slice(0, heads[0]?.length)).toEqual(heads[0]);
      }
    });
  }

  it("come from UTF-16 of any length, half a surrogate pair being an error of its row", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "binary" }), { maxLength: 5 }),
        fc.boolean(),
        async (texts, little) => {
          const lines = [{ text: "x".repeat(5_000) }, ...texts.map((text) => ({ text }))].map((row) =>
            JSON.stringify(row),
          );
          const blob = new Blob([utf16(`\uFEFF${lines.join("\n")}`, little)]);
          expect(valuesOf(await rowsOf([{ name: "rows.jsonl", blob }]))).toEqual(lines.map((line) => JSON.parse(line)));
        },
      ),
      { numRuns: 30 },
    );
    const half = utf16(`${good}\n{"text": "\uD83D"}\n${good}`, true);
    const rows = await rowsOf(new Blob([half]));
    expect(rows[1]).toMatchObject({ error: { kind: "encoding", line: 2 } });
    expect(valuesOf([...rows.slice(0, 1), ...rows.slice(2)])).toEqual([JSON.parse(good), JSON.parse(good)]);
  });
});

describe("rows by number", () => {
  const files: DataFile[] = [
    { name: "a.jsonl", blob: new Blob(Array.from({ length: 500 }, (_, row) => `\n{"row": ${row}}\n`)) },
    { name: "b.json", blob: new Blob([JSON.stringify(Array.from({ length: 300 }, (_, row) => ({ row: 500 + row })))]) },
    { name: "c.jsonl", blob: new Blob([`{"row": 800, "text": "${"x".repeat(100_000)}"}\n{"row": 801}`]) },
  ];

  it("are numbered through all files and come in the order asked for", async () => {
    const source = await openRows(files, openDefaults);
    expect(source.rows).toBe(802);
    expect(source.bytes).toBe(files.reduce((sum, { blob }) => sum + blob.size, 0));
    expect(
      source.files.map(({ name, firstRow, rows, format, candidates }) => [name, firstRow, rows, format, candidates[0]]),
    ).toEqual([
      ["a.jsonl", 0, 500, "jsonl", "jsonl"],
      ["b.json", 500, 300, "json", "json"],
      ["c.jsonl", 800, 2, "jsonl", "jsonl"],
    ]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 801 }), { maxLength: 60 }), async (wanted) => {
        const rows = await source.read(Uint32Array.from(wanted));
        expect(rows.map(({ row }) => row)).toEqual(wanted);
        for (const row of rows) {
          const file = row.row < 500 ? 0 : row.row < 800 ? 1 : 2;
          const line = [2 * row.row + 2, 1, row.row - 799][file];
          expect(row).toMatchObject({ origin: { file: files[file]?.name, line }, value: { row: row.row } });
        }
      }),
      { numRuns: 40 },
    );
    await expect(source.read([802])).rejects.toThrow("the dataset: there is no row 802; ask for one of 0 to 801.");
  });

  it("share a read where they are neighbours", async () => {
    const blob = new WatchedBlob(Array.from({ length: 20_000 }, (_, row) => `{"row": ${row}}\n`));
    const source = await openRows([{ name: "a.jsonl", blob }], openDefaults);
    blob.slices.length = 0;
    await source.read(Array.from({ length: 20_000 }, (_, row) => 19_999 - row));
    expect(blob.slices).toHaveLength(1);
    await source.read([0, 19_999]);
    expect(blob.slices).toHaveLength(3);
  });
});

describe("a file that cannot be used", () => {
  it("is refused in one sentence", async () => {
    const cases: readonly (readonly [content: BlobPart, name: string, sentence: string])[] = [
      ["", "rows.jsonl", "rows.jsonl: the file is empty; choose a file with at least one row."],
      ["\uFEFF", "rows.jsonl", "rows.jsonl: the file is empty; choose a file with at least one row."],
      ["\n \r\n\n", "rows.jsonl", "rows.jsonl: the file has no rows; choose a file with at least one row."],
      ["[\n]", "rows.json", "rows.json: the file has no rows; choose a file with at least one row."],
      [
        Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0),
        "rows.jsonl",
        "rows.jsonl: the file is a ZIP archive or an Office document; unpack it, or save its table as CSV.",
      ],
      [
        Uint8Array.of(7, 8, 0, 0, 9),
        "rows.bin",
        "rows.bin: the file is binary and in no known dataset format; give one of the known formats (",
      ],
      [
        Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 1, 2, 3),
        "rows.jsonl.gz",
        "rows.jsonl.gz: the file cannot be decompressed (it is damaged, cut off or made of several gzip parts); decompress it yourself and choose the result.",
      ],
      [(await gzip(good.repeat(500))).slice(0, 40), "rows.jsonl", "rows.jsonl: the file cannot be decompressed"],
      [
        '{"a": [1',
        "rows.json",
        "rows.json line 1: not valid JSON at column 9: the file ends before its JSON does (2 brackets are still open);",
      ],
    ];
    for (const [content, name, sentence] of cases) expect(await refusal(content, name)).toContain(sentence);
    expect(await refusal(good, "rows.jsonl", { format: "excel" })).toContain(
      'there is no dataset format "excel"; use ',
    );
  });

  it("is refused where it unpacks to more than the spool may take", async () => {
    const bomb = await gzip(new Uint8Array(8 * 1024 * 1024).fill(0x20));
    expect(bomb.size).toBeLessThan(20_000);
    let discarded = 0;
    const spool = memorySpool();
    const watched = {
      create: async () => {
        const file = await spool.create();
        return { ...file, discard: async () => void discarded++ };
      },
    };
    expect(await refusal(bomb, "rows.jsonl.gz", { maxBytes: 2 ** 21, spool: watched })).toBe(
      "rows.jsonl.gz: decompressed, the file is larger than 2 MB; decompress it yourself and choose the result.",
    );
    expect(discarded).toBe(1);
  });

  it("says so when it goes away, while it is indexed and later", async () => {
    const sentence = "rows.jsonl: the file cannot be read; check that it still exists and choose it again.";
    const blob = new WatchedBlob([`${good}\n`.repeat(10)]);
    const source = await openRows([{ name: "rows.jsonl", blob }], openDefaults);
    blob.gone = true;
    await expect(source.read([0])).rejects.toThrow(sentence);
    await expect(openRows([{ name: "rows.jsonl", blob }], openDefaults)).rejects.toThrow(sentence);
    const going = new (class extends Blob {
      override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
        let pulled = 0;
        return new ReadableStream({
          pull: (controller) => {
            if (pulled++ > 2) throw new DOMException("gone", "NotReadableError");
            controller.enqueue(new TextEncoder().encode(`${good}\n`));
          },
        });
      }
    })([`${good}\n`.repeat(100)]);
    await expect(openRows([{ name: "rows.jsonl", blob: going }], openDefaults)).rejects.toThrow(sentence);
    const shorter = new (class extends Blob {
      override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
        return new Blob([good]).stream();
      }
    })([`${good}\n`.repeat(100)]);
    await expect(openRows([{ name: "rows.jsonl", blob: shorter }], openDefaults)).rejects.toThrow(sentence);
  });
});

describe("a row that cannot be used", () => {
  it("is an error of its own, the others are read", async () => {
    const blob = new Blob([`${good}\n`, Uint8Array.of(0x22, 0xc3, 0x22), `\n{"a"\n${good}`]);
    const rows = await rowsOf(blob);
    expect(valuesOf(rows)).toEqual([
      JSON.parse(good),
      "rows.jsonl line 2: the line is not valid UTF-8; save the file with UTF-8 encoding.",
      expect.stringContaining(
        'rows.jsonl line 3: not valid JSON at column 5: it ends too early (the line begins {"a");',
      ),
      JSON.parse(good),
    ]);
    expect(rows[1]).toMatchObject({ error: { kind: "encoding" }, text: '"\uFFFD"' });
  });

  it("keeps its reason and its line where rows go through the spool", async () => {
    const yaml = "- prompt: a\n  completion: b\n- just a text\n- prompt: c\n  completion: d\n";
    const rows = await rowsOf(yaml, {}, "rows.yaml");
    expect(rows.map((row) => ("value" in row ? row.value : row.error.message))).toEqual([
      { prompt: "a", completion: "b" },
      expect.stringMatching(/^rows\.yaml line 3: a text stands where/),
      { prompt: "c", completion: "d" },
    ]);
    expect(rows.map(({ origin }) => origin.line)).toEqual([1, 3, 4]);
  });

  it("of more than 32 MB never comes into memory", async () => {
    const block = new Blob(["x".repeat(1024 * 1024)]);
    const blob = new WatchedBlob([`${good}\n"`, ...Array.from({ length: 33 }, () => block), `"\n${good}`]);
    const source = await openRows([{ name: "rows.jsonl", blob }], openDefaults);
    expect(source.rows).toBe(3);
    blob.slices.length = 0;
    const rows = await source.read([0, 1, 2]);
    expect(valuesOf(rows)).toEqual([
      JSON.parse(good),
      "rows.jsonl line 2: the row is longer than 32 MB; check that the file is in the format it was taken for, or split the row.",
      JSON.parse(good),
    ]);
    expect(Math.max(...blob.slices.map(([start, end]) => end - start))).toBeLessThan(1_000);
  });
});

describe("on the way", () => {
  const large = new Blob(Array.from({ length: 300 }, () => new Blob([`${good}\n`.repeat(3_000)])));

  it("says how far it is and shows the first rows long before the end", async () => {
    const said: (readonly [done: number, total: number, rows: number] | "head")[] = [];
    let head: readonly RawRow[] = [];
    const source = await openRows([{ name: "rows.jsonl", blob: large }], {
      ...openDefaults,
      onProgress: (...progress) => said.push(progress),
      onHead: (rows) => {
        said.push("head");
        head = rows;
      },
    });
    expect(source.rows).toBe(900_000);
    expect(head).toEqual(await source.read(Array.from({ length: 20 }, (_, row) => row)));
    expect(said.at(-1)).toEqual([large.size, large.size, 900_000]);
    expect(said.filter((entry) => entry === "head")).toHaveLength(1);
    expect(said.indexOf("head")).toBeLessThan(said.length - 1);
  });

  it("stops when aborted, with the signal's reason, and gives the spool back", async () => {
    const controller = new AbortController();
    const reason = new DOMException("stop", "AbortError");
    const opening = openRows([{ name: "rows.jsonl", blob: large }], {
      ...openDefaults,
      signal: controller.signal,
      onHead: () => controller.abort(reason),
    });
    await expect(opening).rejects.toBe(reason);
    await expect(openRows([{ name: "a", blob: large }], { ...openDefaults, signal: controller.signal })).rejects.toBe(
      reason,
    );
  });
});

describe("the index cache", () => {
  const content = Array.from({ length: 60 }, (_, block) => `${`{"block": ${block}}\n`.repeat(7_000)}\n`);
  const open = (blob: Blob, cache: IndexCache) => openRows([{ name: "rows.jsonl", blob }], { ...openDefaults, cache });

  it("spares reading the file again: only its head and tail", async () => {
    const cache = memoryCache();
    const first = await open(new Blob(content), cache);
    expect(cache.values.size).toBe(1);
    const blob = new WatchedBlob(content);
    const again = await open(blob, cache);
    expect(blob.slices).toEqual([
      [0, 65_536],
      [blob.size - 65_536, blob.size],
    ]);
    expect(again.files).toEqual(first.files);
    const rows = [419_999, 0, 123_456, 7_000, 64];
    expect(await again.read(rows)).toEqual(await first.read(rows));
    expect(again.rows).toBe(420_000);
  });

  it("is asked for this very file only", async () => {
    const cache = memoryCache();
    await open(new Blob(content), cache);
    await open(new Blob(["{}\n", ...content.slice(0, -1), content.at(-1)?.slice(3) ?? ""]), cache);
    await open(new Blob([...content.slice(0, -1), content.at(-1)?.replace(/59\}\n\n$/, "60}\n\n") ?? ""]), cache);
    await open(new File(content, "x", { lastModified: 1 }), cache);
    await open(new File(content, "x", { lastModified: 2 }), cache);
    expect(cache.values.size).toBe(5);
    await open(new Blob(["{}\n"]), cache);
    await open(await gzip(content.join("")), cache);
    expect(cache.values.size).toBe(5);
  });

  it("is not believed where it is wrong, and not missed where it fails", async () => {
    const cache = memoryCache();
    const { files } = await open(new Blob(content), cache);
    const [[key, value] = ["", null]] = cache.values;
    for (const bad of [
      null,
      7,
      { index: 1, context: {} },
      { ...Object(value), context: { columns: [1], delimiter: null } },
      { ...Object(value), index: { version: 1, rows: 5, chunks: [] } },
    ]) {
      cache.values.set(key, bad);
      expect((await open(new Blob(content), cache)).files).toEqual(files);
      expect(cache.values.get(key)).toHaveProperty("index.rows", 420_000);
    }
    const failing: IndexCache = {
      get: () => Promise.reject(new DOMException("no", "InvalidStateError")),
      set: () => Promise.reject(new DOMException("full", "QuotaExceededError")),
    };
    expect((await open(new Blob(content), failing)).files).toEqual(files);
  });
});
