/** The sample datasets: every row well-formed, held-out rows really held out, and the README's numbers true. And how answers to them are scored. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  type Pair,
  parseObject,
  readPairs,
  SampleError,
  samples,
  scoreAnswers,
} from "../../scripts/model/sample-rows.mjs";

/** Largest allowed share of common words between a held-out row and a training row. */
const nearDuplicate = 0.6;
const labels = ["happy", "sad", "angry", "afraid"];

const read = (file: string): string => readFileSync(new URL(`../../public/datasets/${file}`, import.meta.url), "utf8");
const readme = read("README.md");

/** Rows that the README names for a file. */
function statedRows(file: string): number {
  return Number(new RegExp(`\`${file.replaceAll(".", "\\.")}\`\\s*\\|\\s*(\\d+)`).exec(readme)?.[1]);
}

const words = (text: string): Set<string> => new Set(text.toLowerCase().match(/[a-z0-9']+/g));

/** Common words over all words of two texts, 0 to 1. */
function similarity(a: Set<string>, b: Set<string>): number {
  const common = [...a].filter((word) => b.has(word)).length;
  return common / (a.size + b.size - common);
}

describe.each(samples)("$name", ({ train, heldOut, kind }) => {
  const parts = { train: readPairs(read(train), train), heldOut: readPairs(read(heldOut), heldOut) };
  const all = [...parts.train, ...parts.heldOut];

  it("has as many rows as the README says, within bounds", () => {
    expect(parts.train).toHaveLength(statedRows(train));
    expect(parts.heldOut).toHaveLength(statedRows(heldOut));
    expect(parts.train.length).toBeGreaterThanOrEqual(150);
    expect(parts.train.length).toBeLessThanOrEqual(250);
    expect(parts.heldOut.length).toBeGreaterThanOrEqual(30);
    expect(parts.heldOut.length).toBeLessThanOrEqual(60);
  });

  it("has short plain rows without stray spaces", () => {
    for (const { prompt, answer } of all) {
      for (const text of [prompt, answer]) {
        expect(text).toMatch(/^[\x20-\x7e]{1,100}$/);
        expect(text).toBe(text.trim().replace(/ {2,}/g, " "));
      }
    }
  });

  it("says nothing twice", () => {
    expect(new Set(all.map(({ prompt }) => prompt.toLowerCase())).size).toBe(all.length);
  });

  // What is new in a held-out order is its combination of three words; the JSON test below compares those.
  if (kind !== "json") {
    it("holds out rows that resemble no training row", () => {
      const text = ({ prompt, answer }: Pair): Set<string> => words(kind === "labels" ? prompt : `${prompt} ${answer}`);
      const seen = parts.train.map((row) => ({ row, words: text(row) }));
      for (const row of parts.heldOut) {
        const mine = text(row);
        const near = seen
          .filter((other) => similarity(mine, other.words) > nearDuplicate)
          .map((other) => other.row.prompt);
        expect(near, row.prompt).toEqual([]);
      }
    });
  }

  if (kind === "persona") {
    it("keeps the manner in every answer, and out of every prompt", () => {
      for (const { prompt, answer } of all) {
        expect(answer).toMatch(/\b(arr|aye|ahoy|matey|yo ho)\b/i);
        expect(prompt).not.toMatch(/\b(arr|aye|ahoy|matey|yo ho)\b/i);
      }
    });
  }

  if (kind === "labels") {
    it.each(["train", "heldOut"] as const)("has each label on a quarter of the rows, shuffled: %s", (part) => {
      const given = parts[part].map(({ answer }) => answer);
      for (const label of labels) expect(given.filter((other) => other === label)).toHaveLength(given.length / 4);
      const changes = given.filter((label, idx) => label !== given[idx - 1]).length;
      expect(changes).toBeGreaterThan(given.length / 2);
    });

    it("never gives the label away", () => {
      for (const { prompt } of all) expect(labels.filter((label) => words(prompt).has(label))).toEqual([]);
    });
  }

  if (kind === "json") {
    const order = ({ answer }: Pair) => ({ ...parseObject(answer) });

    it("answers with the same keys and closed vocabularies", () => {
      for (const row of all) {
        expect(Object.keys(order(row)), row.answer).toEqual(["item", "count", "color"]);
        expect(row.answer).toBe(
          `{"item": "${order(row)["item"]}", "count": ${order(row)["count"]}, "color": "${order(row)["color"]}"}`,
        );
      }
      for (const key of ["item", "count", "color"]) {
        const values = (rows: readonly Pair[]) => [...new Set(rows.map((row) => order(row)[key]))].sort();
        expect(values(parts.heldOut)).toEqual(values(parts.train));
        expect(values(all).length).toBe({ item: 6, count: 4, color: 5 }[key]);
      }
    });

    it("answers what was ordered", () => {
      const numbers = ["", "1|a|one", "2|two", "3|three", "4|four"];
      for (const row of all) {
        const { item, count, color } = order(row);
        const ordered = `\\b(${numbers[Number(count)]}) ${color} ${item}${count === 1 ? "" : "s"}\\b`;
        expect(row.prompt).toMatch(new RegExp(ordered, "i"));
      }
    });

    it("holds out orders that training never sees", () => {
      const seen = new Set(parts.train.map(({ answer }) => answer));
      expect(parts.heldOut.filter(({ answer }) => seen.has(answer))).toEqual([]);
    });
  }
});

describe("readPairs", () => {
  it("reads quoted cells", () => {
    expect(readPairs('text,label\n"a, ""b""",c\nd,e\n', "x.csv")).toEqual([
      { prompt: 'a, "b"', answer: "c" },
      { prompt: "d", answer: "e" },
    ]);
  });

  it.each([
    ["x.csv", "text,label\na,b,c\n", "x.csv line 2: the row has not two cells"],
    ["x.csv", "text,label\na\n", "x.csv line 2: the row has not two cells"],
    ["x.csv", 'text,label\na "b",c\n', "x.csv line 2: a quotation mark is out of place"],
    ["x.csv", "text,class\na,b\n", "x.csv line 1: the columns are text,class"],
    ["x.jsonl", '{"messages": []}\n', "x.jsonl line 1: the messages are no question and answer"],
    ["x.jsonl", "{}\n\n", "x.jsonl line 1: the messages"],
    ["x.jsonl", "{", "x.jsonl line 1: the line is not valid JSON"],
  ])("refuses a bad row of %s: %j", (file, text, sentence) => {
    expect(() => readPairs(text, file)).toThrow(SampleError);
    expect(() => readPairs(text, file)).toThrow(sentence);
  });
});

describe("scoreAnswers", () => {
  it("counts labels that are equal but for spaces around them", () => {
    const answers = ["sad", " sad\n", "sad.", "Sad"].map((given) => ({ expected: "sad", given }));
    expect(scoreAnswers("labels", answers)).toEqual({ valid: null, right: 0.5 });
  });

  it("tells valid objects from right ones", () => {
    const given = ['{"a": 1, "b": 2}', '{"b":2,"a":1}', '{"a": 1, "b": "2"}', '{"a": 1}', "{", "[1]", "null", ""];
    const answers = given.map((text) => ({ expected: '{"a": 1, "b": 2}', given: text }));
    expect(scoreAnswers("json", answers)).toEqual({ valid: 3 / 8, right: 2 / 8 });
  });

  it("has no score for manner", () => {
    expect(scoreAnswers("persona", [{ expected: "Arr", given: "Arr" }])).toBeNull();
  });
});
