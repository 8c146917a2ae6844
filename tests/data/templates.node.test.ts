/** The built-in chat templates against transformers (tests/golden/data_templates.py), and what becomes of a choice. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/data/errors";
import { dataDefaults, type TemplateChoice } from "../../src/data/options";
import { chatTemplates, chosenJinja, markerWarning, withChosenTemplate } from "../../src/data/templates/index";
import { tokenize } from "../../src/data/tokenize";
import type { Message, Tokenizer } from "../../src/data/tokenizer";
import { turnEndIds } from "../../src/data/turn-end";
import { anywhere, goldenTokenizer } from "../support/data-tokenizer";

interface Case {
  readonly messages: readonly Message[];
  readonly tools?: readonly unknown[];
  /** By template: without and with generation prompt; null where transformers refuses too. */
  readonly texts: Readonly<Record<string, readonly [string | null, string | null]>>;
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL("../golden/data-templates.json", import.meta.url), "utf8"),
);
const named = (id: string): TemplateChoice => ({ kind: "named", id });

function rendered(tokenizer: Tokenizer, { messages, tools }: Case, addGenerationPrompt: boolean): string | null {
  try {
    return tokenizer.renderChat(messages, { addGenerationPrompt, tools: tools ?? null });
  } catch (error) {
    if (error instanceof Error && error.name === "TokenizerError") return null;
    throw error;
  }
}

it("there are five, by label, and the golden file has them all", () => {
  const ids = chatTemplates.map(({ id }) => id);
  expect(ids).toEqual(["alpaca", "chatml", "llama3", "plain", "zephyr"]);
  expect(ids).toEqual(Object.keys(cases[0]?.texts ?? {}));
});

describe.each(chatTemplates.map(({ id }) => id))("template %s", (id) => {
  it("renders as transformers does", async () => {
    const tokenizer = withChosenTemplate(await goldenTokenizer(null), named(id));
    let texts = 0;
    for (const row of cases) {
      for (const prompt of [false, true]) {
        const expected = row.texts[id]?.[Number(prompt)];
        expect(rendered(tokenizer, row, prompt), JSON.stringify(row.messages)).toBe(expected);
        if (expected !== null) texts++;
      }
    }
    expect(texts).toBeGreaterThan(20);
  });

  it("writes earlier turns the same whatever follows, and the generation prompt as the turn begins", () => {
    for (const { messages, texts } of cases) {
      const whole = texts[id]?.[0];
      if (!whole) continue;
      for (const other of cases.filter((row) => isPrefix(row.messages, messages))) {
        const [text, prompted] = other.texts[id] ?? [];
        expect(whole.startsWith(text ?? "?")).toBe(true);
        if (messages[other.messages.length]?.role === "assistant") expect(whole.startsWith(prompted ?? "?")).toBe(true);
      }
    }
  });

  it("can be trained on: each answer is learned to a token that ends it", async () => {
    const tokenizer = withChosenTemplate(await trainable(id), named(id));
    let answers = 0;
    for (const { messages, tools, texts } of cases) {
      if (texts[id]?.[0] === null || !messages.some(({ role }) => role === "assistant")) continue;
      const conversation = {
        kind: "messages",
        origin: anywhere,
        messages,
        trainFrom: 0,
        ...(tools && { tools }),
      } as const;
      const { examples } = tokenize(conversation, tokenizer, { ...dataDefaults, maxLength: 4096 });
      for (const { ids, counted } of examples) {
        const ends = Array.from(ids).filter((_, at) => counted[at] === 1 && counted[at + 1] !== 1);
        for (const end of ends) expect(tokenizer.decode([end], { skipSpecialTokens: true })).toBe("");
        answers += ends.length;
      }
    }
    expect(answers).toBeGreaterThan(10);
  });
});

/** Llama 3's markers are made special tokens by taking the place of the golden tokenizer's. */
async function trainable(id: string): Promise<Tokenizer> {
  const tokenizer = await goldenTokenizer(null);
  if (id !== "llama3") return tokenizer;
  const swap = (jinja: string) =>
    jinja.replaceAll(/<\|(?:start|end)_header_id\|>/g, "<|im_start|>").replaceAll("<|eot_id|>", "<|im_end|>");
  const { vocabSize, eosTokenId, eosToken, bosTokenId, hasChatTemplate } = tokenizer;
  return {
    ...{ vocabSize, eosTokenId, eosToken, bosTokenId, hasChatTemplate },
    encode: (text, options) => tokenizer.encode(text, options),
    decode: (ids, options) => tokenizer.decode(ids, options),
    renderChat: (messages, options) => tokenizer.renderChat(messages, options),
    withTemplate: (jinja) => tokenizer.withTemplate(swap(jinja)),
  };
}

function isPrefix(head: readonly Message[], whole: readonly Message[]): boolean {
  return head.length < whole.length && JSON.stringify(whole.slice(0, head.length)) === JSON.stringify(head);
}

describe("the chosen template", () => {
  const user: readonly Message[] = [{ role: "user", content: "Hi" }];

  it("is the model's own, untouched, by default", async () => {
    const tokenizer = await goldenTokenizer("chatml");
    expect(withChosenTemplate(tokenizer, { kind: "model" })).toBe(tokenizer);
    expect(chosenJinja(tokenizer, { kind: "model" })).toBeNull();
    expect(markerWarning(tokenizer, { kind: "model" })).toBeNull();
  });

  it("takes the place of the model's and leaves the model's tokenizer alone", async () => {
    const tokenizer = await goldenTokenizer("words");
    const chosen = withChosenTemplate(tokenizer, named("chatml"));
    expect(chosen.renderChat(user)).toBe("<|im_start|>user\nHi<|im_end|>\n");
    expect(tokenizer.renderChat(user)).toBe("### user:\nHi\n\n");
    expect(chosen.vocabSize).toBe(tokenizer.vocabSize);
    const own = withChosenTemplate(tokenizer, { kind: "own", jinja: "{{ messages[0].content }}!" });
    expect(own.renderChat(user)).toBe("Hi!");
  });

  it("begins with BOS where the tokenizer's texts do", async () => {
    const bos = await goldenTokenizer(null, true);
    expect(withChosenTemplate(bos, named("zephyr")).renderChat(user)).toBe("<|endoftext|><|user|>\nHi<|im_end|>\n");
    expect(withChosenTemplate(bos, { kind: "own", jinja: "x" }).renderChat(user)).toBe("x");
  });

  const refused: readonly (readonly [string, TemplateChoice, string])[] = [
    [
      "broken Jinja",
      { kind: "own", jinja: "{% if %}" },
      "chat template: The chat template for golden cannot be parsed (",
    ],
    ["no text", { kind: "own", jinja: " \n" }, "chat template: the own template is empty; write its Jinja text"],
    [
      "an unknown name",
      named("vicuna"),
      'chat template: there is no template named "vicuna"; choose one of alpaca, chatml, llama3, plain, zephyr.',
    ],
  ];
  it.each(refused)("is refused: %s", async (_, choice, sentence) => {
    const tokenizer = await goldenTokenizer(null);
    expect(() => withChosenTemplate(tokenizer, choice)).toThrow(sentence);
    expect(() => withChosenTemplate(tokenizer, choice)).toThrow(DataError);
    expect(() => withChosenTemplate(tokenizer, choice)).toThrow(expect.objectContaining({ kind: "template" }));
  });

  it("comes with a warning where its markers are no single tokens", async () => {
    const tokenizer = await goldenTokenizer(null);
    expect(markerWarning(tokenizer, named("chatml"))).toBeNull();
    expect(markerWarning(tokenizer, named("zephyr"))).toBeNull();
    expect(markerWarning(tokenizer, named("llama3"))).toBe(
      "<|start_header_id|>, <|end_header_id|>, <|eot_id|> are no single tokens of this model, which never saw them; choose a template without such markers, for example Zephyr or Alpaca.",
    );
    const own: TemplateChoice = { kind: "own", jinja: "{{ '<|im_start|>' }}{{ '<end_of_turn>' }}" };
    expect(markerWarning(tokenizer, own)).toMatch(
      /^<end_of_turn> is no single token of this model, which never saw it;/,
    );
  });
});

describe("the tokens that end an answer", () => {
  const turns = (end: string) =>
    `{% for m in messages %}{{ m.role + ': ' + m.content }}{% if m.role == 'assistant' %}{{ '${end}' }}{% endif %}{{ '\n' }}{% endfor %}`;

  it("are those of the template, whatever EOS is", async () => {
    const tokenizer = await goldenTokenizer("chatml", false, [
      "<|eot_id|>",
      "<|start_header_id|>",
      "<|end_header_id|>",
    ]);
    const written = (chosen: Tokenizer) => turnEndIds(chosen).map((id) => chosen.decode([id]));
    expect(written(tokenizer)).toEqual(["<|im_end|>"]);
    expect(tokenizer.eosToken).toBe("<|im_end|>");
    expect(written(withChosenTemplate(tokenizer, named("llama3")))).toEqual(["<|eot_id|>"]);
    expect(written(withChosenTemplate(tokenizer, named("zephyr")))).toEqual(["<|im_end|>"]);
    expect(written(tokenizer.withTemplate(turns("<|eot_id|><|endoftext|>")))).toEqual(["<|eot_id|>", "<|endoftext|>"]);
  });

  it("are none where the template writes text, refuses or is missing", async () => {
    const tokenizer = await goldenTokenizer(null);
    expect(turnEndIds(tokenizer)).toEqual([]);
    expect(turnEndIds(tokenizer.withTemplate(turns("### End")))).toEqual([]);
    expect(turnEndIds(tokenizer.withTemplate("{{ raise_exception('no') }}"))).toEqual([]);
    expect(turnEndIds(tokenizer.withTemplate("{{ messages[0].content }}"))).toEqual([]);
  });
});
