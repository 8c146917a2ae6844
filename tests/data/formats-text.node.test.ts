/** Plain text: passages that give the text again, documents between separators. */
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dataDefaults } from "../../src/data/options";
import { openRows } from "../../src/data/rows/open-rows";
import { conversationFromRow } from "../../src/data/shapes/index";
import { tokenize } from "../../src/data/tokenize";
import { goldenTokenizer } from "../support/data-tokenizer";
import { openDefaults, rowsOf, scan, slicedFormat, valuesOf } from "../support/rows";

const format = slicedFormat("text");
const text = await format.reader();
const bytesOf = (content: string) => new TextEncoder().encode(content);
const scanText = (content: string) => scan(text, bytesOf(content));

const word = fc.constantFrom(
  "alpha",
  "é你🙂",
  " ",
  "  ",
  "\n",
  "\n\n",
  "\r\n\r\n",
  "\t",
  "<|endoftext|>",
  "\n<|endoftext|>\n",
  "x".repeat(700),
);
const content = fc.array(word, { maxLength: 80 }).map((words) => words.join(""));

describe("the text scanner", () => {
  it("loses nothing but white space around documents, however the bytes are cut", () => {
    const cuts = fc.array(fc.nat({ max: 100_000 }), { maxLength: 20 });
    fc.assert(
      fc.property(content, cuts, (content, cuts) => {
        const bytes = bytesOf(content);
        const rows = scan(text, bytes);
        expect(
          scan(
            text,
            bytes,
            cuts.map((cut) => cut % (bytes.length + 1)),
          ),
        ).toEqual(rows);
        const documents: string[] = [];
        let open = "";
        for (const row of rows) {
          expect(row.text.trim()).not.toBe("");
          open += row.text;
          if (row.continues) continue;
          documents.push(open);
          open = "";
        }
        expect(open).toBe("");
        const separated = content.split("\n").some((line) => line.trim() === "<|endoftext|>");
        const parts = separated ? content.split(/^[ \t\r]*<\|endoftext\|>[ \t\r]*$/mu) : [content];
        const clean = (part: string) => part.replace(/^(?:[ \t\r]*\n)+/, "").replace(/[ \t\r\n]+$/, "");
        expect(documents).toEqual(parts.map(clean).filter((part) => part.trim() !== ""));
        for (const row of rows) if (!separated) expect([...row.text].length).toBeLessThanOrEqual(8_000);
      }),
      { numRuns: 300 },
    );
  });

  it("cuts after 2,000 characters at the next paragraph", () => {
    const paragraph = `${"word ".repeat(100).trim()}\n\n`;
    const rows = scanText(paragraph.repeat(10));
    expect(rows.map((row) => [row.text.length, row.line, row.continues])).toEqual([
      [501 * 4, 1, true],
      [501 * 4, 9, true],
      [501 * 2 - 2, 17, false],
    ]);
  });

  it("cuts at a line's end from 4,000 characters on, else at a space, else anywhere at 8,000", () => {
    const lines = scanText(`${"x".repeat(99)}\n`.repeat(50));
    expect(lines.map((row) => [row.text.length, row.line, row.continues])).toEqual([
      [4_000, 1, true],
      [999, 41, false],
    ]);
    const spaces = scanText("nine char ".repeat(1_000));
    expect(spaces.map((row) => [row.text.length, row.continues])).toEqual([
      [8_000, true],
      [1_999, false],
    ]);
    expect(spaces[1]?.text.startsWith("nine")).toBe(true);
    const solid = scanText("é".repeat(8_000) + "🙂".repeat(10));
    expect(solid.map((row) => [[...row.text].length, row.continues])).toEqual([
      [8_000, true],
      [10, false],
    ]);
  });

  it("separates documents by lines <|endoftext|> only where the head has one", () => {
    const rows = scanText("<|endoftext|>\nOne\n\n\ttwo\n <|endoftext|> \n\nThree <|endoftext|>\n<|endoftext|>");
    expect(rows).toEqual([
      { text: "One\n\n\ttwo", line: 2, continues: false },
      { text: "Three <|endoftext|>", line: 7, continues: false },
    ]);
    const late = scanText(`${"line of text\n".repeat(6_000)}<|endoftext|>\nlast`);
    expect(late.at(-1)?.text.endsWith("<|endoftext|>\nlast")).toBe(true);
  });
});

describe("text rows", () => {
  it("say where a document goes on", async () => {
    const rows = await rowsOf(`# Title\n\n${"word ".repeat(500)}\n\nThe end.\n`, {}, "notes.md");
    const [first, second] = valuesOf(rows);
    expect(first).toEqual({ text: `# Title\n\n${"word ".repeat(500)}\n\n`, continues: true });
    expect(second).toEqual({ text: "The end.", continued: true });
    expect(rows[1]?.origin.line).toBe(5);
  });

  it("begin with BOS where their text begins, and end with EOS where it ends", async () => {
    const tokenizer = await goldenTokenizer(null, true);
    const bos = tokenizer.bosTokenId;
    const files = ["one.txt", "two.txt"].map((name) => ({ name, blob: new Blob(["word ".repeat(2_000)]) }));
    const source = await openRows(files, openDefaults);
    // Alone and last first: a passage is read on its own in training.
    const order = Array.from({ length: source.rows }, (_, row) => source.rows - 1 - row);
    const rows = (await Promise.all(order.map((row) => source.read([row])))).flat().reverse();
    const ends = rows.map((row) => {
      if ("error" in row) throw row.error;
      const conversation = conversationFromRow(row.value, row.origin, null);
      const { examples } = tokenize(conversation, tokenizer, { ...dataDefaults, maxLength: 1e6 });
      const ids = Array.from(examples[0]?.ids ?? []);
      return [ids[0] === bos, ids.filter((id) => id === bos).length, ids.at(-1) === tokenizer.eosTokenId];
    });
    const passages = source.rows / 2;
    expect(passages).toBeGreaterThan(1);
    const expected = Array.from({ length: passages }, (_, passage) => [
      passage === 0,
      Number(passage === 0),
      passage === passages - 1,
    ]);
    expect(ends).toEqual([...expected, ...expected]);
  });

  it("are refused on the line whose bytes are no UTF-8", async () => {
    const latin = new Blob(["one\ntwo\n", Uint8Array.of(0x63, 0x61, 0x66, 0xe9), "\nfour\n"]);
    const [row] = await rowsOf(latin, {}, "notes.txt");
    expect(row).toMatchObject({
      origin: { line: 1 },
      error: {
        kind: "encoding",
        message: "notes.txt line 3: the line is not valid UTF-8; save the file with UTF-8 encoding.",
      },
    });
  });

  it("give all of a book again", async () => {
    const book = new URL(
      "../../../shared/data/datasets/llms-from-scratch/ch02/01_main-chapter-code/the-verdict.txt",
      import.meta.url,
    );
    if (!existsSync(book)) console.warn(`NOT RUN: ${book.pathname} is absent, so a generated book is read instead.`);
    const whole = existsSync(book) ? readFileSync(book, "utf8") : "A paragraph of text.\n\n".repeat(1_000);
    const rows = await rowsOf(whole, {}, "book.txt");
    expect(rows.length).toBeGreaterThan(5);
    const texts = valuesOf(rows).map((value) =>
      typeof value === "object" && value !== null && "text" in value ? value.text : null,
    );
    expect(texts.join("")).toBe(whole.trimEnd());
  });
});

describe("plain text is recognised", () => {
  it("by its name, or where it is text and nothing else", () => {
    const score = (content: BlobPart & (string | Uint8Array), name: string) =>
      format.match(typeof content === "string" ? bytesOf(content) : content, name);
    expect(score("Hello there.", "notes.txt")).toBeCloseTo(0.6);
    expect(score("Hello there.", "notes")).toBeCloseTo(0.2);
    expect(score("a\n<|endoftext|>\nb", "corpus")).toBeCloseTo(0.5);
    expect(score("Hello there.", "rows.csv")).toBeLessThan(0.2);
    expect(score(Uint8Array.of(0x63, 0xe9, 0x20), "notes")).toBe(0);
    expect(score(Uint8Array.of(0x63, 0xe9, 0x20), "notes.txt")).toBeCloseTo(0.6);
    expect(score(Uint8Array.of(1, 2, 0), "notes.txt")).toBe(0);
  });
});
