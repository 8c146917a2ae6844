/** Every row shape, choice of loss and policy for long rows against TRL, and why a row is refused (tests/golden/data_loss.py). */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError, type ProblemKind } from "../../src/data/errors";
import { commonPrefix } from "../../src/data/labelled";
import { dataDefaults, type LossOn, lossChoices, type TooLong, tooLongPolicies } from "../../src/data/options";
import { type Tokenized, tokenize, trainedTurns } from "../../src/data/tokenize";
import type { Message, Tokenizer } from "../../src/data/tokenizer";
import type { Conversation } from "../../src/data/types";
import { anywhere, chat, goldenTokenizer } from "../support/data-tokenizer";

interface Result {
  readonly tooLong: TooLong;
  readonly maxLength: number;
  readonly source: "trl" | "reference";
  readonly refused?: ProblemKind;
  readonly dropped?: boolean;
  readonly examples?: readonly { readonly from: number; readonly counted: string }[];
}

interface Case {
  readonly template: string | null;
  readonly bos: boolean;
  readonly lossOn: LossOn;
  readonly conversation: Conversation;
  readonly ids: readonly number[];
  readonly results: readonly Result[];
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL("../golden/data-loss.json", import.meta.url), "utf8"));

function run(conversation: Conversation, tokenizer: Tokenizer, options: Partial<Parameters<typeof tokenize>[2]> = {}) {
  return tokenize(conversation, tokenizer, { maxLength: 512, ...dataDefaults, ...options });
}

function kindOf(action: () => unknown): ProblemKind {
  try {
    action();
  } catch (error) {
    if (error instanceof DataError) return error.kind;
    throw error;
  }
  throw new RangeError("nothing was refused");
}

/** What is learned of each example. */
function learned({ examples }: Tokenized, tokenizer: Tokenizer): readonly string[] {
  return examples.map(({ ids, counted }) => tokenizer.decode(ids.filter((_, position) => counted[position] === 1)));
}

describe("tokenize, loss by loss and policy by policy", () => {
  const groups = new Map<string, Case[]>();
  for (const row of cases) {
    const name = `${row.conversation.kind}, loss on ${row.lossOn}, template ${row.template}, ${row.bos ? "BOS" : "no BOS"}`;
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  for (const [name, rows] of groups) {
    it(name, async () => {
      const tokenizer = await goldenTokenizer(rows[0]?.template ?? null, rows[0]?.bos);
      for (const { conversation, lossOn, ids, results } of rows) {
        for (const { tooLong, maxLength, refused, dropped, examples } of results) {
          const action = () => run(conversation, tokenizer, { maxLength, lossOn, tooLong });
          const what = `${tooLong} at ${maxLength}: ${JSON.stringify(conversation)}`;
          if (refused !== undefined) {
            expect(kindOf(action), what).toBe(refused);
            continue;
          }
          const tokenized = action();
          expect(tokenized.length, what).toBe(ids.length);
          expect(tokenized.dropped, what).toBe(dropped ?? false);
          const expected = examples?.map(({ from, counted }) => ({
            ids: ids.slice(from, from + counted.length),
            // Nothing precedes the first token: TRL's label there predicts nothing either.
            counted: [0, ...Array.from(counted.slice(1), Number)],
            truncated: tooLong === "split" ? 0 : ids.length - counted.length,
          }));
          const ours = tokenized.examples.map((example) => ({
            ids: Array.from(example.ids),
            counted: Array.from(example.counted),
            truncated: example.truncated,
          }));
          expect(ours, what).toEqual(expected);
        }
      }
    });
  }

  it("covers every shape, loss and policy, and each outcome", () => {
    const results = cases.flatMap((row) => row.results);
    expect(new Set(cases.map(({ conversation }) => conversation.kind)).size).toBe(4);
    expect(new Set(cases.map(({ lossOn }) => lossOn))).toEqual(new Set(lossChoices));
    expect(new Set(results.map(({ tooLong }) => tooLong))).toEqual(new Set(tooLongPolicies));
    expect(results.filter(({ source }) => source === "trl").length).toBeGreaterThan(250);
    for (const outcome of ["nothing-counted", "too-long"]) {
      expect(results.some(({ refused }) => refused === outcome)).toBe(true);
    }
    expect(results.some(({ dropped }) => dropped)).toBe(true);
    expect(results.some(({ tooLong, examples }) => tooLong === "split" && (examples?.length ?? 0) > 1)).toBe(true);
  });
});

const dialogue: readonly Message[] = [
  { role: "user", content: "one" },
  { role: "assistant", content: "two" },
  { role: "user", content: "three" },
  { role: "assistant", content: "four", weight: 0 },
  { role: "user", content: "five" },
  { role: "assistant", content: "six" },
  { role: "user", content: "seven" },
];

describe("the learned turns", () => {
  const expected: readonly (readonly [LossOn, trainFrom: number, learned: string, flags: string])[] = [
    ["assistant", 0, "two<|im_end|>six<|im_end|>", "0100010"],
    ["assistant", 3, "six<|im_end|>", "0000010"],
    ["last", 0, "six<|im_end|>", "0000010"],
    ["completion", 0, "six<|im_end|>", "0000010"],
    ["completion", 5, "six<|im_end|>\n<|im_start|>user\nseven<|im_end|>\n", "0000011"],
  ];
  it.each(expected)("under %s, from message %i on", async (lossOn, trainFrom, text, flags) => {
    const tokenizer = await goldenTokenizer("chatml");
    const conversation = chat(dialogue, trainFrom);
    expect(learned(run(conversation, tokenizer, { lossOn }), tokenizer)).toEqual([text]);
    expect(trainedTurns(conversation, lossOn).map(Number).join("")).toBe(flags);
  });

  it("leave out answers with weight 0 in a completion of several turns", async () => {
    const tokenizer = await goldenTokenizer("chatml");
    const [text] = learned(run(chat(dialogue, 1), tokenizer, { lossOn: "completion" }), tokenizer);
    expect(text).toContain("two<|im_end|>");
    expect(text).toContain("three");
    expect(text).not.toContain("four");
  });

  it("are the last answer to the row's very end under completion where nothing follows it", async () => {
    const tokenizer = await goldenTokenizer("chatml");
    const conversation = chat(dialogue.slice(0, 6));
    const all = learned(run(conversation, tokenizer, { lossOn: "completion" }), tokenizer);
    expect(all).toEqual(["six<|im_end|>\n"]);
    expect(trainedTurns(conversation, "completion").map(Number).join("")).toBe("000001");
  });

  it("are everything under all, and none where the last answer has weight 0", async () => {
    const tokenizer = await goldenTokenizer("chatml");
    const { examples } = run(chat(dialogue), tokenizer, { lossOn: "all" });
    expect(examples[0]?.counted.subarray(1)).not.toContain(0);
    expect(trainedTurns(chat(dialogue), "all")).not.toContain(false);
    const masked = chat(dialogue.slice(0, 4));
    expect(kindOf(() => run(masked, tokenizer, { lossOn: "last" }))).toBe("nothing-counted");
    expect(trainedTurns(masked, "completion")).not.toContain(true);
  });

  it("of other rows are the completion, the text and the labelled tokens", () => {
    const { origin } = chat([]);
    expect(trainedTurns({ kind: "completion", origin, prompt: "a", completion: "b" }, "last")).toEqual([false, true]);
    expect(trainedTurns({ kind: "completion", origin, prompt: "a", completion: "b" }, "all")).toEqual([true, true]);
    expect(trainedTurns({ kind: "text", origin, text: "a" }, "assistant")).toEqual([true]);
    expect(trainedTurns({ kind: "tokens", origin, ids: [1, 2], labels: [-100, -100] }, "all")).toEqual([false]);
  });
});

describe("a row is refused", () => {
  const words = "{% for m in messages %}{{ '### ' + m.role + ':\n' + m.content + '\n\n' }}{% endfor %}";
  const turns = dialogue.slice(0, 2);
  const refused: readonly (readonly [
    what: string,
    template: string | null,
    Conversation,
    ProblemKind,
    sentence: string,
  ])[] = [
    [
      "whose template ends no turn",
      words,
      chat(turns),
      "no-end",
      "rows.jsonl line 7, messages[1]: the chat template ends this turn with no token of its own, so the model would never learn to stop; choose a chat template whose turns end with a special token of this tokenizer.",
    ],
    [
      "whose earlier turn only looks ended",
      words,
      chat([
        { role: "user", content: "x<|im_end|>" },
        { role: "assistant", content: "<|im_end|> y" },
      ]),
      "no-end",
      "messages[1]: the chat template ends this turn with no token of its own",
    ],
    ["without a template", null, chat(turns), "template", "the row is a chat but the model has no chat template"],
    ["that the template refuses", "{{ raise_exception('no') }}", chat(turns), "template", "roles user, assistant: no;"],
    [
      "with a label that is not its token",
      null,
      { kind: "tokens", origin: anywhere, ids: [5, 6], labels: [-100, 7] },
      "field",
      "rows.jsonl line 7, labels[1]: label 7 is not the token that stands there (6); write the token's own id, or -100 where it carries no loss.",
    ],
    [
      "with a token that the model lacks",
      null,
      { kind: "tokens", origin: anywhere, ids: [5, 368], labels: [-100, 368] },
      "unknown-token",
      "rows.jsonl line 7, input_ids[1]: token 368 is none of the model's 368 tokens; tokenize the row with this model's tokenizer.",
    ],
    [
      "without a label",
      null,
      { kind: "tokens", origin: anywhere, ids: [5, 6], labels: [5, -100] },
      "nothing-counted",
      "rows.jsonl line 7: the row has no token to learn; give it a longer text or leave it out.",
    ],
  ];
  it.each(refused)("%s", async (_, template, conversation, kind, sentence) => {
    const tokenizer = await goldenTokenizer(template);
    expect(kindOf(() => run(conversation, tokenizer))).toBe(kind);
    expect(() => run(conversation, tokenizer)).toThrow(sentence);
  });

  it("for its length, naming length and limit", async () => {
    const tokenizer = await goldenTokenizer("chatml");
    const long = chat(dialogue);
    const { length } = run(long, tokenizer);
    expect(() => run(long, tokenizer, { maxLength: 20, tooLong: "error" })).toThrow(
      `rows.jsonl line 7: the row has ${length} tokens, more than max length 20; raise --max-length, shorten the row, or have long rows cut, split or dropped.`,
    );
    expect(() => run(chat(dialogue.slice(0, 3)), tokenizer, { maxLength: 4, tooLong: "truncate-left" })).toThrow(
      "none of the counted tokens is among the last 4 (the row has",
    );
  });

  it("under all only where the last turn is an answer that nothing ends", async () => {
    const tokenizer = await goldenTokenizer(words);
    expect(kindOf(() => run(chat(turns), tokenizer, { lossOn: "all" }))).toBe("no-end");
    expect(run(chat(dialogue.slice(0, 1)), tokenizer, { lossOn: "all" }).examples).toHaveLength(1);
  });

  it("not for an end of turn that the limit cuts off", async () => {
    const tokenizer = await goldenTokenizer("chatml");
    const { length } = run(chat(turns), tokenizer);
    const { examples } = run(chat(turns), tokenizer, { maxLength: length - 2 });
    expect(examples[0]?.truncated).toBe(2);
    expect(learned(run(chat(turns), tokenizer, { maxLength: length - 2 }), tokenizer)).toEqual(["two"]);
  });
});

it("a template that ends every conversation with one more token keeps its turns", async () => {
  // Phi-3.5's way.
  const template =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% else %}{{ bos_token }}{% endif %}";
  const tokenizer = await goldenTokenizer(template);
  expect(learned(run(chat(dialogue), tokenizer), tokenizer)).toEqual(["two<|im_end|>six<|im_end|>"]);
});

describe("a template that writes earlier messages differently", () => {
  const late = dialogue.slice(0, 2);

  it("never brings a question into the loss: the answer begins where the question's own text has ended", async () => {
    const thinking =
      "{% for m in messages %}{{ m.role }}: {% if loop.last %}(now){% endif %}{{ m.content }}<|im_end|>{% endfor %}";
    const tokenizer = await goldenTokenizer(thinking);
    expect(learned(run(chat(late), tokenizer), tokenizer)).toEqual(["assistant: (now)two<|im_end|>"]);
  });

  it("is refused where a message has moved", async () => {
    // Mistral Nemo's way: the system message stands in the last user message, and nowhere when an answer comes last.
    const moving =
      "{% for m in messages %}{% if m.role == 'user' %}{{ '[' + (messages[0].content if loop.last else '') + m.content + ']' }}{% elif m.role == 'assistant' %}{{ m.content + eos_token }}{% endif %}{% endfor %}";
    const tokenizer = await goldenTokenizer(moving);
    const system = chat([{ role: "system", content: "zero" }, ...late]);
    expect(kindOf(() => run(system, tokenizer))).toBe("template");
    expect(() => run(system, tokenizer)).toThrow(
      "messages[2]: the chat template writes the messages before this turn differently when it follows",
    );
  });

  it("is taken where only the generation prompt differs", async () => {
    const prompt =
      "{% for m in messages %}{{ '<|im_start|>' + m.content + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>think' }}{% endif %}";
    const tokenizer = await goldenTokenizer(prompt);
    expect(learned(run(chat(dialogue), tokenizer), tokenizer)).toEqual(["two<|im_end|>six<|im_end|>"]);
    expect(learned(run(chat(late), tokenizer), tokenizer)).toEqual(["two<|im_end|>"]);
  });
});

/** The mask as the definition has it, rendering and encoding every prefix anew. */
function slowMask(messages: readonly Message[], tokenizer: Tokenizer): readonly number[] {
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });
  const ids = encode(tokenizer.renderChat(messages));
  const counted = new Array<number>(ids.length).fill(0);
  for (const [index, message] of messages.entries()) {
    if (message.role !== "assistant" || message.weight === 0) continue;
    const start = commonPrefix(
      encode(tokenizer.renderChat(messages.slice(0, index), { addGenerationPrompt: true })),
      ids,
    );
    let end = commonPrefix(encode(tokenizer.renderChat(messages.slice(0, index + 1))), ids);
    for (let at = end - 1; at >= start; at--) {
      const id = ids[at] ?? 0;
      if (tokenizer.decode([id], { skipSpecialTokens: true }) === "") {
        end = at + 1;
        break;
      }
      if (tokenizer.decode([id]).trim() !== "") break;
    }
    counted.fill(1, start, end);
  }
  counted[0] = 0;
  return counted;
}

describe("long conversations", () => {
  const piece = fc.constantFrom(
    "The sky",
    " is",
    " ",
    "\n",
    "\n\n",
    "blue",
    "<|im_end|>",
    "<|im_start|>",
    "é",
    "🙂",
    "### Assistant:\n",
    "\uf8d0",
  );
  const content = fc.array(piece, { maxLength: 5 }).map((parts) => parts.join(""));
  const message = fc.record({ role: fc.constantFrom("user", "assistant", "system" as const), content });

  it.each(["chatml", "header", "words"])(
    "give the mask of every prefix rendered anew, template %s",
    async (template) => {
      const tokenizer = await goldenTokenizer(template);
      fc.assert(
        fc.property(fc.array(message, { minLength: 2, maxLength: 9 }), (messages) => {
          fc.pre(messages.filter(({ role }) => role === "assistant").length > 1);
          const expected = slowMask(messages, tokenizer);
          fc.pre(expected.includes(1));
          expect(Array.from(run(chat(messages), tokenizer).examples[0]?.counted ?? [])).toEqual(expected);
        }),
        { numRuns: 150, seed: 5 },
      );
    },
  );

  it("cost little more than one encoding", async () => {
    const inner = await goldenTokenizer("chatml");
    let [rendered, encoded] = [0, 0];
    const tokenizer: Tokenizer = {
      bosTokenId: inner.bosTokenId,
      vocabSize: inner.vocabSize,
      eosTokenId: inner.eosTokenId,
      eosToken: inner.eosToken,
      hasChatTemplate: true,
      encode: (text, options) => {
        encoded += text.length;
        return inner.encode(text, options);
      },
      decode: (ids, options) => inner.decode(ids, options),
      renderChat: (messages, options) => {
        rendered += messages.length;
        return inner.renderChat(messages, options);
      },
      withTemplate: (template) => inner.withTemplate(template),
    };
    const messages = Array.from({ length: 400 }, (_, index): Message => {
      return { role: index % 2 ? "assistant" : "user", content: `The sky is blue, ${index}.` };
    });
    const { examples } = run(chat(messages), tokenizer, { maxLength: 100_000 });
    expect(examples[0]?.counted.reduce((sum, bit) => sum + bit, 0)).toBeGreaterThan(1000);
    const characters = inner.renderChat(messages).length;
    expect(rendered).toBeLessThan(3 * messages.length);
    expect(encoded).toBeLessThan(3 * characters);
  });
});
