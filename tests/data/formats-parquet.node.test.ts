/** Parquet: written here, hyparquet's own files, nested columns, values JSON does not have, damaged and hostile files. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/data/errors";
import { format } from "../../src/data/formats/parquet";
import type { SpooledRow } from "../../src/data/formats/types";

const shared = "../shared/data";
const conformance = `${shared}/conformance/hyparquet/files`;
const naughty = `${shared}/conformance/naughty-strings/blns.json`;
const customs = `${shared}/datasets/smollm2-customs-parquet`;

async function read(bytes: BlobPart, notes: string[] = [], name = "rows.parquet"): Promise<SpooledRow[]> {
  const rows: SpooledRow[] = [];
  for await (const row of format.rows(new Blob([bytes]), name, null, (note) => notes.push(note))) rows.push(row);
  return rows;
}
const values = async (bytes: BlobPart, notes?: string[]) =>
  (await read(bytes, notes)).map(({ value, error }) => error?.message ?? value);

/** A list of structs in the three levels that Arrow writes. */
function turnsSchema(name: string) {
  return [
    { name, repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", repetition_type: "OPTIONAL", num_children: 2 },
    { name: "role", repetition_type: "OPTIONAL", type: "BYTE_ARRAY", converted_type: "UTF8" },
    { name: "content", repetition_type: "OPTIONAL", type: "BYTE_ARRAY", converted_type: "UTF8" },
  ] as const;
}
function listOf(name: string) {
  return [
    { name, repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", repetition_type: "OPTIONAL", type: "BYTE_ARRAY", converted_type: "UTF8" },
  ] as const;
}
const chat = [
  { role: "user", content: "Hi" },
  { role: "assistant", content: "Hello" },
];

describe("rows", () => {
  it("are objects in file order, numbered, over all row groups", async () => {
    const count = 2500;
    const prompts = Array.from({ length: count }, (_, index) => `prompt ${index}`);
    const file = parquetWriteBuffer({
      columnData: [
        { name: "prompt", data: prompts, type: "STRING" },
        { name: "completion", data: prompts.map((text) => text.toUpperCase()), type: "STRING" },
      ],
      rowGroupSize: 1000,
    });
    const rows = await read(file);
    expect(rows).toHaveLength(count);
    expect(rows.map(({ line }) => line)).toEqual(prompts.map((_, index) => index + 1));
    expect(rows.at(-1)?.value).toEqual({ prompt: "prompt 2499", completion: "PROMPT 2499" });
    const covered = rows.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(covered).toBeGreaterThan(file.byteLength / 2);
    expect(covered).toBeLessThanOrEqual(file.byteLength);
  });

  it("hold messages as lists of objects", async () => {
    const file = parquetWriteBuffer({
      schema: [{ name: "root", num_children: 1 }, ...turnsSchema("messages")],
      columnData: [{ name: "messages", data: [chat, [], null, chat.slice(0, 1)] }],
    });
    expect(await values(file)).toEqual([
      { messages: chat },
      { messages: [] },
      { messages: null },
      { messages: chat.slice(0, 1) },
    ]);
  });

  it("turn a struct of lists of roles and contents into the list that it stands for", async () => {
    const lists = (name: string, first: string, second: string) =>
      [{ name, repetition_type: "OPTIONAL", num_children: 2 }, ...listOf(first), ...listOf(second)] as const;
    const file = parquetWriteBuffer({
      schema: [
        { name: "root", num_children: 3 },
        ...lists("messages", "role", "content"),
        ...lists("conversations", "from", "value"),
        ...lists("answers", "text", "start"),
      ],
      columnData: [
        { name: "messages", data: [{ role: ["user", "assistant"], content: ["Hi", "Hello"] }] },
        { name: "conversations", data: [{ from: ["human"], value: ["Hi"] }] },
        { name: "answers", data: [{ text: ["a"], start: ["0"] }] },
      ],
    });
    expect(await values(file)).toEqual([
      { messages: chat, conversations: [{ from: "human", value: "Hi" }], answers: { text: ["a"], start: ["0"] } },
    ]);
  });

  it("hold only values that JSON has", async () => {
    const file = parquetWriteBuffer({
      columnData: [
        { name: "small", data: [1n, null, -3n], type: "INT64" },
        { name: "large", data: [2n ** 60n, 9007199254740993n, 0n], type: "INT64" },
        { name: "real", data: [0.5, Number.NaN, Number.POSITIVE_INFINITY], type: "DOUBLE" },
        { name: "time", data: [new Date(0), new Date(1e12), new Date(1.7e12)], type: "TIMESTAMP" },
        { name: "json", data: [{ a: [1, { b: null }] }, [], { c: "d" }], type: "JSON" },
        { name: "yes", data: [true, false, null], type: "BOOLEAN" },
      ],
    });
    const rows = await values(file);
    expect(rows).toEqual([
      {
        small: 1,
        large: "1152921504606846976",
        real: 0.5,
        time: "1970-01-01T00:00:00.000Z",
        json: { a: [1, { b: null }] },
        yes: true,
      },
      { small: null, large: "9007199254740993", real: null, time: "2001-09-09T01:46:40.000Z", json: [], yes: false },
      { small: -3, large: 0, real: null, time: "2023-11-14T22:13:20.000Z", json: { c: "d" }, yes: null },
    ]);
    expect(JSON.parse(JSON.stringify(rows))).toEqual(rows);
  });

  it("have no time of day in a date", async () => {
    const file = parquetWriteBuffer({
      schema: [
        { name: "root", num_children: 1 },
        { name: "day", type: "INT32", converted_type: "DATE", repetition_type: "REQUIRED" },
      ],
      columnData: [{ name: "day", data: [0, 19_000].map((days) => new Date(days * 86_400_000)) }],
    });
    expect(await values(file)).toEqual([{ day: "1970-01-01" }, { day: "2022-01-08" }]);
  });

  it("leave out bytes that are no text, and say so once", async () => {
    const image = new Uint8Array([0x89, 0x50, 0xff, 0x00]);
    const file = parquetWriteBuffer({
      schema: [
        { name: "root", num_children: 2 },
        { name: "image", repetition_type: "OPTIONAL", num_children: 2 },
        { name: "bytes", repetition_type: "OPTIONAL", type: "BYTE_ARRAY" },
        { name: "path", repetition_type: "OPTIONAL", type: "BYTE_ARRAY", converted_type: "UTF8" },
        { name: "raw", repetition_type: "OPTIONAL", type: "BYTE_ARRAY" },
      ],
      columnData: [
        {
          name: "image",
          data: [
            { bytes: image, path: "a.png" },
            { bytes: image, path: "b.png" },
          ],
        },
        { name: "raw", data: [new TextEncoder().encode("text"), new TextEncoder().encode("é")] },
      ],
    });
    const notes: string[] = [];
    expect(await values(file, notes)).toEqual([
      { image: { bytes: null, path: "a.png" }, raw: "text" },
      { image: { bytes: null, path: "b.png" }, raw: "é" },
    ]);
    expect(notes).toEqual(['rows.parquet: column "image" holds bytes that are no text; they are left out as null.']);
  });

  it("are wrong where a text column is no UTF-8", async () => {
    const file = parquetWriteBuffer({
      columnData: [{ name: "text", data: ["good", "bad!", "fine"], type: "STRING", encoding: "PLAIN" }],
      codec: "UNCOMPRESSED",
      statistics: false,
    });
    const bytes = new Uint8Array(file);
    const at = Buffer.from(bytes).indexOf("bad!");
    bytes[at] = 0xff;
    const rows = await read(bytes);
    expect(rows.map(({ value }) => value)).toEqual([{ text: "good" }, null, { text: "fine" }]);
    expect(rows[1]?.error?.message).toBe(
      'rows.parquet line 2: column "text" is marked as text but is not valid UTF-8; write the column as UTF-8.',
    );
    expect(rows[1]?.error?.kind).toBe("encoding");
  });

  it("stop when told to", async () => {
    const file = parquetWriteBuffer({ columnData: [{ name: "text", data: ["a", "b"], type: "STRING" }] });
    const controller = new AbortController();
    const rows = format.rows(new Blob([file]), "rows.parquet", controller.signal)[Symbol.asyncIterator]();
    controller.abort();
    await expect(rows.next()).rejects.toThrow(/abort/i);
  });

  it("survive a round trip whatever the text", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "binary", maxLength: 20 }), { minLength: 1, maxLength: 30 }),
        async (texts) => {
          const file = parquetWriteBuffer({ columnData: [{ name: "text", data: texts, type: "STRING" }] });
          expect(await values(file)).toEqual(texts.map((text) => ({ text })));
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("recognition", () => {
  it("goes by the first bytes, then by the name", () => {
    expect(format.match(new TextEncoder().encode("PAR1…"), "data")).toBe(1);
    expect(format.match(new TextEncoder().encode("text"), "rows.parquet")).toBe(0.3);
    expect(format.match(new TextEncoder().encode("PARIS"), "city.txt")).toBe(0);
  });
});

describe("files that cannot be used", () => {
  const good = new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: "text", data: ["some text", "some text", "more"], type: "STRING" },
        { name: "number", data: [1, 2, 3], type: "INT32" },
      ],
    }),
  );
  const patched = (offset: number, ...bytes: number[]) => {
    const copy = good.slice();
    copy.set(bytes, offset < 0 ? copy.length + offset : offset);
    return copy;
  };

  it.each([
    ["too short", good.slice(0, 10), "the Parquet file cannot be read: it is too short to be a Parquet file"],
    [
      "cut off",
      good.slice(0, -20),
      "it does not end like a Parquet file, so its end is missing; download or copy it again.",
    ],
    ["encrypted", patched(-1, 0x45), "it is encrypted; write it again without encryption."],
    [
      "metadata beyond the file",
      patched(-8, 0xff, 0xff, 0xff, 0x7f),
      "its metadata of 2147483647 bytes does not fit in it",
    ],
  ])("%s", async (_what, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(message);
    await expect(read(bytes)).rejects.toBeInstanceOf(DataError);
  });

  it("with a lying list length take no memory", async () => {
    // A footer whose second field is a list that announces 268 million structures.
    const footer = [0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0x7f];
    const bytes = new Uint8Array([0x50, 0x41, 0x52, 0x31, ...footer, footer.length, 0, 0, 0, 0x50, 0x41, 0x52, 0x31]);
    await expect(read(bytes)).rejects.toThrow("a list of 268435455 items does not fit in it");
  });

  it("with structures without end are refused", async () => {
    const footer = new Array(200).fill(0x1c);
    const bytes = new Uint8Array([0x50, 0x41, 0x52, 0x31, ...footer, footer.length, 0, 0, 0, 0x50, 0x41, 0x52, 0x31]);
    await expect(read(bytes)).rejects.toThrow("its structure is nested too deeply");
  });

  it("damaged at any byte give rows or one sentence", { timeout: 60_000 }, async () => {
    let refused = 0;
    for (let offset = 0; offset < good.length; offset++) {
      for (const value of [0x00, 0x7f, 0xff]) {
        try {
          await read(patched(offset, value));
        } catch (cause) {
          refused++;
          expect(cause).toBeInstanceOf(DataError);
          expect((cause as DataError).message).toMatch(
            /^rows\.parquet: the Parquet file cannot be read: [^\n]+; [^;]+\.$/,
          );
        }
      }
    }
    expect(refused).toBeGreaterThan(good.length);
  });

  it("that announce more rows than they have are refused", async () => {
    // The row counts are zigzag varints after the schema: 3 is written as 6. Every single one is tried.
    const messages: string[] = [];
    for (let offset = 4; offset < good.length - 8; offset++) {
      if (good[offset] !== 6) continue;
      await read(patched(offset, 126)).catch((cause: DataError) => messages.push(cause.problem));
    }
    expect(messages.some((message) => /announces \d+ rows, but its row groups have \d+/.test(message))).toBe(true);
  });
});

/** Expected values are hyparquet's: big integers rounded, bytes as lists of numbers, no empty fields, dates with a time. */
function same(mine: unknown, expected: unknown): boolean {
  if (mine === null || mine === undefined) return expected === null || expected === undefined;
  if (typeof mine === "string" && typeof expected === "number") return Number(mine) === expected;
  if (typeof mine === "string" && typeof expected === "string") {
    return mine === expected || `${mine}T00:00:00.000Z` === expected;
  }
  if (typeof mine === "string" && Array.isArray(expected))
    return String(new TextEncoder().encode(mine)) === String(expected);
  if (typeof mine !== "object" || typeof expected !== "object" || expected === null) return mine === expected;
  const keys = new Set([...Object.keys(mine), ...Object.keys(expected)]);
  const left = mine as Record<string, unknown>;
  const right = expected as Record<string, unknown>;
  return [...keys].every((key) => same(left[key], right[key]));
}

function whereShared(path: string, name: string, test: () => Promise<void>): void {
  if (existsSync(path)) {
    it(name, { timeout: 120_000 }, test);
  } else {
    console.warn(`SKIPPED: ${path} is not present, so "${name}" was not tested`);
    it.skip(`${name} (skipped: ${path} is not present)`, test);
  }
}

describe("shared files", () => {
  whereShared(conformance, "hyparquet's files give its expected values", async () => {
    const names = readdirSync(conformance).filter((name) => name.endsWith(".parquet"));
    expect(names.length).toBeGreaterThan(50);
    for (const name of names) {
      const expected: unknown = JSON.parse(readFileSync(`${conformance}/${name.replace(".parquet", ".json")}`, "utf8"));
      const rows = await values(new Uint8Array(readFileSync(`${conformance}/${name}`)));
      const cells = rows.map((row) => Object.values(row as object));
      expect(same(cells, expected), `${name}: ${JSON.stringify(cells).slice(0, 300)}`).toBe(true);
    }
  });

  whereShared(customs, "smollm2-customs: every row has a prompt and a response", async () => {
    const names = readdirSync(customs).filter((name) => name.endsWith(".parquet"));
    let total = 0;
    for (const name of names) {
      const rows = await read(new Uint8Array(readFileSync(`${customs}/${name}`)));
      expect(rows.map(({ error }) => error)).toEqual(rows.map(() => undefined));
      for (const { value } of rows) {
        expect(value).toMatchObject({ prompt: expect.any(String), response: expect.any(String) });
      }
      total += rows.length;
    }
    expect(total).toBe(139);
  });

  whereShared(naughty, "naughty strings survive a round trip", async () => {
    const strings: string[] = JSON.parse(readFileSync(naughty, "utf8"));
    const file = parquetWriteBuffer({ columnData: [{ name: "text", data: strings, type: "STRING" }] });
    expect(await values(file)).toEqual(strings.map((text) => ({ text })));
  });
});
