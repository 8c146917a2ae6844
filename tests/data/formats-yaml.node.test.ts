/** YAML: the ChatterBot corpus, lists of rows, several documents, line numbers, aliases, damaged and hostile files. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { DataError } from "../../src/data/errors";
import type { SpooledRow } from "../../src/data/formats/types";
import { format } from "../../src/data/formats/yaml";

const corpus = "../shared/data/datasets/chatterbot/chatterbot_corpus/data/english";
const naughty = "../shared/data/conformance/naughty-strings/blns.json";

async function read(text: BlobPart, name = "chat.yml"): Promise<SpooledRow[]> {
  const rows: SpooledRow[] = [];
  for await (const row of format.rows(new Blob([text]), name, null)) rows.push(row);
  return rows;
}
const values = async (text: string) => (await read(text)).map(({ value, error }) => error?.message ?? value);
const match = (text: string, name = "data") => format.match(new TextEncoder().encode(text), name);
const turns = (...texts: string[]) => ({
  messages: texts.map((content, index) => ({ role: index % 2 === 0 ? "user" : "assistant", content })),
});

describe("conversations", () => {
  it("of the ChatterBot corpus are said in turns, each with its line", async () => {
    const text = `categories:
- greetings
conversations:
- - Hello
  - Hi
- - What year was it?
  - 1963
  - Was it: really?
  - yes

- - |
    Two
    lines
  - 'It''s "quoted"'
`;
    const quoted = text.replace("Was it: really?", "'Was it: really?'");
    const rows = await read(quoted);
    expect(rows.map(({ value }) => value)).toEqual([
      turns("Hello", "Hi"),
      turns("What year was it?", "1963", "Was it: really?", "yes"),
      turns("Two\nlines\n", 'It\'s "quoted"'),
    ]);
    expect(rows.map(({ line }) => line)).toEqual([4, 6, 11]);
    expect(rows.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(quoted.length);
    // Unquoted, the colon makes a mapping of the turn: that row is wrong and says why.
    expect((await read(text))[1]?.error?.message).toBe(
      "chat.yml line 6: turn 3: a mapping (text with a colon is one) stands where text is expected; put quotation marks around the text.",
    );
  });

  it("are lists of messages", async () => {
    const messages = [
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello" },
    ];
    expect(await values(stringify([messages, messages]))).toEqual([{ messages }, { messages }]);
    expect(await values(stringify(messages))).toEqual([{ messages }]);
    expect(await values(stringify({ messages }))).toEqual([{ messages }]);
    const turns = [
      { from: "human", value: "Hi" },
      { from: "gpt", value: "Hello" },
    ];
    expect(await values(stringify({ conversations: turns }))).toEqual([{ conversations: turns }]);
    expect(await values(stringify([turns]))).toEqual([{ conversations: turns }]);
    expect(await values(stringify({ conversations: [messages, messages] }))).toEqual([{ messages }, { messages }]);
  });
});

describe("rows", () => {
  it("are the entries of a list, or of a list under a usual name", async () => {
    const rows = [
      { prompt: "a", completion: "b" },
      { prompt: "c\nd", completion: "" },
    ];
    expect(await values(stringify(rows))).toEqual(rows);
    expect(await values(stringify({ examples: rows }))).toEqual(rows);
    expect(await values(stringify({ data: rows }))).toEqual(rows);
    expect(await values("[{prompt: a, completion: b}]")).toEqual([{ prompt: "a", completion: "b" }]);
  });

  it("are documents, when there are several", async () => {
    const text = "# first\n---\nprompt: a\ncompletion: b\n---\n# nothing\n---\nprompt: c\ncompletion: d\n...\n";
    expect(await values(text)).toEqual([
      { prompt: "a", completion: "b" },
      { prompt: "c", completion: "d" },
    ]);
    expect((await read(text)).map(({ line }) => line)).toEqual([3, 8]);
  });

  it("hold JSON values: YAML 1.2, digits kept", async () => {
    const [row] = await values(
      "- {a: yes, b: true, c: 1.5, d: 123456789012345678901, e: ~, f: .nan, g: 2001-01-01, h: [1, [x]]}",
    );
    expect(row).toEqual({
      a: "yes",
      b: true,
      c: 1.5,
      d: "123456789012345678901",
      e: null,
      f: null,
      g: "2001-01-01",
      h: [1, ["x"]],
    });
  });

  it("may share text by an alias", async () => {
    const text = "- system: &s You help.\n  prompt: a\n- {system: *s, prompt: b}\n".concat(
      "- {system: *s, prompt: c}\n".repeat(500),
    );
    const rows = await values(text);
    expect(rows).toHaveLength(502);
    expect(rows[501]).toEqual({ system: "You help.", prompt: "c" });
    expect(await values("- &a {p: 1}\n- &a {p: 2}\n- {p: *a}\n")).toEqual([{ p: 1 }, { p: 2 }, { p: { p: 2 } }]);
  });

  it("that are wrong leave the others alone", async () => {
    const rows = await read("- {a: 1}\n- {a: 1, a: 2}\n- {a: *b}\n- {a: 4}\n");
    expect(rows.map(({ error }) => error?.message)).toEqual([
      undefined,
      'chat.yml line 2: the key "a" is there twice; keep one of them.',
      "chat.yml line 3: the alias *b has no anchor before it; write &b where it is defined.",
      undefined,
    ]);
  });

  it("have their line with CR LF and a byte order mark", async () => {
    const rows = await read("\uFEFF# x\r\n- a: 1\r\n- a: é\r\n");
    expect(rows.map(({ value, line }) => [value, line])).toEqual([
      [{ a: 1 }, 2],
      [{ a: "é" }, 3],
    ]);
  });

  it("survive a round trip whatever the text", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.string({ unit: "binary", maxLength: 12 }), { minLength: 2, maxLength: 4 }), {
          minLength: 1,
          maxLength: 6,
        }),
        async (conversations) => {
          const text = stringify({ conversations }, { defaultStringType: "QUOTE_DOUBLE" });
          expect(await values(text)).toEqual(conversations.map((texts) => turns(...texts)));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("recognition", () => {
  it.each([
    ["categories:\n- AI\nconversations:\n- - a\n  - b\n", "data"],
    ["# note\n---\nconversations:\n- - a\n  - b\n", "data"],
    ["- - Hello\n  - Hi\n", "data"],
    ["- prompt: a\n  completion: b\n", "data"],
    ["messages:\n- role: user\n  content: a\n", "data"],
    ["anything", "chat.yaml"],
  ])("knows %j as %s", (text, name) => {
    expect(match(text, name)).toBeGreaterThanOrEqual(0.5);
  });

  it.each([
    ["prose", "Note: this is a text.\n- it has a list\n- of two\n"],
    ["front matter", "---\ntitle: A page\n---\n\n# A page\n"],
    ["JSON Lines", '{"prompt":"a"}\n{"prompt":"b"}\n'],
    ["a JSON array", '[{"prompt":"a"}]'],
    ["CSV", "prompt,completion\na,b\nc,d\n"],
    ["bytes", "- prompt: \0\n"],
  ])("leaves %s alone", (_what, text) => {
    expect(match(text)).toBe(0);
  });
});

describe("files that cannot be used", () => {
  it.each([
    [
      "broken",
      "- {a: 1\n- b: [\n",
      /^chat\.yml line \d+: not valid YAML: [^\n]+ \(column \d+\); correct it, or save the data as JSON Lines\.$/,
    ],
    [
      "prose",
      "Just some words.\n",
      /^chat\.yml line 1: the text cannot be used: it holds a text and no list or mapping; /,
    ],
    ["endless nesting", "[".repeat(100_000), /^chat\.yml line 1: not valid YAML: it is nested too deeply; /],
    ["nesting in blocks", "- ".repeat(100_000), /^chat\.yml line 1: not valid YAML: it is nested too deeply; /],
  ])("%s", async (_what, text, message) => {
    await expect(read(text)).rejects.toThrow(message);
    await expect(read(text)).rejects.toBeInstanceOf(DataError);
  });

  it("not UTF-8", async () => {
    await expect(read(new Uint8Array([0x2d, 0x20, 0xff, 0x0a]))).rejects.toThrow(
      "chat.yml: the file is not valid UTF-8",
    );
  });

  it("too large", async () => {
    const blob = new Blob([new Uint8Array(33 * 1024 * 1024).fill(0x0a)]);
    await expect(format.rows(blob, "chat.yml", null)[Symbol.asyncIterator]().next()).rejects.toThrow(
      "chat.yml: the YAML file has 34603008 bytes, and at most 32 MB can be read as a whole",
    );
    await expect(read("\n".repeat(4_000_001))).rejects.toThrow("the YAML file has too many entries");
  });

  it("aliases that unfold without end", { timeout: 30_000 }, async () => {
    const bomb = Array.from({ length: 12 }, (_, index) =>
      index === 0
        ? "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"
        : `a${index}: &a${index} [${Array(10)
            .fill(`*a${index - 1}`)
            .join(", ")}]`,
    ).join("\n");
    await expect(read(bomb)).rejects.toThrow(
      "chat.yml line 1: not valid YAML: its aliases unfold to more than the file should hold",
    );
    const long = `- &c [${"x".repeat(1_000_000)}, y]\n${"- *c\n".repeat(1000)}`;
    await expect(read(long)).rejects.toThrow("its aliases unfold to more than the file should hold");
    const [row] = await read("- &a {self: [*a]}\n");
    expect(row?.error?.message).toContain("it is nested deeper than 100 levels");
  });
});

function whereShared(path: string, name: string, test: () => Promise<void>): void {
  if (existsSync(path)) {
    it(name, { timeout: 120_000 }, test);
  } else {
    console.warn(`SKIPPED: ${path} is not present, so "${name}" was not tested`);
    it.skip(`${name} (skipped: ${path} is not present)`, test);
  }
}

describe("shared files", () => {
  whereShared(
    corpus,
    "the ChatterBot corpus: every conversation is a row, and the one without its dash is named",
    async () => {
      const names = readdirSync(corpus);
      let rows = 0;
      const wrong: string[] = [];
      for (const name of names) {
        const text = readFileSync(`${corpus}/${name}`, "utf8");
        const got = await read(text, name);
        // Conversations begin where a line begins with two dashes.
        const sound = got.filter(({ error }) => error === undefined);
        expect(sound.length, name).toBe(text.match(/^ *- +- /gm)?.length);
        wrong.push(...got.flatMap(({ error }) => error?.message ?? []));
        for (const { value, line } of sound) {
          expect(value).toMatchObject({
            messages: expect.arrayContaining([{ role: "user", content: expect.any(String) }]),
          });
          expect(text.split("\n")[line - 1]).toMatch(/^ *- +- /);
        }
        rows += got.length;
      }
      expect(names.length).toBe(21);
      expect(rows).toBe(2026);
      // A dash is missing in the corpus itself.
      expect(wrong).toEqual([
        'trivia.yml line 35: a text stands where a list of turns or a mapping is expected: "In a game of bingo, which number is represented by the ph…"; indent it as the entries around it are.',
      ]);
    },
  );

  whereShared(naughty, "naughty strings survive a round trip", async () => {
    const strings: string[] = JSON.parse(readFileSync(naughty, "utf8"));
    expect(await values(stringify(strings.map((text) => ({ text }))))).toEqual(strings.map((text) => ({ text })));
  });
});
