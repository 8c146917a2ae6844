/** What a model thought before an answer: learned with it, or the row is refused, but never dropped in silence. */
import { describe, expect, it } from "vitest";
import { dataDefaults, type LossOn, lossChoices } from "../../src/data/options";
import { tokenize } from "../../src/data/tokenize";
import type { Message, Tokenizer } from "../../src/data/tokenizer";
import type { Conversation } from "../../src/data/types";
import { chat, goldenTokenizer } from "../support/data-tokenizer";

function run(conversation: Conversation, tokenizer: Tokenizer, options: { readonly lossOn?: LossOn } = {}) {
  return tokenize(conversation, tokenizer, { ...dataDefaults, maxLength: 512, ...options });
}

function learned(messages: readonly Message[], tokenizer: Tokenizer): readonly string[] {
  const { examples } = run(chat(messages), tokenizer);
  return examples.map(({ ids, counted }) => tokenizer.decode(ids.filter((_, position) => counted[position] === 1)));
}

describe("an answer's reasoning", () => {
  const placed =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.reasoning_content %}{{ '<think>' + m.reasoning_content + '</think>' }}{% endif %}{{ m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  const thought: Message = { role: "assistant", content: "four", reasoning_content: " because " };
  const question: Message = { role: "user", content: "two and two?" };

  it("is learned with the answer where the template has a place for it", async () => {
    const tokenizer = await goldenTokenizer(placed);
    const texts = learned([question, thought], tokenizer);
    expect(texts).toEqual(["<think> because </think>four<|im_end|>"]);
  });

  it("refuses the row where it has none", async () => {
    const tokenizer = await goldenTokenizer("chatml");
    for (const lossOn of lossChoices) {
      expect(() => run(chat([question, thought]), tokenizer, { lossOn })).toThrow(
        "rows.jsonl line 7, messages[1].reasoning_content: the chat template has no place for reasoning_content; choose a chat template of a reasoning model, write the reasoning into the content, or take it out of the row.",
      );
    }
    expect(() => run(chat([question, thought]), tokenizer)).toThrow(expect.objectContaining({ kind: "template" }));
  });

  it("may be left out of what is not learned and of answers before a later question", async () => {
    const tokenizer = await goldenTokenizer("chatml");
    const rows: readonly (readonly Message[])[] = [
      [question, thought, question, { role: "assistant", content: "4" }],
      [question, thought, question],
      [question, { role: "assistant", content: "4" }, question, { ...thought, weight: 0 }],
    ];
    for (const messages of rows) expect(run(chat(messages), tokenizer).examples).toHaveLength(1);
  });
});
