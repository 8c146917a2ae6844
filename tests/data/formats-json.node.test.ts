/** JSON files: which parts are rows, wherever the bytes are cut, and what a broken file is told. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/data/errors";
import { rowsOf, scan, slicedFormat, valuesOf } from "../support/rows";

const format = slicedFormat("json");
const json = await format.reader();
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textsOf = (text: string) => scan(json, bytesOf(text)).map((row) => row.text);

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
  return "accepted";
}

const space = fc.constantFrom("", " ", "\n", "\r\n", "\t\n ");
/** A value as people write it: on one line or over several. */
const written = fc
  .record({ value: fc.jsonValue({ maxDepth: 3, stringUnit: "binary" }), indent: fc.constantFrom(0, 2) })
  .map(({ value, indent }) => JSON.stringify(value, null, indent));
const object = fc
  .record({
    value: fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 1 })),
    indent: fc.constantFrom(0, 2),
  })
  .map(({ value, indent }) => JSON.stringify({ text: "a", ...value }, null, indent));
const cuts = fc.array(fc.nat({ max: 5_000 }), { maxLength: 20 });

describe("the JSON scanner", () => {
  it("finds the elements of a list and their lines, however the bytes are cut", () => {
    const cases = fc.record({ rows: fc.array(written, { maxLength: 8 }), gap: space, end: space, cuts });
    fc.assert(
      fc.property(cases, ({ rows, gap, end, cuts }) => {
        const text = `${gap}[${gap}${rows.join(`${gap},${end}`)}${end}]${end}`;
        const bytes = bytesOf(text);
        const found = scan(json, bytes);
        expect(found.map((row) => row.text)).toEqual(rows);
        let from = 0;
        for (const { text: row, line } of found) {
          from = text.indexOf(row, from === 0 ? text.indexOf("[") + 1 : from);
          expect(line).toBe(text.slice(0, from).split("\n").length);
          from += row.length;
        }
        expect(
          scan(
            json,
            bytes,
            cuts.map((cut) => cut % (bytes.length + 1)),
          ),
        ).toEqual(found);
      }),
    );
  });

  it("takes one object after another as rows, with or without commas", () => {
    const cases = fc.record({
      rows: fc.array(object, { minLength: 1, maxLength: 6 }),
      gap: space,
      comma: fc.boolean(),
      cuts,
    });
    fc.assert(
      fc.property(cases, ({ rows, gap, comma, cuts }) => {
        const bytes = bytesOf(gap + rows.map((row) => row + (comma ? "," : "")).join(gap) + gap);
        const found = scan(json, bytes);
        expect(found.map((row) => row.text)).toEqual(rows);
        expect(
          scan(
            json,
            bytes,
            cuts.map((cut) => cut % (bytes.length + 1)),
          ),
        ).toEqual(found);
      }),
    );
  });

  it("takes the list of objects inside one object, of any length, as rows", () => {
    const rows = Array.from({ length: 2_500 }, (_, row) => JSON.stringify({ row, nested: [{ a: [] }] }));
    for (const count of [1, 3, 999, 1_000, 1_001, 2_500]) {
      const list = `{"version": "1.1", "tags": ["x", []], "meta": {"data": [{}]},\n "data": [\n${rows.slice(0, count).join(",\n")},\n], "n": 3}\n`;
      const bytes = bytesOf(list);
      const found = scan(json, bytes);
      expect(found.map((row) => row.text)).toEqual(rows.slice(0, count));
      expect(found.at(-1)?.line).toBe(count + 2);
      expect(scan(json, bytes, [1, 7, 30, 31, 90, bytes.length - 9])).toEqual(found);
    }
  });

  it("takes an object for a row where its columns are a row's, or where more objects follow", () => {
    const chat = '{"id": 1, "messages": [{"role": "user", "content": "a"}]}';
    expect(textsOf(chat)).toEqual([chat]);
    const late = '{"spans": [{"a": 1}], "text": "b"}';
    expect(textsOf(late)).toEqual([late]);
    const first = '{"spans": [{"a": 1}, {"a": 2}]}';
    expect(textsOf(`${first}\n${first},`)).toEqual([first, first]);
    expect(textsOf(first)).toEqual(['{"a": 1}', '{"a": 2}']);
    expect(textsOf('{"identity": {"file": "x"}}')).toEqual(['{"identity": {"file": "x"}}']);
    expect(textsOf('[{"a": 1}]\n[{"a": 2}]')).toEqual(['{"a": 1}', '{"a": 2}']);
  });

  it("takes the list under a usual name for the rows beside a text about the file", () => {
    const rows = Array.from({ length: 1_200 }, (_, row) => `{"prompt": "${row}", "completion": "b"}`);
    for (const name of ["data", "rows", "examples", "train"]) {
      const list = `"${name}": [\n${rows.join(",\n")}\n]`;
      for (const text of [`{"text": "About this set", ${list}}`, `{${list}, "Prompt" : "x"}`]) {
        const found = scan(json, bytesOf(text));
        expect(found.map((row) => row.text)).toEqual(rows);
        expect(scan(json, bytesOf(text), [3, 9, 17, 30, 31])).toEqual(found);
      }
    }
    const short = '{"data": [{"prompt": "a", "completion": "b"}], "text": "About"}';
    expect(textsOf(short)).toEqual(['{"prompt": "a", "completion": "b"}']);
    // A row of its own: another list, another object after it, or no text under the key.
    const spans = `{"text": "a", "entities": [${rows.join()}]}`;
    const chat = '{"messages": [{"role": "user"}], "data": [{"a": 1}]}';
    for (const text of [spans, chat, '{"text": null, "data": [{"a": 1}]}']) expect(textsOf(text)).toEqual([text]);
    expect(textsOf(`${short}\n${short}`)).toEqual([short, short]);
    expect(refusal(() => textsOf('{"text": "a", "test": [{"a": 1}], "data": [{"a": 2}]}'))).toMatch(
      /several lists of rows \("test", "data"\)/,
    );
  });

  it("names line and column of what is wrong with the file as a whole", () => {
    const faults: readonly (readonly [text: string, sentence: string])[] = [
      [
        '[{"a": 1},\n {"ä": 2}',
        "line 2: not valid JSON at column 10: the file ends before its JSON does (a bracket is still open)",
      ],
      [
        '[{"a": 1},\n {"ä": "2',
        "line 2: not valid JSON at column 10: the file ends before its JSON does (a string and 2 brackets are still open)",
      ],
      ['[{"ö": 1}]\n "é" x', 'line 2: not valid JSON at column 2: unexpected """'],
      ['[{"ö": 1}] x', 'line 1: not valid JSON at column 12: unexpected "x"'],
      ['{"a": [1}', 'line 1: not valid JSON at column 9: unexpected "}"'],
      ["[1,\n\n,2]", 'line 3: not valid JSON at column 1: unexpected ","'],
      ["[,]", 'line 1: not valid JSON at column 2: unexpected ","'],
      ["]", 'line 1: not valid JSON at column 1: unexpected "]"'],
      ['[]\n{"a": 1}', 'line 2: not valid JSON at column 1: unexpected "{"'],
      [`[\n${"[".repeat(600)}`, "line 2: not valid JSON at column 512: the JSON is nested more than 512 levels deep"],
    ];
    for (const [text, sentence] of faults) {
      expect(refusal(() => textsOf(text))).toBe(
        `rows ${sentence}; give the whole file, as a list of objects such as [{…}, {…}].`,
      );
    }
    const several =
      'rows: the object holds several lists of rows ("train", "test"); save the list to train on as a file of its own.';
    expect(refusal(() => textsOf('{"train": [{"a": 1}], "test": [{"a": 2}]}'))).toBe(several);
    const many = Array.from({ length: 3_000 }, () => '{"a": 1}').join();
    expect(refusal(() => textsOf(`{"train": [${many}], "test": [{"a": 2}]}`))).toBe(several);
  });

  it("reads a hostile file to its end or refuses it, whatever the bytes are", () => {
    const token = fc.constantFrom(...'{}[]:,"\\\n é1a'.split(""), '"messages"', "true", '{"a":1}');
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), cuts, (tokens, cuts) => {
        const bytes = bytesOf(tokens.join(""));
        const outcome = (at: readonly number[]) => {
          try {
            return scan(json, bytes, at);
          } catch (error) {
            if (error instanceof DataError) return [error.message];
            throw error;
          }
        };
        const whole = outcome([]);
        expect(outcome(cuts.map((cut) => cut % (bytes.length + 1)))).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });
});

describe("JSON rows", () => {
  it("that are broken are errors of their own, with their place in the file", async () => {
    const rows = await rowsOf('[\n  {"a": 1},\n  {\n    "ä": tru\n  },\n  3 4,\n  {"a": 2},\n]', {}, "rows.json");
    expect(valuesOf(rows)).toEqual([
      { a: 1 },
      'rows.json line 4: not valid JSON at column 10: unexpected tru (the line begins "ä": tru); correct the row or leave it out.',
      "rows.json line 6: not valid JSON at column 3: unexpected 4 (the line begins 3 4); correct the row or leave it out.",
      { a: 2 },
    ]);
    expect(rows.map(({ origin }) => origin.line)).toEqual([2, 3, 6, 7]);
  });
});

describe("JSON is recognised", () => {
  const score = (text: string, name: string) => format.match(bytesOf(text), name);
  it("by its content, and left to JSON Lines where every line is a row", () => {
    expect(score('[\n{"a": 1}\n]', "rows.jsonl")).toBeGreaterThan(0.5);
    expect(score('{\n "a": 1\n}', "rows.json")).toBeGreaterThan(0.8);
    expect(score('{"a": 1}\n{"a": 2}\n', "rows.json")).toBeLessThan(0.5);
    expect(score('{"data": [{"a": 1}]}', "rows.json")).toBeGreaterThan(0.9);
    expect(score("[link](x) and more", "notes.md")).toBe(0);
    expect(score("[1] A footnote.\nMore", "notes.txt")).toBeLessThan(0.5);
    expect(score("{hello} there", "notes.txt")).toBe(0);
    expect(score(`[{"text": "${"x".repeat(70_000)}`, "rows.json")).toBeGreaterThan(0.9);
  });
});

const suite = new URL("../../../shared/data/conformance/JSONTestSuite/test_parsing/", import.meta.url);
const naughty = new URL("../../../shared/data/conformance/naughty-strings/blns.json", import.meta.url);
for (const place of [suite, naughty]) {
  if (!existsSync(place)) console.warn(`NOT RUN: ${place.pathname} is absent, so its JSON is not tested here.`);
}

/** Let pass on purpose: a comma before a list's end or behind it. */
const lenient = ["n_array_comma_after_close.json", "n_array_extra_comma.json", "n_array_number_and_comma.json"];
/** An object around a list of objects. */
const aroundList = "y_object_long_strings.json";

describe.skipIf(!existsSync(suite))("JSONTestSuite (skipped where ../shared is absent)", () => {
  const files = existsSync(suite) ? readdirSync(suite) : [];
  it("is there", () => expect(files.length).toBeGreaterThan(300));

  it("accepts what must be accepted, value for value", async () => {
    for (const file of files.filter((name) => name.startsWith("y_"))) {
      const bytes = readFileSync(new URL(encodeURIComponent(file), suite));
      const value: unknown = JSON.parse(bytes.toString("utf8"));
      const expected = Array.isArray(value) ? value : file === aroundList ? [{ id: "x".repeat(40) }] : [value];
      const rows = await rowsOf(new Blob([bytes]), { format: "json" }, file).catch((error: unknown) => {
        if (error instanceof DataError && error.problem === "the file has no rows") return [];
        throw error;
      });
      expect(valuesOf(rows), file).toEqual(expected);
    }
  });

  it("gives an error for what must be refused", async () => {
    const accepted: string[] = [];
    for (const file of files.filter((name) => name.startsWith("n_"))) {
      const blob = new Blob([readFileSync(new URL(encodeURIComponent(file), suite))]);
      try {
        const rows = await rowsOf(blob, { format: "json" }, file);
        if (rows.every((row) => "value" in row)) accepted.push(file);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
      }
    }
    expect(accepted).toEqual(lenient);
  });

  it("survives what may go either way, also as JSON Lines", async () => {
    for (const file of files) {
      const blob = new Blob([readFileSync(new URL(encodeURIComponent(file), suite))]);
      for (const format of file.startsWith("i_") ? ["json", "jsonl", "text"] : ["jsonl", "text"]) {
        await rowsOf(blob, { format }, file).catch((error: unknown) => {
          if (!(error instanceof DataError)) throw error;
        });
      }
    }
  });
});

describe("naughty strings", () => {
  const own = ["", "\u0000\u2028\u2029\uFEFF", "𝒳 e\u0301 👩‍👩‍👧", '\\"', "<|endoftext|>", "؜ ‮abc", "\r\n"];
  const all: readonly string[] = existsSync(naughty) ? JSON.parse(readFileSync(naughty, "utf8")) : own;
  it(`survive a round trip (${all === own ? "own ones: ../shared is absent" : "the whole list"})`, async () => {
    const values = [...own, ...all].map((text) => ({ text }));
    expect(valuesOf(await rowsOf(values.map((value) => JSON.stringify(value)).join("\n")))).toEqual(values);
    expect(valuesOf(await rowsOf(JSON.stringify(values, null, 1), {}, "rows.json"))).toEqual(values);
    expect(valuesOf(await rowsOf(JSON.stringify({ data: values }), {}, "rows.json"))).toEqual(values);
  });
});
