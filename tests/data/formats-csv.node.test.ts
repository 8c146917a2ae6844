/** CSV, TSV and semicolons: csv-spectrum, real files, ragged rows, quotation marks, headers, chunk borders. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import Papa from "papaparse";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/data/errors";
import { format } from "../../src/data/formats/csv";
import { rowsOf, valuesOf } from "../support/rows";
import { scanRows } from "../support/scan-rows";

const shared = "../shared/data";
const spectrum = `${shared}/conformance/csv-spectrum`;
const naughty = `${shared}/conformance/naughty-strings/blns.json`;

const reader = await format.reader();
const encoder = new TextEncoder();
const read = (text: string, name = "rows.csv", chunkSizes?: readonly number[]) =>
  scanRows(reader, encoder.encode(text), name, chunkSizes);
const values = (text: string, name?: string) => read(text, name).map(({ value }) => value);
const match = (text: string, name: string) => format.match(encoder.encode(text), name);

describe("cells and records", () => {
  it("reads quoted delimiters, quotation marks and line breaks, whatever ends a line", () => {
    const expected = [
      { name: "Ann, B.", text: 'says "hi"\nand goes' },
      { name: "", text: "" },
    ];
    const text = 'name,text\n"Ann, B.","says ""hi""\nand goes"\n,""\n';
    expect(values(text)).toEqual(expected);
    expect(values(text.trimEnd())).toEqual(expected);
    expect(values(text.replaceAll("\n", "\r\n"))).toEqual([
      { name: "Ann, B.", text: 'says "hi"\r\nand goes' },
      { name: "", text: "" },
    ]);
    expect(values("name,text\ra,b\rc,d")).toEqual([
      { name: "a", text: "b" },
      { name: "c", text: "d" },
    ]);
  });

  it("keeps cells as strings and spaces as they are", () => {
    expect(values("id,text\n007, two  \n1e3,true\n")).toEqual([
      { id: "007", text: " two  " },
      { id: "1e3", text: "true" },
    ]);
    expect(values('id,text\n1,"a" \n2,5" disk\n')).toEqual([
      { id: "1", text: "a" },
      { id: "2", text: '5" disk' },
    ]);
  });

  it("skips blank lines and counts them", () => {
    const rows = read("prompt,completion\n\n   \r\na,b\n\nc,d\n\n");
    expect(rows.map(({ line }) => line)).toEqual([4, 6]);
  });

  it("counts line breaks inside cells", () => {
    expect(read('prompt,completion\n"a\r\nb\rc\nd",x\ny,z\n').map(({ line }) => line)).toEqual([2, 6]);
  });

  it("gives exact lines where a carriage return alone ends them, however the bytes are cut", async () => {
    const table = 'prompt,completion\ra,b\r"x\rmulti",c\rd,e\rf,g';
    expect((await rowsOf(table, {}, "rows.csv")).map(({ origin }) => origin.line)).toEqual([2, 3, 5, 6]);
    const record = fc.record({
      cell: fc.constantFrom("a", '"x\ry"', '"x\r\ny"', '"x\n\ry"', '"\r"'),
      end: fc.constantFrom("\r", "\n", "\r\n", "\r\r", "\r\n\r"),
    });
    const records = fc.array(record, { minLength: 2, maxLength: 200 });
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(records, sizes, async (parts, chunkSizes) => {
        const text = `prompt,completion\r${parts.map(({ cell, end }) => `${cell},b${end}`).join("")}`;
        let [at, line] = [18, 2];
        const lines = parts.map(({ cell, end }) => {
          const here = line;
          line += `${cell},b${end}`.match(/\r\n|\r|\n/g)?.length ?? 0;
          at += cell.length + 2 + end.length;
          return here;
        });
        expect(at).toBe(text.length);
        expect(read(text, "rows.csv", chunkSizes).map((row) => row.line)).toEqual(lines);
        expect((await rowsOf(text, {}, "rows.csv")).map(({ origin }) => origin.line)).toEqual(lines);
      }),
      { numRuns: 40 },
    );
    const [, bad] = await rowsOf(new Blob(["prompt,completion\ra,b\r", '"c\r\nd\r', Uint8Array.of(0xe9), '",e\r']), {
      format: "csv",
    });
    expect(bad).toMatchObject({ origin: { line: 3 }, error: { kind: "encoding", line: 5 } });
  });

  it("takes the first line repeated for no row", async () => {
    const rows = await rowsOf("\uFEFF prompt ,completion\na,b\n prompt,completion\nc,completion\n", {}, "rows.csv");
    expect(valuesOf(rows)).toEqual([
      { prompt: "a", completion: "b" },
      "rows.csv line 3: the row repeats the table's first line; leave it out.",
      { prompt: "c", completion: "completion" },
    ]);
    expect(rows[1]).toMatchObject({ error: { kind: "syntax" } });
  });

  it("makes own properties of any column name", () => {
    const [row] = values("__proto__,constructor,text\na,b,c\n");
    expect(JSON.stringify(row)).toBe('{"__proto__":"a","constructor":"b","text":"c"}');
  });
});

describe("delimiters", () => {
  it.each([
    ["comma", "prompt,completion\na;b,c\nd,e\n"],
    ["semicolon", "prompt;completion\na,b,c;c\nd;e\n"],
    ["tab", "prompt\tcompletion\na,b\tc\nd\te\n"],
    ["bar", "prompt|completion\na,b|c\nd|e\n"],
  ])("finds the %s", (_name, text) => {
    const rows = read(text);
    expect(rows.map(({ error }) => error)).toEqual([null, null]);
    expect(Object.keys(rows[0]?.value ?? {})).toEqual(["prompt", "completion"]);
    expect(rows[1]?.value).toEqual({ prompt: "d", completion: "e" });
  });

  it("believes a spreadsheet's sep= line", () => {
    const rows = read("sep=;\r\nprompt;completion\r\na,b;c\r\n");
    expect(rows).toEqual([{ line: 3, value: { prompt: "a,b", completion: "c" }, error: null }]);
  });

  it("reads a table of one column", () => {
    expect(values('text\nhello\n"a, b"\n')).toEqual([{ text: "hello" }, { text: "a, b" }]);
  });

  it("finds the delimiter behind a first cell longer than the bytes it looks at", () => {
    const long = "one; two\n".repeat(20_000);
    expect(values(`a,"${long}"\nb,c\n`)).toEqual([
      { "column 1": "a", "column 2": long },
      { "column 1": "b", "column 2": "c" },
    ]);
  });

  it("takes quotation marks literally in a tab-separated file where they do not match", () => {
    const text = `label\ttext\nham\t"Gimme a few" was a minute ago\nspam\t"never closed\nham\tplain\n`;
    expect(values(text, "sms.tsv")).toEqual([
      { label: "ham", text: '"Gimme a few" was a minute ago' },
      { label: "spam", text: '"never closed' },
      { label: "ham", text: "plain" },
    ]);
    expect(values(`label\ttext\nham\t"a\tb ""c"""\nspam\td\n`, "sms.tsv")[0]).toEqual({
      label: "ham",
      text: 'a\tb "c"',
    });
  });
});

describe("the header", () => {
  it("loses byte order mark, spaces and carriage return", () => {
    expect(values("\uFEFF prompt , completion\r\na,b\r\n")).toEqual([{ prompt: "a", completion: "b" }]);
    expect(values('\uFEFF"prompt",completion\na,b\n')).toEqual([{ prompt: "a", completion: "b" }]);
  });

  it("names columns that have no name", () => {
    expect(values("prompt,,completion\na,b,c\n")).toEqual([{ prompt: "a", "column 2": "b", completion: "c" }]);
  });

  it("refuses a name given twice", () => {
    expect(() => read("text,label,text\na,b,c\n")).toThrow(
      'rows.csv line 1: columns 1 and 3 are both named "text"; give every column a name of its own in the first line.',
    );
  });

  it("refuses more than 1,000 columns", () => {
    const header = Array.from({ length: 1001 }, (_, index) => `c${index}`).join(",");
    expect(() => read(`${header}\n`)).toThrow("the first record has 1001 cells");
    expect(() => read(`a,b\n${",".repeat(1000)}\n`)).toThrow("rows.csv line 2: the record has 1001 cells");
  });

  it.each([
    ["a long cell", `ham,${"word ".repeat(13)}\nspam,short\n`],
    ["a number", "great,27\nbad,3\n"],
    ["a value that comes again", "ham,hello\nspam,win\nham,bye\n"],
  ])("is not there when the first record has %s", (_what, text) => {
    const rows = values(text);
    expect(rows).toHaveLength(text.trimEnd().split("\n").length);
    expect(Object.keys(rows[0] ?? {})).toEqual(["column 1", "column 2"]);
  });

  it.each([
    ["a usual name beside a number", "text,2024\na,1\n"],
    ["a usual name that is a value too", "text,kind\nabc,text\nx,kind\n"],
    ["names only", "frage,antwort\nwarum,darum\n"],
    ["names that come again as a whole", "frage,antwort\nwarum,darum\nfrage,antwort\n"],
  ])("is there when the first record has %s", (_what, text) => {
    expect(values(text)).toHaveLength(text.trimEnd().split("\n").length - 1);
  });
});

describe("rows that are wrong", () => {
  it("name how many cells they have and should have", () => {
    const rows = read("prompt,completion\na\nb,c,d\ne,f\n");
    expect(rows.map(({ error }) => error)).toEqual([
      "rows.csv line 2: the row has 1 cell where 2 are expected (prompt, completion); write the missing 1 cell, empty ones too.",
      'rows.csv line 3: the row has 3 cells where 2 are expected (prompt, completion); put quotation marks around a cell that contains a ",".',
      null,
    ]);
  });

  it("name the line where a quotation mark opens that is never closed", () => {
    const rows = read('prompt,completion\na,b\n"c\nd","never closed\ne,f\ng,h\n');
    expect(rows.map(({ error }) => error)).toEqual([
      null,
      "rows.csv line 3: the quotation mark opened in line 4 is not closed before the end of its cell and takes in the next 3 lines; " +
        'close it before the delimiter, or write "" for a mark inside a quoted cell.',
    ]);
  });

  it("stay rows of their own when text follows a closing mark", () => {
    const rows = read('prompt,completion\n"a" b,c\nd,e\n');
    expect(rows.map(({ error }) => error === null)).toEqual([false, true]);
    expect(rows[0]?.error).toContain("line 2: the quotation mark opened in line 2 is not closed");
    expect(rows[1]?.value).toEqual({ prompt: "d", completion: "e" });
  });

  it("are kinds of syntax", () => {
    const context = { columns: ["a", "b"], delimiter: ",", quotes: true };
    try {
      reader.parse("x", context, { file: "f", line: 7 });
      expect.unreachable();
    } catch (cause) {
      expect(cause).toBeInstanceOf(DataError);
      expect(cause).toMatchObject({ kind: "syntax", line: 7 });
    }
  });

  it("stop the file when they pass 32 MB, naming the open quotation mark", () => {
    const scanner = reader.scanner("big.csv");
    const sink = () => undefined;
    scanner.feed(encoder.encode(`prompt,completion\n${"a,b\n".repeat(20_000)}c,"d\n`), sink);
    const chunk = new Uint8Array(8 << 20).fill(0x61);
    expect(() => {
      for (let i = 0; i < 6; i++) scanner.feed(chunk, sink);
    }).toThrow("big.csv line 20002: the quotation mark opened here is not closed within 32 MB");
  });
});

describe("any split", () => {
  const cell = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(",", '"', "\n", "\r", ";", "\t", " ", "a", "é", "😀"), maxLength: 8 }),
  );
  const table = fc
    .integer({ min: 2, max: 4 })
    .chain((columns) =>
      fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 8 }),
    );
  const name = (index: number) => ["prompt", "completion", "text", "label"][index] ?? "";

  it("of what papaparse writes gives the rows it was given", () => {
    fc.assert(
      fc.property(
        table,
        fc.constantFrom(",", ";", "\t", "|"),
        fc.constantFrom("\n", "\r\n"),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
        (rows, delimiter, newline, chunkSizes) => {
          const columns = (rows[0] ?? []).map((_, index) => name(index));
          const text = Papa.unparse([columns, ...rows], { delimiter, newline, quotes: true });
          const bytes = encoder.encode(text);
          const expected = rows.map((row) => Object.fromEntries(row.map((value, index) => [name(index), value])));
          const got = scanRows(reader, bytes, "rows.csv", chunkSizes);
          expect(got.map(({ error }) => error)).toEqual(rows.map(() => null));
          expect(got.map(({ value }) => value)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("of any text gives the same rows and errors", () => {
    const text = fc.string({
      unit: fc.constantFrom(",", '"', "\n", "\r", "\t", " ", "a", "b", "7", "é"),
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        text,
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
        (rest, chunkSizes) => {
          const bytes = encoder.encode(`prompt,completion\n${rest}`);
          expect(scanRows(reader, bytes, "rows.csv", chunkSizes)).toEqual(scanRows(reader, bytes, "rows.csv"));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("of a file longer than the bytes that decide gives the same rows", () => {
    const bytes = encoder.encode(`prompt,completion\n${'"a, ""b""\n",c\r\n'.repeat(9000)}`);
    const whole = scanRows(reader, bytes, "rows.csv", [bytes.length]);
    expect(whole).toHaveLength(9000);
    expect(scanRows(reader, bytes, "rows.csv", [1, 65_535, 7])).toEqual(whole);
  });
});

describe("recognition", () => {
  const table = "prompt,completion\nHi,Hello\nBye,See you\n";
  it.each([
    ["by name", table, "rows.csv"],
    ["by name though the rows differ", "prompt,completion\na\n", "rows.csv"],
    ["tabs without a name", table.replaceAll(",", "\t"), "data"],
    ["commas without a name", table, "clipboard"],
    ["semicolons without a name", table.replaceAll(",", ";"), "clipboard"],
  ])("knows a table: %s", (_how, text, file) => {
    expect(match(text, file)).toBeGreaterThanOrEqual(0.5);
  });

  it.each([
    ["prose", "Well, I went home, and slept.\nThen, at dawn, I rose.\nBirds, as ever, sang.\n"],
    ["prose with one comma a line", "Roses are red,\nViolets are blue,\nSugar is sweet,\nAnd so are you,\n"],
    ["Markdown", "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"],
    ["JSON Lines", '{"prompt":"a","completion":"b"}\n{"prompt":"c","completion":"d"}\n'],
    ["a JSON array", '[{"prompt":"a","completion":"b"},\n{"prompt":"c","completion":"d"},\n{"a":1,"b":2}]\n'],
    ["YAML", "conversations:\n- - Hello\n  - Hi\n"],
    ["code", "function f(a, b) {\n\tif (a) {\n\t\treturn b;\n\t}\n}\n"],
    ["bytes", "PAR1\0\0,\0\n,\n,\n"],
    ["nothing", ""],
  ])("leaves alone: %s", (_what, text) => {
    expect(match(text, "data")).toBe(0);
  });

  it("gives way to JSON in a file named .csv", () => {
    expect(match('{"a":1}\n{"a":2}\n', "rows.csv")).toBeLessThan(0.4);
  });
});

function whereShared(path: string, name: string, test: () => void): void {
  if (existsSync(path)) {
    it(name, { timeout: 60_000 }, test);
  } else {
    console.warn(`SKIPPED: ${path} is not present, so "${name}" was not tested`);
    it.skip(`${name} (skipped: ${path} is not present)`, test);
  }
}

describe("shared files", () => {
  whereShared(spectrum, "csv-spectrum: every file gives its expected rows", () => {
    const names = readdirSync(`${spectrum}/csvs`);
    expect(names.length).toBeGreaterThanOrEqual(11);
    for (const name of names) {
      let text = readFileSync(`${spectrum}/csvs/${name}`, "utf8");
      // A checkout may have turned the line breaks of these into LF.
      if (name.includes("_crlf") && !text.includes("\r")) text = text.replaceAll("\n", "\r\n");
      const expected: unknown = JSON.parse(readFileSync(`${spectrum}/json/${name.replace(".csv", ".json")}`, "utf8"));
      for (const size of [1, 3, 65_536]) {
        const rows = scanRows(reader, encoder.encode(text), name, [size]);
        expect(
          rows.map(({ value, error }) => error ?? value),
          name,
        ).toEqual(expected);
      }
    }
  });

  whereShared(`${shared}/datasets/sms-spam/sms.tsv`, "sms-spam: every line is a row, verbatim", () => {
    const bytes = new Uint8Array(readFileSync(`${shared}/datasets/sms-spam/sms.tsv`));
    const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
    const rows = scanRows(reader, bytes, "sms.tsv");
    expect(format.match(bytes.subarray(0, 65_536), "sms.tsv")).toBe(0.9);
    expect(rows).toHaveLength(5574);
    expect(rows.map(({ value }) => Object.values(value ?? {}).join("\t"))).toEqual(lines);
  });

  for (const [split, count] of [
    ["train", 43_410],
    ["dev", 5426],
    ["test", 5427],
  ] as const) {
    const path = `${shared}/datasets/goemotions/original/${split}.tsv`;
    whereShared(path, `GoEmotions ${split}: ${count} rows of three cells, quotation marks undone`, () => {
      const rows = scanRows(reader, readFileSync(path), `${split}.tsv`);
      expect(rows.filter(({ error }) => error !== null)).toEqual([]);
      expect(rows).toHaveLength(count);
      expect(rows.every(({ line }, index) => line === index + 1)).toBe(true);
      const [row] = rows;
      expect(Object.keys(row?.value ?? {})).toEqual(["column 1", "column 2", "column 3"]);
      if (split === "train") {
        const row125 = rows[124]?.value as Record<string, string>;
        expect(row125["column 1"]).toContain('the OG "Fuck this character');
      }
    });
  }

  whereShared(naughty, "naughty strings survive a round trip", () => {
    const strings: string[] = JSON.parse(readFileSync(naughty, "utf8"));
    const rows = strings.map((text, index) => ({ id: String(index), text }));
    const bytes = encoder.encode(Papa.unparse(rows));
    expect(scanRows(reader, bytes, "blns.csv", [11]).map(({ value, error }) => error ?? value)).toEqual(rows);
  });
});
