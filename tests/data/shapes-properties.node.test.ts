/** Rows of any JSON: read or refused in one short sentence, never anything else; and the same through every kind of file. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/data/errors";
import { conversationFromRow, detectShape, rowShapes } from "../../src/data/shapes/index";
import { origin } from "../support/shape-table";

const fields = rowShapes.flatMap((shape) => shape.fields.map(({ name }) => name));
const key = fc.constantFrom(
  ...new Set(fields),
  ...["role", "content", "from", "value", "weight", "train", "tool_calls", "function_call", "function", "name"],
  ...["arguments", "type", "rejected", "kto_tag", "question", "answer", "__proto__", "constructor"],
);
const leaf = fc.oneof(
  fc.constantFrom(null, 0, 1, -100, 2 ** 31, true, false, "", "\ud83d", "[", '[{"role":"user","content":"a"}]'),
  fc.constantFrom("user", "assistant", "gpt", "human", "function_call", "text", "[1,2]", '{"name":"a"}'),
  key,
);
const json = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "medium" },
    leaf,
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(key, tie("any"), { maxKeys: 5 }),
  ),
})).any;
const message = fc.oneof(
  fc.dictionary(key, json, { maxKeys: 4 }),
  fc.record({ role: fc.constantFrom("user", "assistant", "tool", "gpt"), content: json, tool_calls: json }),
);
/** Likelier than `json` to be read. */
const row = fc.oneof(
  json,
  fc.dictionary(key, json, { minKeys: 1, maxKeys: 6 }),
  fc.record({ messages: fc.array(message, { maxLength: 3 }), tools: json, system: json }),
  fc.record({ instruction: leaf, output: leaf, history: json }),
  fc.record({ input_ids: fc.array(fc.nat(3)), labels: fc.array(fc.constantFrom(-100, 0, 1, 2)), attention_mask: json }),
);

function check(run: () => { readonly origin: unknown }): "read" | "refused" {
  try {
    expect(run().origin).toBe(origin);
    return "read";
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    expect(error.message).toMatch(/^rows\.jsonl line 7[^\n]*\.$/);
    expect(error.message.length).toBeLessThan(500);
    return "refused";
  }
}

describe("any JSON value", () => {
  it("is a conversation or a DataError of one short line", () => {
    const seen = { read: 0, refused: 0 };
    fc.assert(
      fc.property(row, (value) => {
        seen[check(() => conversationFromRow(value, origin, null))]++;
      }),
      { numRuns: 3000 },
    );
    expect(seen.read).toBeGreaterThan(30);
    expect(seen.refused).toBeGreaterThan(1000);
  });

  it("is so through any mapping, too", () => {
    const mapping = fc.record({
      shape: fc.constantFrom(...rowShapes.map(({ id }) => id), "none"),
      columns: fc.dictionary(key, key, { maxKeys: 4 }),
    });
    fc.assert(
      fc.property(row, mapping, (value, chosen) => {
        check(() => conversationFromRow(value, origin, chosen));
      }),
      { numRuns: 2000 },
    );
  });

  it("has a shape or not, and a suggestion reads at least half of the rows", () => {
    let suggested = 0;
    fc.assert(
      fc.property(fc.array(row, { maxLength: 4 }), (values) => {
        const { shape, suggestion, columns } = detectShape(values);
        if (suggestion === null) return;
        expect(shape).toBeNull();
        expect(Object.values(suggestion.columns).every((column) => columns.includes(column))).toBe(true);
        const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
        const rows = values.filter((value) => isObject(value) || (Array.isArray(value) && isObject(value[0])));
        const results = rows.map((value) => check(() => conversationFromRow(value, origin, suggestion)));
        expect(results.filter((result) => result === "read").length * 2).toBeGreaterThanOrEqual(rows.length);
        suggested++;
      }),
      { numRuns: 1000 },
    );
    expect(suggested).toBeGreaterThan(0);
  });

  it("of endless depth or width is refused", () => {
    const deep: unknown = JSON.parse(`${'{"messages":'.repeat(100_000)}1${"}".repeat(100_000)}`);
    const nested: unknown = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    const wide = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`column ${index}`, index]));
    for (const value of [deep, nested, wide, { text: nested }, { prompt: nested, completion: nested }]) {
      expect(check(() => conversationFromRow(value, origin, null))).toBe("refused");
    }
    expect(detectShape([wide, deep, nested]).columns.length).toBeLessThan(1000);
  });
});

describe("the same row through CSV, with JSON in cells and empty cells for what is missing", () => {
  const text = fc.string({ minLength: 1, unit: "grapheme" }).filter((value) => /[^\s[{]/.test(value[0] ?? ""));
  const turns = fc
    .array(fc.tuple(text, text), { minLength: 1, maxLength: 3 })
    .map((pairs) => pairs.flatMap(([question, answer]) => [said("user", question), said("assistant", answer)]));
  const said = (role: string, content: string) => ({ role, content });
  const rows = fc.oneof(
    fc.record({ messages: turns, system: fc.option(text), tools: fc.option(fc.constant([{ name: "a" }])) }),
    fc.record({ conversations: turns, system: fc.option(text) }),
    fc.record({ prompt: turns, completion: turns }),
    fc.record({ prompt: text, completion: text }),
    fc.record({
      instruction: text,
      input: fc.option(text),
      output: text,
      history: fc.option(fc.array(fc.tuple(text, text))),
    }),
    fc.record({ text, label: fc.oneof(text, fc.integer()) }),
    fc.record({ text }),
    fc.record({ input_ids: fc.constant([1, 2, 3]), labels: fc.option(fc.constant([-100, 2, 3])) }),
  );
  const cell = (value: unknown) =>
    value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);

  it("gives the same conversation", () => {
    fc.assert(
      fc.property(rows, (value) => {
        const missing = Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
        const cells = Object.fromEntries(Object.entries(value).map(([name, field]) => [name, cell(field)]));
        const read = conversationFromRow(value, origin, null);
        expect(conversationFromRow(missing, origin, null)).toEqual(read);
        expect(conversationFromRow(cells, origin, null)).toEqual(read);
      }),
      { numRuns: 500 },
    );
  });
});
