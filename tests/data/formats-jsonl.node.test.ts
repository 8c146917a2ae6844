/** JSON Lines: what is a row, where it is, what is let pass and what is an error. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowsOf, scan, slicedFormat, valuesOf } from "../support/rows";

const format = slicedFormat("jsonl");
const jsonl = await format.reader();
const good = '{"prompt": "a", "completion": "b"}';

describe("the JSON Lines scanner", () => {
  it("leaves out blank lines and counts them", () => {
    const text = `\n${good}\r\n\r\n   \n\t\n  {"text": "é"}\r\n{"text": "last"}`;
    const rows = scan(jsonl, new TextEncoder().encode(text));
    expect(rows.map(({ line }) => line)).toEqual([2, 6, 7]);
    expect(rows[1]?.text).toBe('  {"text": "é"}\r');
  });

  it("gives the same rows however the bytes are cut", () => {
    const piece = fc.constantFrom(good, "\n", "\r\n", " ", "\t", '{"text": "Größe 你好 🙂"}', "\u2028", ",", "[", "x");
    const cases = fc.record({
      text: fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      cuts: fc.array(fc.nat({ max: 1_000 }), { maxLength: 20 }),
    });
    fc.assert(
      fc.property(cases, ({ text, cuts }) => {
        const bytes = new TextEncoder().encode(text);
        const whole = scan(jsonl, bytes);
        expect(whole.map((row) => row.text.trim())).toEqual(
          text
            .split("\n")
            .map((line) => line.replace(/^[ \t\r]+|[ \t\r]+$/g, ""))
            .filter((line) => line !== "")
            .map((line) => line.trim()),
        );
        expect(
          scan(
            jsonl,
            bytes,
            cuts.map((cut) => cut % (bytes.length + 1)),
          ),
        ).toEqual(whole);
      }),
    );
  });
});

describe("JSON Lines rows", () => {
  it("may end in a comma, and keep a byte order mark of a file that was put behind another", async () => {
    const rows = await rowsOf(`\uFEFF${good},\r\n\uFEFF${good} , \n[1]\n"x"\n`);
    const value = JSON.parse(good);
    expect(valuesOf(rows)).toEqual([value, value, [1], "x"]);
    expect(rows.map(({ origin }) => origin)).toEqual([1, 2, 3, 4].map((line) => ({ file: "rows.jsonl", line })));
  });

  it("are errors one by one, with line, column and the reason", async () => {
    const rows = await rowsOf(`${good}\n{"a": 1,}\n\n{"ä": 'x'}\n{"a": "b\n{"a": NaN}\n${good}\n${"[".repeat(600)}`);
    expect(valuesOf(rows).slice(1, 5)).toEqual(
      [
        ['line 2: not valid JSON at column 9: unexpected } (the line begins {"a": 1,})', 9],
        ["line 4: not valid JSON at column 7: unexpected ' (the line begins {\"ä\": 'x'})", 7],
        ['line 5: not valid JSON at column 7: a string has no closing quote (the line begins {"a": "b)', 7],
        ['line 6: not valid JSON at column 7: unexpected NaN (the line begins {"a": NaN})', 7],
      ].map(
        ([sentence]) =>
          `rows.jsonl ${sentence}; every line must hold one whole JSON object, such as {"prompt": "…", "completion": "…"}.`,
      ),
    );
    expect(rows[1]).toMatchObject({ text: '{"a": 1,}', error: { kind: "syntax", line: 2, column: 9 } });
    expect(rows[6]).toMatchObject({ error: { problem: expect.stringContaining("nested more than 512 levels deep") } });
    expect(valuesOf(rows.slice(5, 6))).toEqual([JSON.parse(good)]);
  });
});

describe("JSON Lines are recognised", () => {
  const score = (text: string, name: string) => format.match(new TextEncoder().encode(text), name);
  it("by their lines, not by their name alone", () => {
    expect(score(`${good}\n${good}\n`, "data")).toBeGreaterThan(0.6);
    expect(score(`${good}\nbroken\n${good}\n`, "x.jsonl")).toBeGreaterThan(0.6);
    expect(score('["a"]\n["b"]\n', "x.jsonl")).toBeGreaterThan(0.6);
    expect(score(`[${good}]`, "x.jsonl")).toBeLessThan(0.2);
    expect(score("hello there\n", "x.jsonl")).toBeCloseTo(0.3);
    expect(score("hello there\n", "x.txt")).toBe(0);
    expect(score("1\n2\n", "x.txt")).toBe(0);
    expect(score(`{"text": "${"x".repeat(70_000)}"}`, "x.jsonl")).toBeGreaterThan(0.5);
    expect(score(`${good}\0`, "x.jsonl")).toBe(0);
  });
});
